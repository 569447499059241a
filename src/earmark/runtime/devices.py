"""What this machine offers."""

import os
import re
from pathlib import Path
from typing import assert_never

from earmark.runtime.session import Graph, RuntimeName, RuntimeSession, SessionOptions

__all__ = ["available_threads", "computes_bfloat16", "dots_int8", "open_session"]

_PROCESSOR_FACTS = Path("/proc/cpuinfo")
_INT8_DOT_FEATURES = frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"})
"""Linux's names of what multiplies int8 with int8 and adds up in 32 bits: three of x86-64, two of
arm64 (arch/x86/include/asm/cpufeatures.h, arch/arm64/kernel/cpuinfo.c)."""


def available_threads() -> int:
    """Count the cores this process may use, which a container may hold below the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def computes_bfloat16(runtime: RuntimeName) -> bool:
    """Say whether a runtime computes bfloat16 natively on this machine."""
    if runtime == "onnxruntime":
        return False
    from earmark.runtime.openvino import native_bfloat16  # noqa: PLC0415 - loads the runtime

    return native_bfloat16()


def dots_int8(facts: Path = _PROCESSOR_FACTS) -> bool | None:
    """Say whether the processor has an int8 dot product; None where the system does not tell.

    Args:
        facts: Linux's description of the processor; other systems have none.
    """
    try:
        text = facts.read_text("ascii", errors="replace").lower()
    except OSError:
        return None
    features = re.findall(r"^(?:flags|features)\s*:(.*)$", text, flags=re.MULTILINE)
    return bool(_INT8_DOT_FEATURES & set(features[0].split())) if features else None


def open_session(runtime: RuntimeName, graph: Graph, options: SessionOptions) -> RuntimeSession:
    """Load a graph into a runtime; only the one named is imported.

    Raises:
        UnsupportedDevice: runtime, precision and machine do not go together.
        EngineError: the runtime cannot load the graph.
    """
    match runtime:
        case "openvino":
            from earmark.runtime.openvino import open_openvino  # noqa: PLC0415 - one runtime only

            return open_openvino(graph, options)
        case "onnxruntime":
            from earmark.runtime.onnxruntime import (  # noqa: PLC0415 - one runtime only
                open_onnxruntime,
            )

            return open_onnxruntime(graph, options)
        case _:
            assert_never(runtime)
