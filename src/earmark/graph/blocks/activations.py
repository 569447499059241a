"""Activation functions by the name `config.json` gives them."""

from collections.abc import Callable, Mapping

from earmark.errors import UnsupportedCheckpoint
from earmark.graph.recorder import Recorder, Value

__all__ = ["ACTIVATIONS", "activation"]


def _gelu(r: Recorder, x: Value) -> Value:
    return r.op("Gelu", x)


def _gelu_tanh(r: Recorder, x: Value) -> Value:
    return r.op("Gelu", x, approximate="tanh")


def _relu(r: Recorder, x: Value) -> Value:
    return r.op("Relu", x)


def _silu(r: Recorder, x: Value) -> Value:
    return r.op("Mul", x, r.op("Sigmoid", x))


def _tanh(r: Recorder, x: Value) -> Value:
    return r.op("Tanh", x)


ACTIVATIONS: Mapping[str, Callable[[Recorder, Value], Value]] = {
    "gelu": _gelu,
    "gelu_new": _gelu_tanh,
    "gelu_pytorch_tanh": _gelu_tanh,
    "relu": _relu,
    "silu": _silu,
    "swish": _silu,
    "tanh": _tanh,
}
"""`transformers` names (`activations.py`, ACT2FN) -> how to record them."""


def activation(r: Recorder, x: Value, name: str) -> Value:
    """Apply an activation function to every value.

    Raises:
        UnsupportedCheckpoint: no function of that name is known.
    """
    record = ACTIVATIONS.get(name)
    if record is None:
        raise UnsupportedCheckpoint(
            f"config.json asks for the activation function {name!r}; "
            f"known are {', '.join(ACTIVATIONS)}"
        )
    return record(r, x)
