"""Int8 weights in the compressed-tensors "int-quantized" form, and back to float32.

A quantised matrix ``<name>.weight`` is int8 [out, in] and stands for
``weight * <name>.weight_scale``, the scale being float32 [out, 1]: symmetric, one scale for
each output channel (for each word, in the embedding table), no zero points. The form is that
of https://github.com/vllm-project/compressed-tensors.
"""

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file
from transformers import BertConfig, PreTrainedModel

from training.encoder import HEADS

Clip = Literal["max", "mse"]
"""Where a channel is clipped: at its greatest absolute value, or where the squared error of
the whole channel is least."""

CLIPS: tuple[Clip, ...] = ("max", "mse")

SCALE_SUFFIX = "_scale"
_TOP = 127
_MATRIX_AXES = 2
_EMBEDDING = "word_embeddings.weight"

QUANTIZATION_CONFIG: dict[str, object] = {
    "quant_method": "compressed-tensors",
    "format": "int-quantized",
    "quantization_status": "compressed",
    "config_groups": {
        "group_0": {
            # The class name takes in every Linear, the head too; of the embeddings, only the
            # words are worth it (half of the model): positions and types stay float32.
            "targets": ["Linear", "re:.*word_embeddings$"],
            # Said again for the group: without it compressed-tensors infers packed weights
            # wherever activations are not quantised, and then finds no `weight`.
            "format": "int-quantized",
            "weights": {
                "num_bits": 8,
                "type": "int",
                "symmetric": True,
                "strategy": "channel",
                "dynamic": False,
            },
            # Weights alone: how activations are rounded is the server's own business.
            "input_activations": None,
            "output_activations": None,
        }
    },
    "ignore": [],
}
"""The ``quantization_config`` of a checkpoint's ``config.json``."""


def is_quantised(name: str, tensor: torch.Tensor) -> bool:
    """Tell whether a tensor of this name is stored as int8.

    That is so for the matrices of Linear layers and for the word-embedding table.
    """
    if tensor.ndim != _MATRIX_AXES or not name.endswith(".weight"):
        return False
    return name.endswith(_EMBEDDING) or "embeddings." not in name


def quantise(state: Mapping[str, torch.Tensor], *, clip: Clip) -> dict[str, torch.Tensor]:
    """Turn a float32 state into the tensors of a quantised checkpoint.

    Whatever is not quantised (biases, LayerNorms, positions, token types) is kept as it is.
    """
    tensors: dict[str, torch.Tensor] = {}
    for name, tensor in state.items():
        if not is_quantised(name, tensor):
            tensors[name] = tensor.detach().clone().contiguous()
            continue
        scale = channel_scale(tensor, clip=clip)
        tensors[name] = torch.round(tensor / scale).clamp(-_TOP, _TOP).to(torch.int8)
        tensors[name + SCALE_SUFFIX] = scale
    return tensors


def channel_scale(weight: torch.Tensor, *, clip: Clip) -> torch.Tensor:
    """Choose the step of each row of a matrix [out, in]; returns float32 [out, 1].

    A row of zeros gets a step of one, so that nothing divides by zero.
    """
    top = weight.detach().abs().amax(dim=1, keepdim=True)
    full = torch.where(top > 0, top / _TOP, torch.ones_like(top)).float()
    if clip == "max":
        return full
    best, least = full, _squared_error(weight, full)
    # Eight bits leave little to win: below 0.8 of the maximum no row was ever better.
    for share in torch.arange(0.80, 1.0, 0.01).tolist():
        scale = full * share
        error = _squared_error(weight, scale)
        best = torch.where(error < least, scale, best)
        least = torch.minimum(error, least)
    return best


def _squared_error(weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    rounded = torch.round(weight / scale).clamp(-_TOP, _TOP) * scale
    return (rounded - weight).square().sum(dim=1, keepdim=True)


def dequantise(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Multiply quantised weights out again: the float32 state that a checkpoint stands for."""
    return {
        name: tensor.float() * tensors[name + SCALE_SUFFIX]
        if tensor.dtype == torch.int8
        else tensor
        for name, tensor in tensors.items()
        if not name.endswith("weight" + SCALE_SUFFIX)
    }


def choose_clip(
    model: PreTrainedModel,
    scores: Callable[[PreTrainedModel], npt.NDArray[np.float32]],
    *,
    report: Callable[[str], None],
) -> Clip:
    """Take the clip whose scores on held-out texts drift least from those of the float32 model.

    Args:
        model: the trained model; left as it is.
        scores: runs a model over the held-out texts; the numbers' order and shape are its own.
        report: takes a line of progress for each clip.
    """
    before = scores(model)
    drift: dict[Clip, float] = {}
    for clip in CLIPS:
        rounded = copy.deepcopy(model)
        rounded.load_state_dict(dequantise(quantise(model.state_dict(), clip=clip)))
        drift[clip] = float(np.abs(scores(rounded) - before).mean())
        report(f"clip {clip}: scores drift by {drift[clip]:.4f} on average")
    return min(drift, key=drift.__getitem__)


def load_dequantised(folder: Path) -> PreTrainedModel:
    """Build the float32 model that a checkpoint folder stands for, whether quantised or not.

    Raises:
        OSError: a file of the checkpoint is missing.
    """
    fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    fields.pop("quantization_config", None)
    heads = {head.__name__: head for head in HEADS}
    model: PreTrainedModel = heads[fields["architectures"][0]](BertConfig(**fields))
    model.load_state_dict(dequantise(load_file(folder / "model.safetensors")))
    return model
