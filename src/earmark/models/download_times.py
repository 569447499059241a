"""How long it takes to fetch a model, learned from earlier downloads of this run."""

import threading
from typing import Final

from earmark.checkpoint.ref import ModelRef
from earmark.models.catalogue import KnownModel

__all__ = ["DownloadTimes"]

_BYTES_PER_S: Final = 12_500_000.0
"""100 Mbit/s, until a download has shown what the network gives."""

_LEAST_BYTES: Final = 1_000_000
"""Less tells of the answers' delay rather than of the pace."""


class DownloadTimes:
    """What is still to be fetched, and how fast that goes; safe from any thread."""

    def __init__(self) -> None:
        """Nothing was fetched yet."""
        self._lock = threading.Lock()
        self._bytes_per_s = _BYTES_PER_S
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
