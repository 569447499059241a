"""What this machine offers."""

import os
import re
from pathlib import Path
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from earmark.runtime.onnx_model import OnnxModelFile
from earmark.runtime.padded import PaddedModel
from earmark.runtime.session import (
    Graph,
    GraphRuntime,
    RuntimeName,
    RuntimeSession,
    SessionOptions,
)

__all__ = [
    "available_threads",
    "computes_bfloat16",
    "dots_int8",
    "open_onnx_file",
    "open_session",
    "prefers_bfloat16",
    "reopen_session",
]

_PROCESSOR_FACTS = Path("/proc/cpuinfo")
_INT8_DOT_FEATURES = frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"})
"""Linux's names of what multiplies int8 with int8 and adds up in 32 bits: three of x86-64, two of
arm64 (arch/x86/include/asm/cpufeatures.h, arch/arm64/kernel/cpuinfo.c)."""


_BFLOAT16_FEATURES = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""The same of what multiplies bfloat16; the last one is arm64's."""


def available_threads() -> int:
    """Count the cores this process may use, which a container may hold below the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def computes_bfloat16(runtime: RuntimeName, facts: Path = _PROCESSOR_FACTS) -> bool:
    """Say whether a runtime computes bfloat16 natively on this machine.

    Args:
        runtime: OpenVINO is asked; ONNX Runtime never does; of PyTorch it is known where Linux
            names the processor's features.
        facts: Linux's description of the processor; other systems have none.
    """
    if runtime == "onnxruntime":
        return False
    if runtime == "pytorch":
        return bool(_BFLOAT16_FEATURES & (_features(facts) or frozenset()))
    from earmark.runtime.openvino import native_bfloat16  # noqa: PLC0415 - loads the runtime

    return native_bfloat16()


def prefers_bfloat16(runtime: RuntimeName, facts: Path = _PROCESSOR_FACTS) -> bool:
    """Say whether a runtime is faster at bfloat16 than at int8 on this machine.

    OpenVINO's kernels for bfloat16 use AMX, and those for int8 weights with activations quantised
    on the way do not: 1.4 times as many requests (bench/results/intel-xeon-amx-2-cores.json).
    Without AMX int8 was faster (amd-epyc-avx512-vnni-2-cores.json).

    Args:
        runtime: which.
        facts: Linux's description of the processor; other systems have none.
    """
    return runtime == "openvino" and "amx_bf16" in (_features(facts) or frozenset())


def dots_int8(facts: Path = _PROCESSOR_FACTS) -> bool | None:
    """Say whether the processor has an int8 dot product; None where the system does not tell.

    Args:
        facts: Linux's description of the processor; other systems have none.
    """
    features = _features(facts)
    return None if features is None else bool(_INT8_DOT_FEATURES & features)


def _features(facts: Path) -> frozenset[str] | None:
    """Read the names of the first processor's features; None where the system does not tell."""
    try:
        text = facts.read_text("ascii", errors="replace").lower()
    except OSError:
        return None
    features = re.findall(r"^(?:flags|features)\s*:(.*)$", text, flags=re.MULTILINE)
    return frozenset(features[0].split()) if features else None


def open_session(
    runtime: GraphRuntime, graph: Graph, options: SessionOptions, *, scratch: Path | None = None
) -> RuntimeSession:
    """Load a graph into a runtime; only the one named is imported.

    Args:
        runtime: which.
        graph: what to load.
        options: how it is to run.
        scratch: an empty folder for what `reopen_session` takes up; only OpenVINO writes it.

    Raises:
        UnsupportedDevice: runtime, precision and machine do not go together.
        EngineError: the runtime cannot load the graph.
    """
    match runtime:
        case "openvino":
            from earmark.runtime.openvino import open_openvino  # noqa: PLC0415 - one runtime only

            return open_openvino(graph, options, scratch=scratch)
        case "onnxruntime":
            from earmark.runtime.onnxruntime import (  # noqa: PLC0415 - one runtime only
                open_onnxruntime,
            )

            return open_onnxruntime(graph, options)
        case _:
            assert_never(runtime)


def reopen_session(content: NDArray[np.uint8], options: SessionOptions) -> RuntimeSession:
    """Take up a model that OpenVINO compiled and wrote in an earlier load.

    Raises:
        UnsupportedDevice: precision and machine do not go together.
        EngineError: the content does not do.
    """
    from earmark.runtime.openvino import reopen_openvino  # noqa: PLC0415 - one runtime only

    return reopen_openvino(content, options)


def open_onnx_file(
    runtime: GraphRuntime, file: OnnxModelFile, options: SessionOptions
) -> PaddedModel:
    """Load an exported ONNX file into a runtime; only the one named is imported.

    Raises:
        UnsupportedDevice: runtime, precision and machine do not go together.
        UnsupportedCheckpoint: the runtime cannot load the file.
    """
    match runtime:
        case "openvino":
            from earmark.runtime.openvino import (  # noqa: PLC0415 - one runtime only
                open_openvino_file,
            )

            return open_openvino_file(file, options)
        case "onnxruntime":
            from earmark.runtime.onnxruntime import (  # noqa: PLC0415 - one runtime only
                open_onnxruntime_file,
            )

            return open_onnxruntime_file(file, options)
        case _:
            assert_never(runtime)
