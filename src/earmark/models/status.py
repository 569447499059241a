"""What is known of a model at this moment, in memory or not."""

from dataclasses import dataclass

import structlog

from earmark.engine.info import ModelFacts, QueueState
from earmark.errors import CheckpointError
from earmark.models.catalogue import KnownModel
from earmark.models.engines import ModelLoader, ServedEngine
from earmark.models.lifecycle import SHOWN, ModelState, State
from earmark.models.refusals import refused

__all__ = ["KnownFacts", "ModelState", "ModelStatus"]

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.models")


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model, and its state at this moment.

    Attributes:
        info: what is known of it; an `EngineInfo` where it is in memory.
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
        """Return the status of a model in memory."""
        queue = engine.queue_state()
        return cls(engine.info, SHOWN[State.READY, queue.state], queue)


class KnownFacts:
    """The facts of models that are not in memory, read once for each state of their files."""

    def __init__(self, loader: ModelLoader) -> None:
        """Take what reads them; nothing is read yet."""
        self._loader = loader
        self._read_before: dict[str, tuple[KnownModel, ModelFacts | Exception]] = {}

    def of(self, known: KnownModel) -> ModelFacts:
        """Return the facts of a model.

        Raises:
            UnusableModel: its files do not even say what it is for.
            ModelUnavailable: they could not be read, for a fault of this program.
        """
        if known.facts is not None:
            return known.facts
        before = self._read_before.get(known.model_id)
        if before is None or before[0] != known:
            before = self._read_before[known.model_id] = (known, self._read(known))
        facts = before[1]
        if isinstance(facts, Exception):
            raise refused(known, facts) from facts
        return facts

    def _read(self, known: KnownModel) -> ModelFacts | Exception:
        try:
            return self._loader.facts(known)
        except CheckpointError as error:
            _log.warning("a model cannot be read", model=known.model_id, error=str(error))
            return error
        except Exception as error:  # noqa: BLE001 - one model must not keep the others from a list
            _log.error("a model cannot be read", model=known.model_id, exc_info=error)
            return error
