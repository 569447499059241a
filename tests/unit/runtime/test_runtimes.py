"""What a processor can compute, by the features that the system lists."""

from pathlib import Path

import pytest

from earmark.runtime.machine import dots_int8
from earmark.runtime.runtimes import computes_bfloat16, prefers_bfloat16
from earmark.runtime.session import RuntimeName


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512_vnni fma\n", True),
        ("processor\t: 0\nflags\t\t: fpu avx2 avx_vnni\n", True),
        ("processor\t: 0\nflags\t\t: fpu avx2 fma\n", False),
        ("processor\t: 0\nFeatures\t: fp asimd asimddp\n", True),
        ("processor\t: 0\nFeatures\t: fp asimd\n", False),
        ("processor\t: 0\n", None),
    ],
)
def test_an_int8_dot_product_is_found_by_its_names(
    tmp_path: Path, facts: str, *, found: bool | None
) -> None:
    """An int8 dot product is found by its names on x86-64 and arm64, and not without features."""
    file = tmp_path / "cpuinfo"
    file.write_text(facts, "ascii")
    assert dots_int8(file) is found


def test_a_system_without_the_file_tells_nothing(tmp_path: Path) -> None:
    """A system without the file, such as one that is not Linux, has no known features."""
    assert dots_int8(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ("flags\t\t: fpu avx2 avx512_bf16 fma\n", True),
        ("Features\t: fp asimd bf16\n", True),
        ("flags\t\t: fpu avx2 fma\n", False),
        ("processor\t: 0\n", False),
    ],
)
def test_pytorch_computes_bfloat16_where_the_processor_is_known_to(
    tmp_path: Path, facts: str, *, found: bool
) -> None:
    """PyTorch's bfloat16 counts only on processors that are known to compute it."""
    file = tmp_path / "cpuinfo"
    file.write_text(facts, "ascii")
    assert computes_bfloat16("pytorch", file) is found


@pytest.mark.parametrize(
    ("runtime", "facts", "found"),
    [
        ("openvino", "flags\t\t: fpu avx512_bf16 amx_bf16\n", True),
        ("openvino", "flags\t\t: fpu avx512_bf16 avx512_vnni\n", False),
        ("openvino", "processor\t: 0\n", False),
        ("onnxruntime", "flags\t\t: fpu avx512_bf16 amx_bf16\n", False),
    ],
)
def test_with_amx_bfloat16_is_the_faster_one(
    tmp_path: Path, runtime: RuntimeName, facts: str, *, found: bool
) -> None:
    """With AMX bfloat16 counts as faster than int8 in OpenVINO."""
    file = tmp_path / "cpuinfo"
    file.write_text(facts, "ascii")
    assert prefers_bfloat16(runtime, file) is found
