"""Every activation function of `transformers` gives its values."""

import numpy as np
import pytest
from golden.activation_values import LEARNED, POINTS, read_activation_values

from earmark.domain.packing import PackedBatch
from earmark.errors import UnsupportedCheckpoint
from earmark.graph.blocks.activations import ACTIVATIONS, activation
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Recorder
from earmark.runtime.runtimes import graph_support
from earmark.runtime.session import GraphRuntime, SessionOptions

VALUES = read_activation_values()
ERROR = 2e-6
"""Of a value of size one: the runtimes' own `Erf` and `Tanh` differ from PyTorch's so much."""
ROOT_ERROR = 2e-5
"""Of `sqrtsoftplus`: far below zero it is the root of a logarithm of almost one."""


def test_every_function_of_transformers_is_known() -> None:
    """All that `activations.py` has, but those whose slopes are learned."""
    assert set(ACTIVATIONS) == set(VALUES)
    assert not set(LEARNED) & set(ACTIVATIONS)


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
@pytest.mark.parametrize("name", VALUES)
def test_a_function_has_the_values_of_transformers(name: str, runtime: GraphRuntime) -> None:
    """On both runtimes, where the function bends and far beyond."""
    r = Recorder(name)
    ids = PackedInputs(r).input_ids
    points = r.constant(np.asarray(POINTS, np.float32)[:, None], "points")
    r.output(activation(r, r.op("Gather", points, ids), name), "logits", ("rows", "width", 1))
    session = graph_support(runtime).open_graph(
        r.to_graph(), SessionOptions(compute="float32", threads=1), None
    )
    found = session.run(_asking(len(POINTS))).reshape(-1)
    session.close()
    error = ROOT_ERROR if name == "sqrtsoftplus" else ERROR
    np.testing.assert_allclose(found, VALUES[name], rtol=ERROR, atol=error)


def _asking(count: int) -> PackedBatch:
    cells = np.arange(count, dtype=np.int64)[None]
    none = np.zeros_like(cells)
    return PackedBatch(
        input_ids=cells,
        token_type_ids=none,
        position_ids=cells,
        segment_ids=none,
        first_token=np.zeros(1, np.int64),
        lengths=np.asarray([count], np.int64),
    )


@pytest.mark.parametrize("name", ["prelu", "gelu_11", "GELU"])
def test_an_unknown_function_is_refused_by_name(name: str) -> None:
    """The message lists those that are known."""
    r = Recorder("unknown")
    with pytest.raises(UnsupportedCheckpoint, match=rf"'{name}'; known are gelu, gelu_10"):
        activation(r, PackedInputs(r).input_ids, name)
