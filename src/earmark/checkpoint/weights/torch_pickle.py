"""Reads `pytorch_model.bin`, as `torch.save` writes it, without torch or running the pickle.

There are two forms. Since torch 1.6 a file is a zip archive: ``data.pkl`` lists the tensors, and
each storage is a record beside it, mapped into memory if it is not compressed. Before, it was a
sequence of pickles, followed by the raw bytes of the storages.

Upstream: torch 2.13.0, torch/serialization.py, `_save`, `_load`, `_legacy_save`, `_legacy_load`.
"""

import mmap
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from earmark.checkpoint.weights.pickle_machine import LARGEST_PICKLE, PickleRefused, read_pickle
from earmark.checkpoint.weights.tensor_source import Shape, TensorSource
from earmark.checkpoint.weights.torch_tensors import (
    BUILDERS,
    STORAGE_NAMES,
    Bytes,
    Storage,
    TorchTensor,
    storage_of,
    view,
)
from earmark.errors import InvalidCheckpoint

ZIP_MAGIC = b"PK\x03\x04"
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001

LOCAL_HEADER = struct.Struct("<4s22xHH")
"""A zip record's own header: its signature, then the lengths of its name and its extra field.
APPNOTE.TXT 6.3.10, section 4.3.7."""
LEGACY_SIZE = struct.Struct("<q")
"""The number of elements, before each storage of the legacy form."""
ENCRYPTED = 1
BOMB_BYTES, BOMB_RATIO = 1 << 26, 100
"""A record that unpacks to more than both limits is a zip bomb: weights hardly compress."""

_DAMAGE = (
    OSError,
    ValueError,
    RuntimeError,  # raised by zipfile for encryption and for unknown compression
    OverflowError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)
"""The errors that reading a damaged archive is known to raise."""


class _Storages(Protocol):
    """Where a file keeps the bytes of its storages."""

    @property
    def big_endian(self) -> bool:
        """Whether the highest byte of a number comes first."""
        ...

    def check(self, storage: Storage) -> None:
        """Raise `PickleRefused` if the file lacks the storage or has it in another size."""
        ...

    def read(self, storage: Storage) -> Bytes:
        """Return the bytes of a storage."""
        ...


class _TorchFile:
    """The tensors of a file, over its storages."""

    def __init__(self, path: Path, tensors: Mapping[str, TorchTensor], storages: _Storages) -> None:
        self._path = path
        self._tensors = tensors
        self._storages: _Storages | None = storages

    def shapes(self) -> Mapping[str, Shape]:
        return {name: tensor.shape for name, tensor in self._tensors.items()}

    def dtype(self, name: str) -> str:
        return self._tensors[name].storage.dtype

    def read(self, name: str) -> NDArray[np.generic]:
        tensor = self._tensors[name]
        if self._storages is None:
            raise ValueError(f"{self._path} is closed")
        try:
            stored = self._storages.read(tensor.storage)
            return np.array(view(tensor, stored, big_endian=self._storages.big_endian), order="C")
        except (PickleRefused, MemoryError, *_DAMAGE) as error:
            raise InvalidCheckpoint(
                f"{self._path}: tensor {name} cannot be read: {error}"
            ) from error

    def close(self) -> None:
        self._storages = None


def open_torch_pickle(path: Path) -> TensorSource:
    """Open a file of `torch.save`, in either form; its pickle is read and never run.

    Raises:
        InvalidCheckpoint: the file is damaged or cut short, holds anything but named tensors, or
            its pickle names something that reading weights does not need; the message names it.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            # Two maps: this one has `read` and `seek` for pickles, NumPy's outlives the `with`.
            mapped: Bytes = np.memmap(path, np.uint8, mode="r")
            zipped = data[: len(ZIP_MAGIC)] == ZIP_MAGIC
            found, storages = _open_zip(file, mapped) if zipped else _open_legacy(data, mapped)
        tensors = _named_tensors(found)
        for name, tensor in tensors.items():
            _check(name, tensor, storages)
    except PickleRefused as refused:
        raise InvalidCheckpoint(f"{path} cannot be read as weights: {refused}") from refused
    except _DAMAGE as error:
        raise InvalidCheckpoint(f"{path} cannot be read as a file of torch: {error}") from error
    return _TorchFile(path, tensors, storages)


def _named_tensors(found: object) -> dict[str, TorchTensor]:
    """Check that the outermost value of a pickle is a dictionary of tensors."""
    if not isinstance(found, dict):
        raise PickleRefused(f"it holds a {type(found).__name__}, expected tensors by name")
    tensors = {str(name): tensor for name, tensor in found.items()}
    for name, tensor in tensors.items():
        if not isinstance(tensor, TorchTensor):
            raise PickleRefused(f"{name[:100]!r} in it is a {type(tensor).__name__}, not a tensor")
    return tensors


def _check(name: str, tensor: TorchTensor, storages: _Storages) -> None:
    try:
        storages.check(tensor.storage)
    except PickleRefused as refused:
        raise PickleRefused(f"tensor {name}: {refused}") from refused


def _read_state(file: mmap.mmap | BytesIO) -> object:
    words = frozenset(STORAGE_NAMES)
    return read_pickle(file, builders=BUILDERS, words=words, persistent=storage_of)


@dataclass(frozen=True, slots=True)
class _ZipRecords:
    """The records of an archive; none is ever unpacked to a file, whatever its name."""

    mapped: Bytes
    folder: str
    records: Mapping[str, zipfile.ZipInfo]
    big_endian: bool

    def check(self, storage: Storage) -> None:
        name = f"{self.folder}data/{storage.key}"
        record = self.records.get(name)
        if record is None:
            raise PickleRefused(f"the archive has no record {name!r}")
        if record.file_size != storage.whole_bytes:
            raise PickleRefused(
                f"record {name!r} has {record.file_size} bytes, expected {storage.whole_bytes}"
            )
        if record.flag_bits & ENCRYPTED:
            raise PickleRefused(f"record {name!r} is encrypted")
        if record.file_size > max(BOMB_BYTES, BOMB_RATIO * record.compress_size):
            raise PickleRefused(
                f"record {name!r} unpacks from {record.compress_size} bytes to {record.file_size}"
            )

    def read(self, storage: Storage) -> Bytes:
        record = self.records[f"{self.folder}data/{storage.key}"]
        packed = self._packed(record)
        if record.compress_type == zipfile.ZIP_STORED:
            return packed
        if record.compress_type != zipfile.ZIP_DEFLATED:
            raise ValueError(f"record {record.filename!r} is compressed in an unknown way")
        unpacked = zlib.decompressobj(-zlib.MAX_WBITS).decompress(
            packed.tobytes(), record.file_size
        )
        if len(unpacked) != record.file_size or zlib.crc32(unpacked) != record.CRC:
            raise ValueError(f"record {record.filename!r} is damaged")
        return np.frombuffer(unpacked, np.uint8)

    def _packed(self, record: zipfile.ZipInfo) -> Bytes:
        """Find a record's bytes after its own header, whose length the directory leaves out."""
        start = record.header_offset
        header = self.mapped[start : start + LOCAL_HEADER.size].tobytes()
        mark, name_bytes, extra_bytes = LOCAL_HEADER.unpack(header)
        start += LOCAL_HEADER.size + name_bytes + extra_bytes
        packed = self.mapped[start : start + record.compress_size]
        if mark != ZIP_MAGIC or len(packed) != record.compress_size:
            raise ValueError(f"record {record.filename!r} is cut short")
        return packed


