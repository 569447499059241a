"""Compiled models on disk, so that a second start need not read, write and compile a graph again.

One file for each, in a folder that belongs to the server's user alone: what is in it goes into
native code as it is. So that damage never gets there, a file is read into memory of our own, where
nobody can cut it short, and used only where its checksum is as it was written. It is marked while
it is taken up: a process that dies over it leaves the mark, and the next one compiles anew.
"""

import contextlib
import os
import shutil
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
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
"""Ends the name of the mark, which holds the id of the process that takes a model up."""
_PIECE: Final = 64 * 1024 * 1024
"""Bytes that are read and summed at once, several side by side."""
_READERS: Final = 4
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
        sums: CRC-32 of each piece of it, against damage.
    """

    parameters: int
    unread: tuple[str, ...]
    blob_bytes: int
    sums: tuple[int, ...]


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
        with contextlib.suppress(OSError):
            mark.write_text(str(os.getpid()), "ascii")
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                mark.unlink()

    @property
    def killed(self) -> bool:
        """Whether a process has died while it took the model up."""
        try:
            process = int(self.blob.with_suffix(_TAKEN_UP).read_text("ascii"))
        except (OSError, ValueError):
            return False
        return process != os.getpid() and not _is_alive(process)


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
            _log.warning("a compiled model has ended the process that took it up", file=str(blob))
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

    def keep(self, key: str, scratch: Path, *, parameters: int, unread: tuple[str, ...]) -> None:
        """Keep what the runtime wrote, if it wrote one file, and make room for it.

        Args:
            key: to find it by.
            scratch: from `scratch`.
            parameters: as in `KeptFacts`.
            unread: the same.
        """
        written = [one for one in scratch.iterdir() if one.suffix == _BLOB]
        if len(written) != 1:
            return
        try:
            content, sums = _read(written[0])
            facts = KeptFacts(
                parameters=parameters, unread=unread, blob_bytes=len(content), sums=sums
            )
            del content
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
        for path in (kept.blob.with_suffix(_FACTS), kept.blob, kept.blob.with_suffix(_TAKEN_UP)):
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
                facts = KeptFacts(parameters=0, unread=(), blob_bytes=size, sums=())
                self.forget(KeptModel(blob, facts))


def _read(file: Path) -> tuple[NDArray[np.uint8], tuple[int, ...]]:
    """Read a file, and the CRC-32 of each of its pieces as they stand in memory then.

    Raises:
        OSError: it cannot be read, or became shorter meanwhile.
    """
    content = np.empty(file.stat().st_size, np.uint8)
    places = range(0, len(content), _PIECE)

    def read(place: int) -> int:
        piece = content.data[place : place + _PIECE]
        with file.open("rb", buffering=0) as opened:
            opened.seek(place)
            done = 0
            while done < len(piece):
                count = opened.readinto(piece[done:])
                if not count:
                    raise OSError("it is shorter than it was")
                done += count
        return zlib.crc32(piece)

    with ThreadPoolExecutor(_READERS) as readers:
        return content, tuple(readers.map(read, places))


def _is_alive(process: int) -> bool:
    if os.name != "posix":  # there, the question would end it
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True
