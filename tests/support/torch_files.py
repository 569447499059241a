"""Files of `torch.save`, in both forms, without torch.

Upstream: torch 2.13.0, torch/serialization.py, `_save` and `_legacy_save`.
"""

import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.pickle_assembly import Call, Member, Persistent, assemble

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"long": 4}}

STORAGE_TYPES = {
    "F64": "DoubleStorage",
    "F32": "FloatStorage",
    "F16": "HalfStorage",
    "BF16": "BFloat16Storage",
    "I64": "LongStorage",
    "I32": "IntStorage",
    "I16": "ShortStorage",
    "I8": "CharStorage",
    "U8": "ByteStorage",
    "BOOL": "BoolStorage",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidTensor:
    """A tensor as it lies in a storage; offset and strides count elements.

    Attributes:
        part: first element and number of elements of the storage within the one of that key.
    """

    key: str
    dtype: str
    stored: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    part: tuple[int, int] | None = None


def tensor_call(tensor: LaidTensor) -> Call:
    """Write the call that makes a tensor."""
    kind = Member("torch", STORAGE_TYPES[tensor.dtype])
    part = None if tensor.part is None else ("part", *tensor.part)
    # Only the legacy form has a sixth entry.
    tail = () if part is None else (part,)
    storage = Persistent(("storage", kind, tensor.key, "cpu", tensor.stored, *tail))
    hooks = Call(Member("collections", "OrderedDict"))
    made = (storage, tensor.offset, tensor.shape, tensor.strides, False, hooks)
    return Call(Member("torch._utils", "_rebuild_tensor_v2"), made)


def state_of(tensors: Mapping[str, LaidTensor]) -> bytes:
    """Pickle tensors by name."""
    return assemble({name: tensor_call(tensor) for name, tensor in tensors.items()})


def write_zip(
    path: Path,
    pickled: bytes,
    storages: Mapping[str, bytes],
    *,
    deflated: bool = False,
    order: str | None = "little",
) -> Path:
    """Write the form of torch 1.6 and later.

    Args:
        path: the file.
        pickled: ``data.pkl``.
        storages: bytes by key.
        deflated: whether the records are compressed; torch never does it.
        order: the record ``byteorder``; None leaves it out, as torch before 2.1 did.
    """
    kind = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("archive/data.pkl", pickled)
        if order is not None:
            archive.writestr("archive/byteorder", order)
        for key, stored in storages.items():
            archive.writestr(f"archive/data/{key}", stored)
        archive.writestr("archive/version", "3\n")
    return path


def write_legacy(
    path: Path, pickled: bytes, storages: Mapping[str, tuple[int, bytes]], **instead: bytes
) -> Path:
    """Write the form before torch 1.6.

    Args:
        path: the file.
        pickled: the pickle of the tensors.
        storages: number of elements and bytes, by key.
        instead: pickles to write in place of ``magic``, ``protocol``, ``system`` or ``keys``.
    """
    pickles = {
        "magic": assemble(LEGACY_MAGIC),
        "protocol": assemble(LEGACY_PROTOCOL),
        "system": assemble(SYSTEM),
        "state": pickled,
        "keys": assemble(list(storages)),
        **instead,
    }
    raw = b"".join(struct.pack("<q", count) + stored for count, stored in storages.values())
    path.write_bytes(b"".join(pickles.values()) + raw)
    return path
