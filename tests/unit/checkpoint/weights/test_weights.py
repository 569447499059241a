"""Tensors are checked as they are read."""

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file
from support.checkpoint_storage import StoredTensor, write_safetensors

from earmark.checkpoint.weights.weights import Int8Matrix, Weights, floats_of
from earmark.errors import InvalidCheckpoint

MATRIX = np.asarray([[1.0, -2.0], [0.5, 4.0]], np.float32)


def opened(folder: Path, **tensors: np.typing.NDArray[np.generic]) -> Weights:
    """Write tensors to a file and open it; ``__`` in a name stands for a dot."""
    path = folder / "model.safetensors"
    save_file({name.replace("__", "."): tensor for name, tensor in tensors.items()}, path)
    return Weights.open(path, prefix="bert.")


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64, ml_dtypes.bfloat16])
def test_floats_of_any_width_arrive_as_float32(tmp_path: Path, dtype: type) -> None:
    """Narrow floats are widened; these values are exact in each of the types."""
    weights = opened(tmp_path, x__weight=MATRIX.astype(dtype))
    matrix = weights.matrix("x.weight", 2, 2)
    assert not isinstance(matrix, Int8Matrix)
    assert matrix.dtype == np.float32
    assert matrix.tolist() == MATRIX.tolist()
    assert weights.parameters == 4


