"""Activation functions, by their names in `config.json`.

Follows ACT2FN of `transformers` 5.24.0 and 4.57.1 (activations.py).
"""

from collections.abc import Callable, Mapping

import numpy as np

from earmark.errors import UnsupportedCheckpoint
from earmark.graph.recorder import Recorder, Value

LAPLACE_MEAN, LAPLACE_DEVIATION = 0.707107, 0.282095
"""The constants of LaplaceActivation."""


def _gelu(r: Recorder, x: Value) -> Value:
    return r.op("Gelu", x)


def _gelu_tanh(r: Recorder, x: Value) -> Value:
    return r.op("Gelu", x, approximate="tanh")


def _gelu_10(r: Recorder, x: Value) -> Value:
    return r.op("Clip", _gelu(r, x), r.scalar(-10.0), r.scalar(10.0))


def _quick_gelu(r: Recorder, x: Value) -> Value:
    return r.op("Mul", x, r.op("Sigmoid", r.op("Mul", x, r.scalar(1.702))))


def _hardswish(r: Recorder, x: Value) -> Value:
    return r.op("HardSwish", x)


def _laplace(r: Recorder, x: Value) -> Value:
    centred = r.op("Sub", x, r.scalar(LAPLACE_MEAN))
    turned = r.op("Erf", r.op("Div", centred, r.scalar(LAPLACE_DEVIATION * np.sqrt(2.0))))
    return r.op("Mul", r.op("Add", turned, r.scalar(1.0)), r.scalar(0.5))


def _leaky_relu(r: Recorder, x: Value) -> Value:
    return r.op("LeakyRelu", x, alpha=0.01)


def _linear(r: Recorder, x: Value) -> Value:
    return r.op("Identity", x)


def _mish(r: Recorder, x: Value) -> Value:
    return r.op("Mul", x, r.op("Tanh", r.op("Softplus", x)))


def _relu(r: Recorder, x: Value) -> Value:
    return r.op("Relu", x)


def _relu2(r: Recorder, x: Value) -> Value:
    above = r.op("Relu", x)
    return r.op("Mul", above, above)


def _relu6(r: Recorder, x: Value) -> Value:
    return r.op("Clip", x, r.scalar(0.0), r.scalar(6.0))


def _sigmoid(r: Recorder, x: Value) -> Value:
    return r.op("Sigmoid", x)


def _silu(r: Recorder, x: Value) -> Value:
    return r.op("Mul", x, r.op("Sigmoid", x))


def _sqrtsoftplus(r: Recorder, x: Value) -> Value:
    return r.op("Sqrt", r.op("Softplus", x))


def _tanh(r: Recorder, x: Value) -> Value:
    return r.op("Tanh", x)


ACTIVATIONS: Mapping[str, Callable[[Recorder, Value], Value]] = {
    "gelu": _gelu,
    "gelu_10": _gelu_10,
    "gelu_accurate": _gelu_tanh,
    "gelu_fast": _gelu_tanh,
    "gelu_new": _gelu_tanh,
    "gelu_python": _gelu,
    "gelu_python_tanh": _gelu_tanh,
    "gelu_pytorch_tanh": _gelu_tanh,
    "hardswish": _hardswish,
    "laplace": _laplace,
    "leaky_relu": _leaky_relu,
    "linear": _linear,
    "mish": _mish,
    "quick_gelu": _quick_gelu,
    "relu": _relu,
    "relu2": _relu2,
    "relu6": _relu6,
    "sigmoid": _sigmoid,
    "silu": _silu,
    "sqrtsoftplus": _sqrtsoftplus,
    "swish": _silu,
    "tanh": _tanh,
}
"""Name -> function that records it; without `prelu` and `xielu`, whose slopes are learned."""


def activation(r: Recorder, x: Value, name: str) -> Value:
    """Apply an activation function to every value.

    Raises:
        UnsupportedCheckpoint: the name is not known.
    """
    record = ACTIVATIONS.get(name)
    if record is None:
        raise UnsupportedCheckpoint(
            f"config.json asks for the activation function {name!r}; "
            f"known are {', '.join(ACTIVATIONS)}"
        )
    return record(r, x)
