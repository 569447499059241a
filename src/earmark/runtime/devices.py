"""What this machine offers."""

import os
from typing import assert_never

from earmark.runtime.session import Graph, RuntimeName, RuntimeSession, SessionOptions

__all__ = ["available_threads", "computes_bfloat16", "open_session"]


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
