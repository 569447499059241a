"""Int8 checkpoints whose zero points or scales no integer kernel takes run as floats."""

from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from support.checkpoints import CheckpointSpec, write_checkpoint

from earmark.checkpoint.ref import FolderRef
from earmark.domain.texts import TextInput
from earmark.engine.info import EngineInfo
from earmark.engine.load import EngineOptions, load_engine
from earmark.graph.precision import Precision
from earmark.runtime.session import GraphRuntime
from earmark.tasks.text_classification import TextClassification

Float32: TypeAlias = NDArray[np.float32]

TEXTS = ("I love this film", "The food was awful; service dull.")
SAME = 1e-6
"""The graph is the same; only where its float weights come from differs."""
ROUNDED = 0.1
"""What int8 may move a probability by (`engine.certificate.TOLERANCES`)."""


def _store(
    path: Path, groups: int, *, points: bool
) -> tuple[dict[str, Float32], dict[str, NDArray[np.generic]]]:
    """Quantise the matrices of every layer; return what they stand for, and what the file holds."""
    meant: dict[str, Float32] = {}
    stored: dict[str, NDArray[np.generic]] = {}
    for name, values in load_file(path).items():
        if "encoder" not in name or values.ndim != 2:
            meant[name] = stored[name] = values
            continue
        # Off their middle, which is what zero points are for.
        parts = (values + np.float32(0.2)).reshape(len(values), groups, -1)
        low, high = parts.min(axis=2), parts.max(axis=2)
        if not points:
            high = np.maximum(high, -low)
            low = -high
        scale = ((high - low) / 254).astype(np.float32)
        zero = np.rint(-127 - low / scale).clip(-128, 127) * points
        whole = np.rint(parts / scale[..., None] + zero[..., None]).clip(-128, 127)
        exact = (whole.astype(np.float32) - zero[..., None]) * scale[..., None]
        meant[name] = exact.reshape(values.shape).astype(np.float32)
        stored[name] = whole.reshape(values.shape).astype(np.int8)
        stored[f"{name}_scale"] = scale
        if points:
            stored[f"{name}_zero_point"] = zero.astype(np.int8)
    return meant, stored


def _answers(
    folder: Path, precision: Precision, runtime: GraphRuntime
) -> tuple[EngineInfo, list[dict[str, float]]]:
    """Load a folder, and return its facts and the scores of each text."""
    options = EngineOptions(precision=precision, runtime=runtime, threads=1)
    engine = load_engine(FolderRef(folder), options=options)
    try:
        asked = TextClassification(tuple(map(TextInput, TEXTS)), top_k=None)
        results = engine.answer_blocking(asked).results()
        scores = [{one.label: one.score for one in result.scores} for result in results]
        return engine.info, scores
    finally:
        engine.close()


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
@pytest.mark.parametrize(
    ("groups", "points", "kind"),
    [(1, True, "asymmetric int8"), (4, False, "grouped int8"), (4, True, "asymmetric int8")],
)
def test_they_answer_as_the_floats_that_they_stand_for(
    tmp_path: Path,
    groups: int,
    points: bool,  # noqa: FBT001 - a row of the table above
    kind: str,
    runtime: GraphRuntime,
) -> None:
    """They run as floats by default, which the facts say; in int8 they are rounded again."""
    ours = write_checkpoint(tmp_path / "ours", CheckpointSpec())
    theirs = write_checkpoint(tmp_path / "theirs", CheckpointSpec())
    meant, stored = _store(ours / "model.safetensors", groups, points=points)
    save_file(stored, ours / "model.safetensors")
    save_file(meant, theirs / "model.safetensors")
    _, expected = _answers(theirs, "float32", runtime)
    info, found = _answers(ours, "auto", runtime)
    assert (info.stored_precision, "int8" in info.compute_note) == (kind, False)
    assert info.precision != "int8"
    rounded, nearly = _answers(ours, "int8", runtime)
    assert rounded.precision == "int8"
    for one, other, third in zip(expected, found, nearly, strict=True):
        assert other == pytest.approx(one, abs=SAME if info.precision == "float32" else 1e-2)
        assert third == pytest.approx(one, abs=ROUNDED)
