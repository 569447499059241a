"""Permits, which bound how much may be in flight at once.

A request that gets no permit is refused at once, so that too much load causes short answers and not
a growing queue.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil

from earmark.errors import QueueFull

FEW_PART = 1024
"""A request has few texts if it has at most this part of `max_texts`: 16 by default."""

_MEMORY = 0.1
"""Weight of the newest request in the average time for which permits are held."""

_SHORTEST_RETRY_S = 1.0
"""HTTP's Retry-After counts whole seconds, and 0 would invite a busy loop."""

_LONGEST_RETRY_S = 60.0
"""The longest wait that is suggested: one slow burst must not send callers away for minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionLimits:
    """The most that may be in flight, over all callers and models.

    Attributes:
        max_requests: requests that hold a permit.
        max_texts: texts in those requests. 16,384 short texts are some 300,000 tokens: about a
            minute of work for a small model on two cores, as long as a request may wait. Requests
            of few texts, a 1,024th of it, are counted apart: large requests do not shut them out.
    """

    max_requests: int = 1024
    max_texts: int = 16_384

    def __post_init__(self) -> None:
        """Refuse limits that would admit nothing."""
        for name in ("max_requests", "max_texts"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: expected at least 1")


class Admission:
    """Counts what is in flight and refuses what goes beyond the limits.

    Attributes:
        requests: in flight.
    """

    def __init__(
        self, limits: AdmissionLimits, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with nothing in flight; `clock` counts seconds."""
        self._limits, self._clock = limits, clock
        self.requests = 0
        self._texts = {True: 0, False: 0}
        """By whether they are of requests with few texts."""
        self._usual_hold_s = _SHORTEST_RETRY_S

    @property
    def texts(self) -> int:
        """Texts in flight."""
        return sum(self._texts.values())

    @property
    def retry_after_s(self) -> float:
        """When to try again: the time for which permits have lately been held."""
        return min(max(self._usual_hold_s, _SHORTEST_RETRY_S), _LONGEST_RETRY_S)

    @contextmanager
    def permit(self, texts: int) -> Iterator[None]:
        """Count a request among those in flight as long as the block lasts, or refuse it at once.

        Raises:
            QueueFull: with this request, more would be in flight than the limits allow.
        """
        if self.requests >= self._limits.max_requests:
            raise self._full(f"{self.requests:,} requests", f"{self._limits.max_requests:,}")
        few = texts <= self._limits.max_texts // FEW_PART
        alike = self._texts[few]
        if alike + texts > self._limits.max_texts:
            found = f"{alike:,} texts are in flight and this request brings {texts:,}"
            raise self._full(found, f"{self._limits.max_texts:,}")
        began_s = self._clock()
        self.requests += 1
        self._texts[few] += texts
        try:
            yield
        finally:
            self.requests -= 1
            self._texts[few] -= texts
            self._usual_hold_s += _MEMORY * (self._clock() - began_s - self._usual_hold_s)

    def _full(self, found: str, limit: str) -> QueueFull:
        hint_s = self.retry_after_s
        message = f"the server is busy: {found}, of {limit} at most; try again in {ceil(hint_s)} s"
        return QueueFull(message, retry_after_s=hint_s)
