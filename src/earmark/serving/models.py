"""The models served here, found by the id a request names."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from earmark.engine.info import EngineInfo, QueueState
from earmark.engine.reply import Reply
from earmark.engine.streaming import EntityStream
from earmark.errors import UnknownModel
from earmark.tasks.task import TaskRequest
from earmark.tasks.token_classification import TokenClassification

__all__ = ["ServedEngine", "ServedModels"]

_MOST_IDS_NAMED = 10
"""An error names no more served ids than this: it is read by people."""

_LONGEST_ID_SHOWN = 100
"""An error repeats no more of an unknown id than this: an address may hold kilobytes."""


Result = TypeVar("Result")


class ServedEngine(Protocol):
    """What serving needs of an engine; where the engine lives is its own business."""

    @property
    def info(self) -> EngineInfo:
        """Facts that hold from load to close."""
        ...

    def queue_state(self) -> QueueState:
        """Facts of this moment."""
        ...

    async def answer(
        self, request: TaskRequest[Result], *, deadline_s: float | None = None
    ) -> Reply[Result]:
        """Answer every input; cancelling the awaiting task drops those still waiting.

        Args:
            request: the texts, and what to do with their logits.
            deadline_s: moment on `time.monotonic` after which nobody waits for the answer.

        Raises:
            CapacityError: the texts were not taken, or not answered in time.
        """
        ...

    async def stream(
        self, request: TokenClassification, *, deadline_s: float | None = None
    ) -> EntityStream:
        """Begin to answer window by window; closing the stream drops what still waits.

        Arguments and errors are those of `answer`.
        """
        ...

    def close(self) -> None:
        """Stop the engine; a second call does nothing."""
        ...


class ServedModels:
    """A fixed set of engines, each found by its model id."""

    def __init__(self, engines: Iterable[ServedEngine]) -> None:
        """Take the engines in the order in which they are to be listed.

        Raises:
            ValueError: there is none, or two have one id.
        """
        self._engines: dict[str, ServedEngine] = {}
        for engine in engines:
            if engine.info.model_id in self._engines:
                raise ValueError(f"two engines have the model id {engine.info.model_id}")
            self._engines[engine.info.model_id] = engine
        if not self._engines:
            raise ValueError("no engine to serve: expected at least one")

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids served here, in order."""
        return tuple(self._engines)

    @property
    def engines(self) -> tuple[ServedEngine, ...]:
        """The engines, in the same order."""
        return tuple(self._engines.values())

    def find(self, model_id: str | None) -> ServedEngine:
        """Find an engine; None means the only one.

        Raises:
            UnknownModel: no such id, or None where several models are served.
        """
        if model_id is None:
            return self._only()
        engine = self._engines.get(model_id)
        if engine is None:
            raise self._unknown(model_id)
        return engine

    def split(self, path: str, *, actions: frozenset[str]) -> tuple[str, str]:
        """Tell a model id from what an address wants of the model.

        ``foo/info`` is the model of that name where there is one, and otherwise the model ``foo``
        with the action ``info``: the longest known id wins.

        Args:
            path: what follows ``/models/`` in an address, such as ``org/name/info``.
            actions: last segments that are not part of an id.

        Returns:
            The id and the action, which is empty when the path is an id alone.

        Raises:
            UnknownModel: neither reading gives an id that is served.
        """
        if path in self._engines:
            return path, ""
        head, _, tail = path.rpartition("/")
        if not head or tail not in actions:
            raise self._unknown(path)
        if head not in self._engines:
            raise self._unknown(head)
        return head, tail

    def _only(self) -> ServedEngine:
        if len(self._engines) > 1:
            raise UnknownModel(
                f"{len(self._engines)} models are served here, so the address has to name one, as"
                f" /models/{{id}}; {self._served()}"
            )
        return self.engines[0]

    def _unknown(self, model_id: str) -> UnknownModel:
        shown = model_id[:_LONGEST_ID_SHOWN] + "..." * (len(model_id) > _LONGEST_ID_SHOWN)
        # The Hub's own words come first: callers match on them.
        return UnknownModel(f"Model {shown} does not exist; {self._served()}")

    def _served(self) -> str:
        more = len(self._engines) - _MOST_IDS_NAMED
        named = ", ".join(self.ids[:_MOST_IDS_NAMED])
        return f"served here: {named}{f' and {more} more' if more > 0 else ''}"
