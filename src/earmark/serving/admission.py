"""Permits, which bound how much may be in flight at once.

Pure: time is passed in. A request that gets no permit is refused at once, so that too much load
causes short answers and not a growing queue.
"""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, eq=False)
class Permit:
    """Permission to work on one request; given back exactly once.

    Attributes:
        texts: texts in the request.
        few: whether they are few, and counted apart.
        admitted_s: when it was given, on the caller's clock.
    """

    texts: int
    few: bool
    admitted_s: float


class Admission:
    """Counts what is in flight and refuses what goes beyond the limits."""

    def __init__(self, limits: AdmissionLimits) -> None:
        """Start with nothing in flight."""
        self._limits = limits
        self._held: set[Permit] = set()
        self._texts = {True: 0, False: 0}
        """By whether they are of requests with few texts."""
        self._usual_hold_s = _SHORTEST_RETRY_S

    @property
    def requests(self) -> int:
        """Requests in flight."""
        return len(self._held)

    @property
    def texts(self) -> int:
        """Texts in flight."""
        return sum(self._texts.values())

    @property
    def retry_after_s(self) -> float:
        """When to try again: the time for which permits have lately been held."""
        return min(max(self._usual_hold_s, _SHORTEST_RETRY_S), _LONGEST_RETRY_S)

    def admit(self, texts: int, *, now_s: float) -> Permit:
        """Give a permit, or refuse at once.

        Raises:
            QueueFull: with this request, more would be in flight than the limits allow.
        """
        if len(self._held) >= self._limits.max_requests:
            raise self._full(f"{len(self._held):,} requests", f"{self._limits.max_requests:,}")
        few = texts <= self._limits.max_texts // FEW_PART
        alike = self._texts[few]
        if alike + texts > self._limits.max_texts:
            found = f"{alike:,} texts are in flight and this request brings {texts:,}"
            raise self._full(found, f"{self._limits.max_texts:,}")
        permit = Permit(texts, few, now_s)
        self._held.add(permit)
        self._texts[few] += texts
        return permit

    def release(self, permit: Permit, *, now_s: float) -> None:
        """Take a permit back.

        Raises:
            KeyError: it was given back before, or by someone else.
        """
        self._held.remove(permit)
        self._texts[permit.few] -= permit.texts
        self._usual_hold_s += _MEMORY * (now_s - permit.admitted_s - self._usual_hold_s)

    def _full(self, found: str, limit: str) -> QueueFull:
        hint_s = self.retry_after_s
        message = f"the server is busy: {found}, of {limit} at most; try again in {hint_s:.0f} s"
        return QueueFull(message, retry_after_s=hint_s)
