"""What is known of models before they are loaded, read once for each state of their files."""

import structlog

from earmark.engine.info import ModelFacts
from earmark.errors import CheckpointError
from earmark.models.catalogue import KnownModel
from earmark.models.engines import ModelLoader
from earmark.models.refusals import refused

__all__ = ["KnownFacts"]

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.models")


class KnownFacts:
    """Facts of models by id, and what was wrong where they could not be read."""

    def __init__(self, loader: ModelLoader) -> None:
        """Read with a loader; nothing was read yet."""
        self._loader = loader
        self._facts: dict[str, tuple[KnownModel, ModelFacts | Exception]] = {}

    def of(self, known: KnownModel) -> ModelFacts:
        """Tell the facts of a model.

        Raises:
            UnusableModel: its files do not even say what it is for.
            ModelUnavailable: they could not be read by a fault of ours.
        """
        if known.facts is not None:
            return known.facts
        before = self._facts.get(known.model_id)
        if before is None or before[0] != known:
            before = self._facts[known.model_id] = (known, self._read(known))
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
