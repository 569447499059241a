"""Compiled models on disk, so that a second start need not read, write and compile a graph again.

One file for each, in a folder that belongs to the server's user alone: what is in it goes into
native code as it is.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
import structlog

__all__ = ["CompiledModels", "KeptFacts", "KeptModel"]

_BLOB: Final = ".blob"
_FACTS: Final = ".json"
_WRITING: Final = "writing-"
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
    """

    parameters: int
    unread: tuple[str, ...]
    blob_bytes: int


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model that was compiled by an earlier load.

    Attributes:
        blob: what the runtime made of it.
        facts: what the load learned.
    """

    blob: Path
    facts: KeptFacts


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
        return KeptModel(blob, facts)

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
            size = written[0].stat().st_size
            facts = KeptFacts(parameters=parameters, unread=unread, blob_bytes=size)
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
        for path in (kept.blob.with_suffix(_FACTS), kept.blob):
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
                self.forget(KeptModel(blob, KeptFacts(parameters=0, unread=(), blob_bytes=size)))