@pytest.mark.parametrize("shape", [(2, 1), (2,)])
def test_int8_matrices_come_with_their_scales(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """Scales are per row, stored with or without a second axis."""
    weights = opened(
        tmp_path,
        x__weight=np.asarray([[1, -2], [3, 127]], np.int8),
        x__weight_scale=np.asarray([0.5, 0.25], np.float32).reshape(shape),
    )
    matrix = weights.matrix("x.weight", 2, 2)
    assert isinstance(matrix, Int8Matrix)
    assert matrix.dequantized().tolist() == [[0.5, -1.0], [0.75, 31.75]]
    assert weights.stored_dtype == "int8"
    assert weights.parameters == 4


QUARTERS = np.asarray([[4, -2, 0, 6], [-128, 127, 1, -1]], np.int8)
"""Of scales that are powers of two, so that every product is exact."""


@pytest.mark.parametrize(
    ("scales", "points", "expected", "kind"),
    [
        ([0.5], None, [[2, -1, 0, 3], [-64, 63.5, 0.5, -0.5]], "int8"),
        ([[0.5], [2]], [[0], [0]], [[2, -1, 0, 3], [-256, 254, 2, -2]], "int8"),
        ([0.5], [2], [[1, -2, -1, 2], [-65, 62.5, -0.5, -1.5]], "asymmetric int8"),
        ([[0.5], [2]], [[2], [-128]], [[1, -2, -1, 2], [0, 510, 258, 254]], "asymmetric int8"),
        (
            [[0.5, 1], [2, 4]],
            None,
            [[2, -1, 0, 6], [-256, 254, 4, -4]],
            "grouped int8",
        ),
        (
            [[0.5, 1], [2, 4]],
            [[2, -3], [0, 1]],
            [[1, -2, 3, 9], [-256, 254, 0, -8]],
            "asymmetric int8",
        ),
    ],
    ids=["one scale", "no points", "one point", "by row", "by group", "by group, with points"],
)
def test_int8_matrices_are_what_their_scales_and_zero_points_say(
    tmp_path: Path,
    scales: list[float],
    points: list[int] | None,
    expected: list[list[float]],
    kind: str,
) -> None:
    """``(value - zero point) * scale``, worked out by hand (compressed-tensors, `dequantize`)."""
    stored: dict[str, np.typing.NDArray[np.generic]] = {
        "x__weight": QUARTERS,
        "x__weight_scale": np.asarray(scales, np.float32),
    }
    if points is not None:
        stored["x__weight_zero_point"] = np.asarray(points, np.int8)
    weights = opened(tmp_path, **stored)
    assert weights.stored_dtype == kind
    assert len(weights.unread()) == len(stored)  # to name the kind reads nothing
    matrix = weights.matrix("x.weight", 2, 4)
    assert isinstance(matrix, Int8Matrix) == (kind == "int8")
    assert floats_of(matrix).tolist() == expected
    assert weights.parameters == 8
    assert weights.unread() == ()


@pytest.mark.parametrize(
    ("scales", "points", "match"),
    [
        (np.ones((2, 3)), np.zeros((2, 3)), r"x\.weight_scale has shape \[2, 3\]; expected one"),
        (np.ones((4, 1)), np.zeros((4, 1)), r"x\.weight_scale has shape \[4, 1\]; expected one"),
        (np.ones((1, 2, 1)), np.zeros(2), r"x\.weight_scale has shape \[1, 2, 1\]; expected one"),
        (np.ones((2, 2)), np.zeros((2, 1)), "2 zero points and 4 scales"),
    ],
)
def test_scales_and_zero_points_of_other_shapes_are_refused(
    tmp_path: Path,
    scales: np.typing.NDArray[np.float64],
    points: np.typing.NDArray[np.float64],
    match: str,
) -> None:
    """Rather than spread over the matrix as NumPy would."""
    weights = opened(
        tmp_path,
        x__weight=QUARTERS,
        x__weight_scale=scales.astype(np.float32),
        x__weight_zero_point=points.astype(np.int8),
    )
    with pytest.raises(InvalidCheckpoint, match=match):
        weights.matrix("x.weight", 2, 4)


def test_zero_points_that_are_no_integers_are_refused(tmp_path: Path) -> None:
    """Schemes of other libraries have them."""
    weights = opened(
        tmp_path,
        x__weight=QUARTERS,
        x__weight_scale=np.ones((2, 1), np.float32),
        x__weight_zero_point=np.ones((2, 1), np.float32),
    )
    with pytest.raises(InvalidCheckpoint, match="zero_point is of type F32"):
        weights.matrix("x.weight", 2, 4)


@pytest.mark.parametrize("name", ["x__weight", "bert__x__weight", "bert__bert__x__weight"])
def test_the_prefix_may_be_missing_or_doubled(tmp_path: Path, name: str) -> None:
    """However often the base model's prefix stands there, the tensor is found."""
    assert opened(tmp_path, **{name: MATRIX}).has("x.weight")


def test_old_layer_norm_names_are_understood(tmp_path: Path) -> None:
    """`gamma` and `beta` are weight and bias."""
    vector = np.ones(2, np.float32)
    weights = opened(tmp_path, bert__norm__gamma=vector, bert__norm__beta=vector)
    assert weights.vector("norm.weight", 2).tolist() == [1.0, 1.0]
    assert weights.has("norm.bias")


def test_two_names_for_one_tensor_are_refused(tmp_path: Path) -> None:
    """Which of them counts cannot be known, so neither is taken silently."""
    with pytest.raises(InvalidCheckpoint, match=r"both .*x\.weight and .*x\.weight"):
        opened(tmp_path, x__weight=MATRIX, bert__x__weight=MATRIX)


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    """The message names what is missing and shows what there is."""
    weights = opened(tmp_path, x__weight=MATRIX)
    with pytest.raises(InvalidCheckpoint, match=r"no tensor y\.weight; it holds 1, such as x"):
        weights.matrix("y.weight", 2, 2)


def test_a_missing_scale_is_named(tmp_path: Path) -> None:
    """Int8 weights without scales mean nothing."""
    weights = opened(tmp_path, x__weight=np.ones((2, 2), np.int8))
    with pytest.raises(InvalidCheckpoint, match=r"no tensor x\.weight_scale"):
        weights.matrix("x.weight", 2, 2)


def test_a_misshapen_tensor_is_named_with_both_shapes(tmp_path: Path) -> None:
    """Found and expected stand side by side."""
    weights = opened(tmp_path, x__weight=MATRIX)
    with pytest.raises(InvalidCheckpoint, match=r"x\.weight has shape \[2, 2\], expected \[3, 2\]"):
        weights.matrix("x.weight", 3, 2)


def test_a_tensor_of_integers_is_no_weight(tmp_path: Path) -> None:
    """An int64 where floats belong is refused by its type."""
    weights = opened(tmp_path, x__bias=np.ones(2, np.int64))
    with pytest.raises(InvalidCheckpoint, match="of type I64"):
        weights.vector("x.bias", 2)


def test_a_type_that_numpy_has_not_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """As checkpoints quantised to eight-bit floats have."""
    path = tmp_path / "model.safetensors"
    write_safetensors(path, {"x.bias": StoredTensor("F8_E4M3", (2,), b"\1\1")})
    with pytest.raises(InvalidCheckpoint, match="of type F8_E4M3"):
        Weights.open(path, prefix="bert.").vector("x.bias", 2)


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    """NaN in a file is found at load, not in the first answer."""
    weights = opened(tmp_path, x__bias=np.asarray([1.0, np.nan], np.float32))
    with pytest.raises(InvalidCheckpoint, match="NaN or infinity"):
        weights.vector("x.bias", 2)


def test_what_nobody_reads_is_listed(tmp_path: Path) -> None:
    """Unread weights are listed by name; integer buffers do not count."""
    weights = opened(
        tmp_path, x__weight=MATRIX, extra__weight=MATRIX, position_ids=np.ones((1, 4), np.int64)
    )
    weights.matrix("x.weight", 2, 2)
    assert weights.unread() == ("extra.weight",)


def test_what_is_disregarded_is_not_listed(tmp_path: Path) -> None:
    """A tensor that repeats another goes unmentioned, its scales too."""
    weights = opened(
        tmp_path, copy__weight=np.ones((2, 2), np.int8), copy__weight_scale=np.ones(2, np.float32)
    )
    weights.disregard("copy.weight", "not.there")
    assert weights.unread() == ()


def test_weights_that_layers_share_are_counted_once(tmp_path: Path) -> None:
    """Each layer reads them; the model has them once."""
    weights = opened(tmp_path, shared__weight=np.ones((2, 3), np.float32))
    for _ in range(12):
        weights.matrix("shared.weight", 2, 3)
    assert weights.parameters == 6


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    """A half-copied file never loads."""
    path = tmp_path / "model.safetensors"
    save_file({"x.weight": MATRIX}, path)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(InvalidCheckpoint, match="cannot be read as safetensors"):
        Weights.open(path, prefix="bert.")


def test_a_header_larger_than_any_is_not_read(tmp_path: Path) -> None:
    """The library would read 100 MB: minutes, and gigabytes of memory."""
    header = b"{" + b",".join(
        b'"t%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}' % index for index in range(80_000)
    )
    path = tmp_path / "model.safetensors"
    path.write_bytes((len(header) + 1).to_bytes(8, "little") + header + b"}")
    with pytest.raises(InvalidCheckpoint, match=r"header would have 4,\d+,\d+ bytes, and at most"):
        Weights.open(path, prefix="bert.")


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    """So is one that is no safetensors at all."""
    path = tmp_path / "model.safetensors"
    path.write_text("version 1\n")
    with pytest.raises(InvalidCheckpoint, match="cannot be read as safetensors"):
        Weights.open(path, prefix="bert.")
