"""The table of runtimes: the device, the form of graphs and the functions to open each.

A runtime is one row of `RUNTIMES` and one module beside this one, which is imported only when it is
used: importing a runtime takes longer than most commands.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from earmark.runtime.machine import PROCESSOR_FACTS, processor_features
from earmark.runtime.onnx_model import OnnxModelFile
from earmark.runtime.padded import PaddedModel
from earmark.runtime.session import (
    Graph,
    GraphRuntime,
    RuntimeName,
    RuntimeSession,
    SessionOptions,
    WeightForm,
)

_BFLOAT16_FEATURES = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Linux's names of instructions that multiply bfloat16; the last is that of arm64."""

Compiled: TypeAlias = NDArray[np.uint8]
"""The file of a compiled model, in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSupport:
    """How a runtime runs ONNX.

    Attributes:
        float_weights: form of float weights in graphs for this runtime.
        int8_weights: form of int8 weights.
        open_graph: loads a graph written here; if an empty folder is given, it writes there what
            `reopen` loads.
        open_file: loads an exported ONNX file.
        reopen: loads a model that an earlier load compiled, given a function that reads it; None if
            that saves no time.
        packages: the distributions whose releases affect the compiled model.
    """

    float_weights: WeightForm
    int8_weights: WeightForm
    open_graph: Callable[[Graph, SessionOptions, Path | None], RuntimeSession]
    open_file: Callable[[OnnxModelFile, SessionOptions], PaddedModel]
    reopen: Callable[[Callable[[], Compiled], SessionOptions], RuntimeSession] | None = None
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """A runtime and what it supports.

    Attributes:
        title: its name in messages.
        device: the kind of device it runs on.
        computes_bfloat16: returns whether a processor with some features has native bfloat16.
        prefers_bfloat16: returns whether bfloat16 is faster than int8 on it.
        graphs: how it runs ONNX; None if it runs the classes of `transformers` instead.
    """

    title: str
    device: Literal["cpu"]
    computes_bfloat16: Callable[[frozenset[str]], bool]
    prefers_bfloat16: Callable[[frozenset[str]], bool]
    graphs: GraphSupport | None = None


def _never(_features: frozenset[str]) -> bool:
    return False


def _openvino_computes_bfloat16(_features: frozenset[str]) -> bool:
    from earmark.runtime.openvino import native_bfloat16  # noqa: PLC0415 - loads the runtime

    return native_bfloat16()


def _openvino_prefers_bfloat16(features: frozenset[str]) -> bool:
    """Return whether the processor has AMX for bfloat16.

    OpenVINO's kernels for bfloat16 use AMX, and those for int8 weights with dynamically quantised
    activations do not: 1.4 times as many requests (bench/results/intel-xeon-amx-2-cores.json).
    Without AMX int8 was faster (amd-epyc-avx512-vnni-2-cores.json).
    """
    return "amx_bf16" in features


def _open_openvino(graph: Graph, options: SessionOptions, scratch: Path | None) -> RuntimeSession:
    from earmark.runtime.openvino import open_openvino  # noqa: PLC0415 - one runtime only

    return open_openvino(graph, options, scratch=scratch)


def _open_openvino_file(file: OnnxModelFile, options: SessionOptions) -> PaddedModel:
    from earmark.runtime.openvino import open_openvino_file  # noqa: PLC0415 - one runtime only

    return open_openvino_file(file, options)


def _reopen_openvino(read: Callable[[], Compiled], options: SessionOptions) -> RuntimeSession:
    with ThreadPoolExecutor(1, thread_name_prefix="earmark-kept") as beside:
        # In parallel: importing the runtime takes a quarter of a second, and reading as long.
        content = beside.submit(read)
        from earmark.runtime.openvino import reopen_openvino  # noqa: PLC0415 - one runtime only

        return reopen_openvino(content.result(), options)


def _open_onnxruntime(
    graph: Graph, options: SessionOptions, _scratch: Path | None
) -> RuntimeSession:
    from earmark.runtime.onnxruntime import open_onnxruntime  # noqa: PLC0415 - one runtime only

    return open_onnxruntime(graph, options)


def _open_onnxruntime_file(file: OnnxModelFile, options: SessionOptions) -> PaddedModel:
    from earmark.runtime.onnxruntime import (  # noqa: PLC0415 - one runtime only
        open_onnxruntime_file,
    )

    return open_onnxruntime_file(file, options)


RUNTIMES: Final[Mapping[RuntimeName, Runtime]] = {
    "openvino": Runtime(
        title="OpenVINO",
        device="cpu",
        computes_bfloat16=_openvino_computes_bfloat16,
        prefers_bfloat16=_openvino_prefers_bfloat16,
        graphs=GraphSupport(
            float_weights="float",
            int8_weights="dequantize",
            open_graph=_open_openvino,
            open_file=_open_openvino_file,
            reopen=_reopen_openvino,
            packages=("openvino", "onnx"),
        ),
    ),
    "onnxruntime": Runtime(
        title="ONNX Runtime",
        device="cpu",
        computes_bfloat16=_never,
        prefers_bfloat16=_never,
        # It cannot write compiled models that load faster than the weights.
        graphs=GraphSupport(
            float_weights="turned",
            int8_weights="integer",
            open_graph=_open_onnxruntime,
            open_file=_open_onnxruntime_file,
        ),
    ),
    "pytorch": Runtime(
        title="PyTorch",
        device="cpu",
        computes_bfloat16=lambda features: bool(_BFLOAT16_FEATURES & features),
        prefers_bfloat16=_never,
    ),
}
"""Every runtime by its name in the options."""

GRAPH_RUNTIMES: Final = cast(
    "tuple[GraphRuntime, ...]", tuple(name for name, one in RUNTIMES.items() if one.graphs)
)
"""The runtimes that run ONNX."""


def graph_support(runtime: GraphRuntime) -> GraphSupport:
    """Return how a runtime runs ONNX."""
    graphs = RUNTIMES[runtime].graphs
    if graphs is None:
        raise AssertionError(f"{runtime} is none of GRAPH_RUNTIMES")
    return graphs


def computes_bfloat16(runtime: RuntimeName, facts: Path = PROCESSOR_FACTS) -> bool:
    """Return whether a runtime computes bfloat16 natively on this machine.

    Args:
        runtime: the runtime.
        facts: Linux's description of the processor; other systems do not have it.
    """
    return RUNTIMES[runtime].computes_bfloat16(processor_features(facts) or frozenset())


def prefers_bfloat16(runtime: RuntimeName, facts: Path = PROCESSOR_FACTS) -> bool:
    """Return whether bfloat16 is faster than int8 here; arguments as for `computes_bfloat16`."""
    return RUNTIMES[runtime].prefers_bfloat16(processor_features(facts) or frozenset())
