"""How long a model takes to load, learned from earlier loads and kept between runs."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import structlog

from earmark.database import open_database, reading_faults
from earmark.errors import StateUnavailable

__all__ = ["LoadTimes", "first_estimate_s", "learned_s", "remaining_s"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS load_times (
    model_id TEXT PRIMARY KEY,
    loads INTEGER NOT NULL,
    mean_s REAL NOT NULL
) STRICT
"""

_BYTES_PER_S = 20_000_000
"""earmark/sentiment, 23.6 MB, took 0.9 to 1.3 s on two shared cores of an AMD EPYC."""

_SHORTEST_S = 1.0
"""No caller is told to come back sooner: an estimate that has run out is no reason to hurry."""

_MOST_LOADS_COUNTED = 8
"""A machine that has changed is learned anew after about so many loads."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.models")


def first_estimate_s(weights_bytes: int) -> float:
    """Estimate the load of a model that has never been loaded, in seconds."""
    return weights_bytes / _BYTES_PER_S


def learned_s(mean_s: float, loads: int, took_s: float) -> float:
    """Let one more load change the mean of earlier ones, which forgets slowly."""
    return mean_s + (took_s - mean_s) / min(loads + 1, _MOST_LOADS_COUNTED)


def remaining_s(expected_s: float, elapsed_s: float) -> float:
    """Say how long a load still takes."""
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