def _open_zip(file: BinaryIO, mapped: Bytes) -> tuple[object, _ZipRecords]:
    with zipfile.ZipFile(file) as archive:
        records = {record.filename: record for record in archive.infolist()}
        pickles = [name for name in records if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(pickles) != 1:
            raise PickleRefused("the archive has no data.pkl of torch, or several")
        folder = pickles[0].removesuffix("data.pkl")
        order = _small(archive, records.get(f"{folder}byteorder"), default=b"little")
        if order not in {b"little", b"big"}:
            raise PickleRefused(f"its byte order is {order[:20]!r}, expected little or big")
        pickled = _small(archive, records[pickles[0]])
    return (
        _read_state(BytesIO(pickled)),
        _ZipRecords(mapped, folder, records, big_endian=order == b"big"),
    )


def _small(
    archive: zipfile.ZipFile, record: zipfile.ZipInfo | None, *, default: bytes = b""
) -> bytes:
    """Read a whole record; refuse one that unpacks to more than a pickle of weights may."""
    if record is None:
        return default
    if record.file_size > LARGEST_PICKLE:
        raise PickleRefused(f"record {record.filename!r} is larger than {LARGEST_PICKLE} bytes")
    with archive.open(record) as stream:
        return stream.read()


@dataclass(frozen=True, slots=True)
class _LegacyStorages:
    """The raw storages after the pickles: for each, its number of elements, then its bytes."""

    mapped: Bytes
    starts: Mapping[str, int]
    # Big-endian machines wrote little-endian numbers too.
    big_endian: bool = False

    def check(self, storage: Storage) -> None:
        start = self.starts.get(storage.key)
        if start is None:
            raise PickleRefused(f"the file has no storage {storage.key!r}")
        (found,) = LEGACY_SIZE.unpack(self.mapped[start - LEGACY_SIZE.size : start].tobytes())
        if found != storage.whole:
            raise PickleRefused(
                f"storage {storage.key!r} has {found} elements, expected {storage.whole}"
            )

    def read(self, storage: Storage) -> Bytes:
        start = self.starts[storage.key]
        return self.mapped[start : start + storage.whole_bytes]


def _open_legacy(data: mmap.mmap, mapped: Bytes) -> tuple[object, _LegacyStorages]:
    """Read the pickles: a magic number, a version, facts of the machine, tensors, keys."""
    if _read_state(data) != LEGACY_MAGIC or _read_state(data) != LEGACY_PROTOCOL:
        raise PickleRefused("it is a pickle, but none that torch.save wrote")
    _read_state(data)
    referred: dict[str, Storage] = {}

    def refer(reference: object) -> Storage:
        storage = storage_of(reference)
        known = referred.setdefault(storage.key, storage)
        if (known.dtype, known.whole) != (storage.dtype, storage.whole):
            raise PickleRefused(f"its pickle describes storage {storage.key!r} in two ways")
        return storage

    words = frozenset(STORAGE_NAMES)
    found = read_pickle(data, builders=BUILDERS, words=words, persistent=refer)
    keys = _read_state(data)
    starts: dict[str, int] = {}
    position = data.tell()
    for key in keys if isinstance(keys, list) else [None]:
        if not isinstance(key, str) or key not in referred or key in starts:
            raise PickleRefused("its list of storages is not that of its tensors")
        starts[key] = position + LEGACY_SIZE.size
        position = starts[key] + referred[key].whole_bytes
        if position > len(data):
            raise PickleRefused(f"it is cut short: storage {key!r} ends at byte {position}")
    return found, _LegacyStorages(mapped, starts)
