"""Keeps compiled models on disk, so that a second start need not write and compile the graph.

Each is a file in a folder that only the server's user may access, since native code uses it
unchecked. Against damage, a file is read into our own memory, where it cannot be cut short, and
used only if its checksum matches. While a process starts a kept model, the model is marked: if the
process dies, the mark remains, and the next process compiles again.
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

_BLOB: Final = ".blob"
_FACTS: Final = ".json"
_WRITING: Final = "writing-"
_TAKEN_UP: Final = ".taken-up"
"""Ending of the mark's name; each process that starts a kept model locks the mark. Process ids
would not work: in a container the next process often has the same one."""
_PIECE: Final = 64 * 1024 * 1024
"""Size of a piece in bytes; several pieces are read and summed in parallel."""
_READERS: Final = 4
_BLOCK: Final = 1024 * 1024
_WORD: Final = np.dtype("<u8")
_LARGEST_SUM: Final = (1 << 64) - 1
_WRITTEN_BY_OTHERS: Final = 0o022
_STALE_AFTER_S: Final = 24 * 3600
"""Longest time to write a model; after that, the process that began has died."""

LEAST_BYTES: Final = 64 * 1024 * 1024
"""Smaller models are compiled about as fast as a kept one is started."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.runtime")


class KeptFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about a kept model.

    Attributes:
        parameters: how many weights it has.
        unread: tensors of the checkpoint that its architecture does not use.
        blob_bytes: size of the compiled file; a file of another size is incomplete.
        sums: checksum of each piece of the file, from `_sum`.
        answers: what the model answered when it was kept, to compare with after a start.
    """

    parameters: int
    unread: tuple[str, ...]
    blob_bytes: int
    sums: tuple[int, ...]
    answers: bytes


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model that an earlier load compiled.

    Attributes:
        blob: the compiled file.
        facts: facts about it.
    """

    blob: Path
    facts: KeptFacts

    def read(self) -> NDArray[np.uint8]:
        """Read the model into our own memory.

        Raises:
            EngineError: it cannot be read, or is damaged.
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
        """Mark the model while a process starts it; the mark remains if the process dies."""
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
        """Whether a process died while it started the model: there is a mark without a lock."""
        try:
            with self.blob.with_suffix(_TAKEN_UP).open("rb") as mark:
                return _lock(mark.fileno(), alone=True)
        except OSError:  # there is no mark
            return False


class CompiledModels:
    """The folder of compiled models; safe to use from several threads and processes.

    If the folder cannot be used, a warning is logged and models are compiled again.
    """

    def __init__(
        self, folder: Path, *, most_bytes: int, least_weights_bytes: int = LEAST_BYTES
    ) -> None:
        """Use a folder, which is created when there is something to keep.

        Args:
            folder: its path.
            most_bytes: limit of all files together; those used longest ago are removed. 0 keeps
                none.
            least_weights_bytes: size of the smallest weights of a model that is kept.
        """
        self._folder, self._most = folder, most_bytes
        self._least = least_weights_bytes

    def find(self, key: str) -> KeptModel | None:
        """Return a completely kept model; None if there is none."""
        blob, facts_file = self._folder / (key + _BLOB), self._folder / (key + _FACTS)
        try:
            if not _is_ours_alone(self._folder):
                _log.warning(
                    "compiled models are not used: others can write to their folder",
                    folder=str(self._folder),
                )
                return None
            facts = msgspec.json.decode(facts_file.read_bytes(), type=KeptFacts)
            if blob.stat().st_size != facts.blob_bytes:
                return None
            os.utime(facts_file)  # records when it was last used
        except (OSError, msgspec.MsgspecError):  # missing, or no permission to read it
            return None
        kept = KeptModel(blob, facts)
        if kept.killed:
            _log.warning("a process ended while it took up a compiled model", file=str(blob))
            self.forget(kept)
            return None
        return kept

    @contextmanager
    def scratch(self, weights_bytes: int) -> Iterator[Path | None]:
        """Create a folder for a compiled model, and remove it when the context ends.

        Args:
            weights_bytes: size of the model's weights; the compiled model is about as large.

        Yields:
            The folder, or None if the model should not or cannot be kept.
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
        """Keep the file that the runtime wrote, if it is a single one, and make room for it.

        Args:
            key: key for `find`.
            scratch: folder from `scratch`.
            parameters: as in `KeptFacts`.
            unread: as in `KeptFacts`.
            answers: as in `KeptFacts`.
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
            # The facts last: a model counts only with them.
            (scratch / _FACTS).write_bytes(msgspec.json.encode(facts))
            os.replace(written[0], self._folder / (key + _BLOB))  # noqa: PTH105 - the atomic one
            os.replace(scratch / _FACTS, self._folder / (key + _FACTS))  # noqa: PTH105 - the same
        except OSError as error:
            _log.warning("a compiled model cannot be kept", error=str(error))
            return
        self._make_room()

    def forget(self, kept: KeptModel) -> None:
        """Remove a model that turned out to be unusable."""
        self._forget(kept.blob)

    def _forget(self, blob: Path) -> None:
        for path in (blob.with_suffix(_FACTS), blob, blob.with_suffix(_TAKEN_UP)):
            with contextlib.suppress(OSError):  # missing, or mapped by another process on Windows
                path.unlink()

    def _make_room(self) -> None:
        """Remove what dead processes left, then the models used longest ago."""
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


def _is_ours_alone(folder: Path) -> bool:
    """Return whether only this user, or root, can put a file into a folder.

    Raises:
        OSError: it is not there.
    """
    if sys.platform == "win32":
        return True
    found = folder.stat()
    return found.st_uid in (0, os.geteuid()) and not found.st_mode & _WRITTEN_BY_OTHERS


def _read(file: Path) -> tuple[NDArray[np.uint8], tuple[int, ...]]:
    """Read a file, and return it with the sum of each of its pieces in memory.

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
    """Return the sum of each piece of a file, without holding the file in memory.

    Raises:
        OSError: as for `_read`.
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
    """Return the sum of a piece's words of eight bytes, modulo 2^64.

    Any change of a single word changes it, and it takes a third of the time of a CRC-32: no more
    than reading the memory takes.
    """
    whole = len(piece) - len(piece) % _WORD.itemsize
    total = int(np.frombuffer(piece[:whole], _WORD).sum(dtype=_WORD))
    return (total + int.from_bytes(piece[whole:], "little")) & _LARGEST_SUM


def _each_piece(read: Callable[[int], int], size: int) -> tuple[int, ...]:
    with ThreadPoolExecutor(_READERS) as readers:
        return tuple(readers.map(read, range(0, size, _PIECE)))


def _fill(view: memoryview, opened: FileIO) -> None:
    """Read from a file until a memory view is full.

    Raises:
        OSError: the file ends before that.
    """
    done = 0
    while done < len(view):
        count = opened.readinto(view[done:])
        if not count:
            raise OSError("it is shorter than it was")
        done += count


def _lock(file: int, *, alone: bool) -> bool:
    """Lock a file until it is closed, which the system does if the process dies.

    Args:
        file: its descriptor.
        alone: whether the lock is exclusive; else it is shared.

    Returns:
        Whether it is locked: not if another lock prevents it, or if the system has no locks.
    """
    if sys.platform == "win32":
        return False
    import fcntl  # noqa: PLC0415 - not on Windows

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
    except OSError:
        return False
    return True
