"""A model's state at this moment, and what the cache did for it."""

from dataclasses import dataclass

from earmark.models.status import ModelStatus
from earmark.serving.cache.use import CacheState


@dataclass(frozen=True, slots=True)
class ServedStatus(ModelStatus):
    """A model's state, and what the cache did for it.

    Attributes:
        cache: None where nothing is kept, or the model is not in memory.
    """

    cache: CacheState | None = None

    @classmethod
    def with_cache(cls, status: ModelStatus, cache: CacheState | None) -> "ServedStatus":
        """Add what the cache did to a model's state."""
        return cls(status.info, status.state, status.queue, status.aliases, cache)
