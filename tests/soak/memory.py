"""The memory of a server's processes over time."""

from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from bench.machine import family, process_memory_mb


@dataclass(slots=True)
class Memory:
    """Samples of the memory of a process and of its children, in megabytes.

    Attributes:
        pid: the process.
        samples: for each process, pairs of seconds and megabytes.
    """

    pid: int
    samples: dict[int, list[tuple[float, float]]] = field(default_factory=dict)

    def sample(self, seconds: float) -> None:
        """Measure each process that is there now."""
        for pid in family(self.pid):
            with suppress(OSError):  # it has just ended
                self.samples.setdefault(pid, []).append((seconds, process_memory_mb(pid)))


def grown_mb_per_minute(samples: list[tuple[float, float]], *, from_s: float) -> float:
    """Return the slope of a line through the samples from a moment on, by least squares."""
    warm = [(seconds, size) for seconds, size in samples if seconds >= from_s]
    if len(warm) < 3:
        return 0.0
    seconds, sizes = zip(*warm, strict=True)
    slope, _ = np.polyfit(seconds, sizes, 1)
    return float(slope) * 60
