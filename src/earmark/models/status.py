"""How a model is at this moment, loaded or not."""

from dataclasses import dataclass
from typing import Literal

from earmark.engine.info import EngineState, ModelFacts, QueueState
from earmark.models.engines import ServedEngine

__all__ = ["ModelState", "ModelStatus"]

ModelState = EngineState | Literal["loadable", "loading", "failed"]
"""`loadable`: not in memory, a request would load it. `failed`: its last load did, lately."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model, and how it is at this moment.

    Attributes:
        info: what is known of it: less where it is not in memory.
        state: whether it can answer.
        queue: of its engine; None where it is not in memory.
        aliases: other names for it.
    """

    info: ModelFacts
    state: ModelState
    queue: QueueState | None = None
    aliases: tuple[str, ...] = ()

    @classmethod
    def of(cls, engine: ServedEngine) -> "ModelStatus":
        """Tell how an engine is."""
        queue = engine.queue_state()
        return cls(engine.info, queue.state, queue)
