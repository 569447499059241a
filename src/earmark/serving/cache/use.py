"""What the cache did, for one answer and since the start."""

from dataclasses import dataclass

from earmark.serving.cache.results import StoreState


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheUse:
    """How many inputs of a request were answered without running them for it.

    Attributes:
        hits: known before.
        joined: already being run for another request, or for an equal input of this one.
    """

    hits: int = 0
    joined: int = 0


NOTHING_CACHED = CacheUse()


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheState:
    """What the cache did for the inputs of one model, and how full it is.

    Only inputs that were answered count, and only those of requests that accept a kept result.

    Attributes:
        hits: inputs that were known before.
        joined: inputs that were already being run for another request.
        misses: inputs that had to be run.
        store: how full the store is; all models share one.
    """

    hits: int
    joined: int
    misses: int
    store: StoreState

    @property
    def hit_rate(self) -> float:
        """The share of inputs that were answered without running them; 0 before the first input."""
        saved = self.hits + self.joined
        return saved / (saved + self.misses) if saved else 0.0
