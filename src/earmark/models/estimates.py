"""How long it takes to fetch and to load a model, learned from earlier downloads and loads."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Final

import structlog

from earmark.checkpoint.ref import ModelRef
from earmark.database import open_database, reading_faults
from earmark.errors import StateUnavailable
from earmark.models.catalogue import KnownModel

_SCHEMA = """
CREATE TABLE IF NOT EXISTS load_times (
    model_id TEXT PRIMARY KEY,
    loads INTEGER NOT NULL,
    mean_s REAL NOT NULL
) STRICT
"""

_BYTES_LOADED_PER_S: Final = 20_000_000
"""earmark/sentiment, 23.6 MB, took 0.9 to 1.3 s on two shared cores of an AMD EPYC."""

_PROCESS_BYTES: Final = 150_000_000
"""An engine process with its libraries, and the scratch memory of its first batches."""

_BYTES_PER_WEIGHT_BYTE: Final = 1.25
"""A runtime keeps weights in a layout of its own, padded; embeddings stay as they are."""

_SHORTEST_S: Final = 1.0
"""No estimate is shorter: a caller must not hurry because an earlier estimate has run out."""

_MOST_LOADS_COUNTED: Final = 8
"""A machine that has changed is learned anew after about so many loads."""

_BYTES_FETCHED_PER_S: Final = 12_500_000.0
"""100 Mbit/s, until a download has shown what the network gives."""

_LEAST_BYTES: Final = 1_000_000
"""A smaller download takes as long as the answers' delay, whatever the pace."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.models")


def first_estimate_s(weights_bytes: int) -> float:
    """Estimate the load of a model that has never been loaded, in seconds."""
    return weights_bytes / _BYTES_LOADED_PER_S


def first_estimate_bytes(weights_bytes: int) -> int:
    """Estimate the memory of a model that has never been loaded, with that of its process."""
    return _PROCESS_BYTES + int(weights_bytes * _BYTES_PER_WEIGHT_BYTE)


def learned_s(mean_s: float, loads: int, took_s: float) -> float:
    """Return the mean of earlier loads with one more in it; old loads count ever less."""
    return mean_s + (took_s - mean_s) / min(loads + 1, _MOST_LOADS_COUNTED)


def remaining_s(expected_s: float, elapsed_s: float) -> float:
    """Return how long a load is likely to take from now, in seconds."""
    return max(expected_s - elapsed_s, _SHORTEST_S)


class LoadTimes:
    """The usual time of each model's load; safe to use from several threads.

    A file that cannot be used costs a warning in the log and nothing else: the times then last as
    long as the process.
    """

    def __init__(self, file: Path | None = None) -> None:
        """Read what earlier runs learned.

        Args:
            file: the server's database; not made before there is something to keep. None keeps
                nothing.
        """
        self._file = file
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, float]] = {}
        if file is not None and file.is_file():
            self._read(file)

    def mean_s(self, model_id: str) -> float | None:
        """Return how long the model usually takes; None where it was never loaded."""
        with self._lock:
            known = self._known.get(model_id)
        return None if known is None else known[1]

    def add(self, model_id: str, took_s: float) -> None:
        """Learn from one more load, and keep it."""
        with self._lock:
            loads, mean_s = self._known.get(model_id, (0, 0.0))
            learned = (loads + 1, learned_s(mean_s, loads, took_s))
            self._known[model_id] = learned
            if self._file is not None:
                self._write(self._file, model_id, *learned)

    def _read(self, file: Path) -> None:
        try:
            with _opened(file) as database, reading_faults(file):
                rows = database.execute("SELECT model_id, loads, mean_s FROM load_times")
                self._known = {model_id: (loads, mean_s) for model_id, loads, mean_s in rows}
        except StateUnavailable as error:
            _log.warning("load times of earlier runs cannot be read", error=str(error))

    def _write(self, file: Path, model_id: str, loads: int, mean_s: float) -> None:
        try:
            with _opened(file) as database, reading_faults(file):
                database.execute(
                    "INSERT OR REPLACE INTO load_times VALUES (?, ?, ?)", (model_id, loads, mean_s)
                )
        except StateUnavailable as error:
            _log.warning("a load time cannot be kept", model=model_id, error=str(error))


def _opened(file: Path) -> closing[sqlite3.Connection]:
    return closing(open_database(file, _SCHEMA))


class DownloadTimes:
    """What has been fetched, and how fast the network is; safe from any thread."""

    def __init__(self) -> None:
        """Begin with nothing fetched."""
        self._lock = threading.Lock()
        self._bytes_per_s = _BYTES_FETCHED_PER_S
        self._here: set[ModelRef] = set()

    def expected_s(self, known: KnownModel) -> float:
        """Estimate the download of a model; 0 where its files are here."""
        with self._lock:
            if known.ref in self._here:
                return 0.0
            return known.download_bytes / self._bytes_per_s

    def add(self, known: KnownModel, took_s: float) -> None:
        """Learn from a download that has ended well; its files are here from now on."""
        with self._lock:
            if known.ref in self._here:
                return
            self._here.add(known.ref)
            if known.download_bytes >= _LEAST_BYTES and took_s > 0:
                self._bytes_per_s = known.download_bytes / took_s
