"""A request of any dialect that has been read, on its way through the door and back."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from earmark.domain.preferences import Preferences
from earmark.engine.info import EngineInfo
from earmark.serving.service import Served, Service
from earmark.tasks.task import TaskRequest
from earmark.web.answer_headers import Counted, answer_headers

__all__ = ["Carried", "Exchange"]

INLINE_RESULTS = 64
"""Up to so many results are put into form in the event loop's own thread."""

Result = TypeVar("Result", bound=Counted)


@dataclass(frozen=True, slots=True)
class Carried:
    """An answer in the form of the wire.

    Attributes:
        body: what msgspec can encode.
        headers: what it cost and what was left out.
        info: of the model that answered.
    """

    body: object
    headers: dict[str, str]
    info: EngineInfo


def _no_remarks(_results: Sequence[Counted], _info: EngineInfo) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Exchange(Generic[Result]):
    """A request that has been read, and how it is to be answered.

    Attributes:
        request: what the engine is asked.
        characters: Unicode code points that came in.
        body: puts results, one per input, into the form of the wire.
        remarks: further headers, from the results and the model.
    """

    request: TaskRequest[Result]
    characters: int
    body: Callable[[Sequence[Result]], object]
    remarks: Callable[[Sequence[Result], EngineInfo], Mapping[str, str]] = _no_remarks

    async def carry_out(self, service: Service, model_id: str, preferences: Preferences) -> Carried:
        """Ask the service and put what it answers into form.

        Args:
            service: what answers.
            model_id: of a model that is served.
            preferences: how the caller wants it carried out.

        Raises:
            EarmarkError: the whole request failed, or its first input that did.
        """
        served = await service.answer(model_id, self.request, preferences=preferences)
        results = served.reply.results()
        if len(results) <= INLINE_RESULTS:
            return self._carried(served, results)
        # Beside the event loop: a thousand texts hold tens of thousands of entities.
        return await asyncio.to_thread(self._carried, served, results)

    def _carried(self, served: Served[Result], results: Sequence[Result]) -> Carried:
        headers = answer_headers(
            results,
            characters=self.characters,
            timings=served.reply.timings,
            info=served.info,
            cached=served.cached,
        )
        headers |= self.remarks(results, served.info)
        return Carried(self.body(results), headers, served.info)
