"""The memory of a server's processes over time."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

MEGABYTE = 1_000_000


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
        """Measure each process that is there now (`smaps_rollup` of Linux, the field Pss)."""
        for pid in (self.pid, *children(self.pid)):
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
            except OSError:
                continue  # it has just ended
            kilobytes = next(
                int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")
            )
            self.samples.setdefault(pid, []).append((seconds, kilobytes * 1024 / MEGABYTE))


def children(pid: int) -> tuple[int, ...]:
    """List the children of a process."""
    return tuple(
        int(child)
        for thread in Path(f"/proc/{pid}/task").iterdir()
        for child in (thread / "children").read_text("ascii").split()
    )


def grown_mb_per_minute(samples: list[tuple[float, float]], *, from_s: float) -> float:
    """Return the slope of a line through the samples from a moment on, by least squares."""
    warm = [(seconds, size) for seconds, size in samples if seconds >= from_s]
    if len(warm) < 3:
        return 0.0
    seconds, sizes = zip(*warm, strict=True)
    slope, _ = np.polyfit(seconds, sizes, 1)
    return float(slope) * 60
