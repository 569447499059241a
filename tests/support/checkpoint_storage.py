"""How a tiny checkpoint's tensors lie in `model.safetensors`.

The file is written here, byte by byte, and not by the library: NumPy has no bfloat16, and the
golden files hold a hash of it that no release of a library may change.
Format: https://github.com/huggingface/safetensors#format
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from support.checkpoint_spec import CheckpointSpec, Storage
from support.checkpoint_weights import plan_tensors, seeded_values

Float32: TypeAlias = NDArray[np.float32]

TABLES = ("embeddings.", "embed_positions.")
"""What stands in the names of tables that stay float, word embeddings excepted."""
INT8_TOP = 127
"""Symmetric: -128 is not used."""


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor as the file holds it.

    Attributes:
        dtype: the file's own name for the type, such as ``BF16``.
        shape: its axes.
        data: little-endian, row by row.
    """

    dtype: str
    shape: tuple[int, ...]
    data: bytes


def store_tensors(spec: CheckpointSpec) -> dict[str, StoredTensor]:
    """Make every tensor of the checkpoint in the type and under the name the spec asks for."""
    stored: dict[str, StoredTensor] = {}
    for tensor in plan_tensors(spec):
        name = _styled(tensor.name, spec)
        values = seeded_values(tensor, spec.seed)
        if spec.storage == "int8" and _is_quantised(tensor.name, values):
            stored |= _int8(name, values)
        else:
            stored[name] = _floats(values, spec.storage)
    if spec.architecture == "bart":
        stored = _with_word_tables(stored, spec)
    if spec.weight_names == "gamma-beta":
        positions = np.arange(spec.max_positions, dtype="<i8").reshape(1, -1)
        name = f"{spec.prefix}.embeddings.position_ids"
        stored[name] = StoredTensor("I64", positions.shape, positions.tobytes())
    return stored


def _with_word_tables(
    stored: dict[str, StoredTensor], spec: CheckpointSpec
) -> dict[str, StoredTensor]:
    """Put the word embeddings of a BART under the names that the spec asks for."""
    shared, decoders = "model.shared.weight", "model.decoder.embed_tokens.weight"
    match spec.bart.tables:
        case "shared" | "untied":
            return stored
        case "decoder":
            return {decoders if name == shared else name: one for name, one in stored.items()}
        case "all":
            names = ("model.encoder.embed_tokens.weight", decoders)
            version = _floats(np.asarray([3.0], np.float32), "float32")
            strays = {"model.encoder.version": version, "model.decoder.version": version}
            return stored | dict.fromkeys(names, stored[shared]) | strays


def write_safetensors(path: Path, tensors: Mapping[str, StoredTensor]) -> None:
    """Write the file."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + len(tensor.data)
        offsets = [offset, end]
        header[name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": offsets}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors start at a multiple of eight
    body = b"".join(tensor.data for tensor in tensors.values())
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)


def _styled(name: str, spec: CheckpointSpec) -> str:
    match spec.weight_names:
        case "current":
            return name
        case "gamma-beta":
            gamma = name.replace("LayerNorm.weight", "LayerNorm.gamma")
            return gamma.replace("LayerNorm.bias", "LayerNorm.beta")
        case "no-prefix":
            return name.removeprefix(f"{spec.prefix}.")


def _is_quantised(name: str, values: Float32) -> bool:
    """Return whether a tensor is a Linear layer's matrix or the word embeddings."""
    if values.ndim != 2:
        return False
    return "word_embeddings" in name or not any(one in name for one in TABLES)


def _int8(name: str, values: Float32) -> dict[str, StoredTensor]:
    """Quantise a matrix row by row: int8 ``[out, in]`` and float32 scales ``[out, 1]``."""
    scale = np.abs(values).max(axis=1, keepdims=True) / np.float32(INT8_TOP)
    whole = np.rint(values / scale).astype(np.int8)
    return {
        name: StoredTensor("I8", whole.shape, whole.tobytes()),
        f"{name}_scale": _floats(scale, "float32"),
    }


def _floats(values: Float32, storage: Storage) -> StoredTensor:
    match storage:
        case "float16":
            return StoredTensor("F16", values.shape, values.astype("<f2").tobytes())
        case "bfloat16":
            return StoredTensor("BF16", values.shape, _bfloat16(values))
        case "float32" | "int8":
            return StoredTensor("F32", values.shape, values.astype("<f4").tobytes())


def _bfloat16(values: Float32) -> bytes:
    """Keep the upper half of each float32, rounded to the nearest, ties to even."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> 16) & np.uint32(1))
    return (rounded >> 16).astype("<u2").tobytes()
