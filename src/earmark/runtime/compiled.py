"""Compiled models on disk, so that a second start need not read, write and compile a graph again.

One file for each, in a folder that belongs to the server's user alone: what is in it goes into
native code as it is. So that damage never gets there, a file is read into memory of our own, where
nobody can cut it short, and used only where its checksum is as it was written. It is marked while
it is taken up: a process that dies over it leaves the mark, and the next one compiles anew.
"""

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from earmark.errors import EngineError

__all__ = ["CompiledModels", "KeptFacts", "KeptModel"]

_BLOB: Final = ".blob"
_FACTS: Final = ".json"
_WRITING: Final = "writing-"
_TAKEN_UP: Final = ".taken-up"
"""Ends the name of the mark, which each process that takes a model up has locked. Ids of processes
would not do: in a container the next one often has the same."""
_PIECE: Final = 64 * 1024 * 1024
"""Bytes that are read and summed at once, several side by side."""
_READERS: Final = 4
_BLOCK: Final = 1024 * 1024
_WORD: Final = np.dtype("<u8")
_LARGEST_SUM: Final = (1 << 64) - 1
_STALE_AFTER_S: Final = 24 * 3600
"""No model takes so long to write: the process that began it has died."""

LEAST_BYTES: Final = 64 * 1024 * 1024
"""Smaller models are read and compiled about as quickly as a kept one is taken up."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.runtime")


class KeptFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned of a model when its weights were read.

    Attributes:
        parameters: how many weights it has.
        unread: tensors of the checkpoint that its architecture does not use.
        blob_bytes: size of the file beside; another size is half a file.
        sums: of each piece of it, from `_sum`, against damage.
        answers: what the model answered when it was kept, for whoever takes it up to compare.
    """

    parameters: int
    unread: tuple[str, ...]
    blob_bytes: int
    sums: tuple[int, ...]
    answers: bytes


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model that was compiled by an earlier load.

    Attributes:
        blob: what the runtime made of it.
        facts: what the load learned.
    """

    blob: Path
    facts: KeptFacts

    def read(self) -> NDArray[np.uint8]:
        """Read the model into memory of our own.

        Raises:
            EngineError: it cannot be read, or is not what was written.
        """
        try:
            content, sums = _read(self.blob)
        except OSError as error:
            raise EngineError(f"{self.blob} cannot be read: {error}") from error
        if sums != self.facts.sums:
            raise EngineError(f"{self.blob} is damaged: its checksum is not the one it had")
        return content

    @contextmanager
    def taken_up(self) -> Iterator[None]:
        """Mark the model as being taken up; a process that dies over it leaves the mark."""
        mark = self.blob.with_suffix(_TAKEN_UP)
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):
                opened = stack.enter_context(mark.open("ab"))
                _lock(opened.fileno(), alone=False)
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    mark.unlink()

    @property
    def killed(self) -> bool:
        """Whether a process has died while it took the model up: its lock on the mark is gone."""
        try:
            with self.blob.with_suffix(_TAKEN_UP).open("rb") as mark:
                return _lock(mark.fileno(), alone=True)
        except OSError:  # there is none
            return False


class CompiledModels:
    """The folder; safe to use from several threads and processes.

    A folder that cannot be used costs a line in the log, and the time to compile again.
    """

    def __init__(
        self, folder: Path, *, most_bytes: int, least_weights_bytes: int = LEAST_BYTES
    ) -> None:
        """Use a folder, made when there is something to keep.

        Args:
            folder: where.
            most_bytes: of all files together; those used longest ago make room. 0 keeps none.
            least_weights_bytes: of a model's weights; smaller ones are not kept.
        """
        self._folder, self._most = folder, most_bytes
        self._least = least_weights_bytes

    def find(self, key: str) -> KeptModel | None:
        """Return a model that was kept whole; None where there is none."""
        blob, facts_file = self._folder / (key + _BLOB), self._folder / (key + _FACTS)
        try:
            facts = msgspec.json.decode(facts_file.read_bytes(), type=KeptFacts)
            if blob.stat().st_size != facts.blob_bytes:
                return None
            os.utime(facts_file)  # used now
        except (OSError, msgspec.MsgspecError):  # not there, or not ours to read
            return None
        kept = KeptModel(blob, facts)
        if kept.killed:
            _log.warning("a process ended while it took up a compiled model", file=str(blob))
            self.forget(kept)
            return None
        return kept

    @contextmanager
    def scratch(self, weights_bytes: int) -> Iterator[Path | None]:
        """Offer a folder for the runtime to write a compiled model into, gone with the context.

        Args:
            weights_bytes: of the model; a compiled one is about as large.

        Yields:
            The folder, or None where the model is not to be kept, or cannot be.
        """
        scratch = None
        if self._least <= weights_bytes <= self._most:
            try:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                if shutil.disk_usage(self._folder).free > 2 * weights_bytes:
                    scratch = TemporaryDirectory(dir=self._folder, prefix=_WRITING)
                else:
                    _log.info("no room to keep a compiled model", folder=str(self._folder))
            except OSError as error:
                _log.warning("compiled models cannot be kept", error=str(error))
        try:
            yield None if scratch is None else Path(scratch.name)
        finally:
            if scratch is not None:
                scratch.cleanup()

    def keep(
        self, key: str, scratch: Path, *, parameters: int, unread: tuple[str, ...], answers: bytes
    ) -> None:
        """Keep what the runtime wrote, if it wrote one file, and make room for it.

        Args:
            key: to find it by.
            scratch: from `scratch`.
            parameters: as in `KeptFacts`.
            unread: the same.
            answers: the same.
        """
        written = [one for one in scratch.iterdir() if one.suffix == _BLOB]
        if len(written) != 1:
            return
        try:
            facts = KeptFacts(
                parameters=parameters,
                unread=unread,
                blob_bytes=written[0].stat().st_size,
                sums=_sums(written[0]),
                answers=answers,
            )
            # The facts last: without them there is no model.
            (scratch / _FACTS).write_bytes(msgspec.json.encode(facts))
            os.replace(written[0], self._folder / (key + _BLOB))  # noqa: PTH105 - the atomic one
            os.replace(scratch / _FACTS, self._folder / (key + _FACTS))  # noqa: PTH105 - the same
        except OSError as error:
            _log.warning("a compiled model cannot be kept", error=str(error))
            return
        self._make_room()

    def forget(self, kept: KeptModel) -> None:
        """Take a model away that turned out to be of no use."""
        self._forget(kept.blob)

    def _forget(self, blob: Path) -> None:
        for path in (blob.with_suffix(_FACTS), blob, blob.with_suffix(_TAKEN_UP)):
            with contextlib.suppress(OSError):  # gone, or mapped by another process on Windows
                path.unlink()

    def _make_room(self) -> None:
        """Take away what a process that died left, then what was used longest ago."""
        for folder in self._folder.glob(_WRITING + "*"):
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > _STALE_AFTER_S:
                    shutil.rmtree(folder, ignore_errors=True)
        left = self._most
        found = []
        with contextlib.suppress(OSError):
            for facts_file in self._folder.glob("*" + _FACTS):
                with contextlib.suppress(OSError):
                    blob = facts_file.with_suffix(_BLOB)
                    found.append((facts_file.stat().st_mtime_ns, blob.stat().st_size, blob))
        for _, size, blob in sorted(found, reverse=True):
            left -= size
            if left < 0:
                self._forget(blob)


def _read(file: Path) -> tuple[NDArray[np.uint8], tuple[int, ...]]:
    """Read a file, and the sum of each of its pieces as they stand in memory then.

    Raises:
        OSError: it cannot be read, or became shorter meanwhile.
    """
    content = np.empty(file.stat().st_size, np.uint8)

    def read(place: int) -> int:
        piece = content.data[place : place + _PIECE]
        with file.open("rb", buffering=0) as opened:
            opened.seek(place)
            _fill(piece, opened)
        return _sum(piece)

    return content, _each_piece(read, len(content))


def _sums(file: Path) -> tuple[int, ...]:
    """Read the sum of each piece of a file, which is not held in memory for it.

    Raises:
        OSError: as of `_read`.
    """
    size = file.stat().st_size

    def read(place: int) -> int:
        block, end, total = memoryview(bytearray(_BLOCK)), min(place + _PIECE, size), 0
        with file.open("rb", buffering=0) as opened:
            opened.seek(place)
            for start in range(place, end, _BLOCK):
                filled = block[: min(_BLOCK, end - start)]
                _fill(filled, opened)
                total += _sum(filled)
        return total & _LARGEST_SUM

    return _each_piece(read, size)


def _sum(piece: memoryview) -> int:
    """Add up a piece by words of eight bytes, modulo 2^64.

    No word can change without it, and it takes a third of the time of a CRC-32: as long as reading
    the memory takes.
    """
    whole = len(piece) - len(piece) % _WORD.itemsize
    total = int(np.frombuffer(piece[:whole], _WORD).sum(dtype=_WORD))
    return (total + int.from_bytes(piece[whole:], "little")) & _LARGEST_SUM


def _each_piece(read: Callable[[int], int], size: int) -> tuple[int, ...]:
    with ThreadPoolExecutor(_READERS) as readers:
        return tuple(readers.map(read, range(0, size, _PIECE)))


def _fill(view: memoryview, opened: FileIO) -> None:
    """Read until a place in memory is full.

    Raises:
        OSError: the file ends before.
    """
    done = 0
    while done < len(view):
        count = opened.readinto(view[done:])
        if not count:
            raise OSError("it is shorter than it was")
        done += count


def _lock(file: int, *, alone: bool) -> bool:
    """Lock a file until it is closed, which also a process that dies does.

    Args:
        file: its descriptor.
        alone: be the only one, or do without; else be one of several.

    Returns:
        Whether it is locked: not where another lock is in the way, or there are no locks.
    """
    if sys.platform == "win32":
        return False
    import fcntl  # noqa: PLC0415 - not on Windows

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
    except OSError:
        return False
    return True
