"""Sends a decoded request of any dialect to the service, and puts the results into its form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from earmark.engine.beside import LARGE, beside
from earmark.engine.info import EngineInfo
from earmark.serving.service import Call, Served
from earmark.tasks.task import TaskRequest
from earmark.web.answer_headers import Counted, answer_headers

INLINE_RESULTS = 64
INLINE_TOKENS = 2048
"""Results up to this number, and up to this number of tokens, are put into form in the event loop's
thread."""

Result = TypeVar("Result", bound=Counted)
Written = TypeVar("Written")


@dataclass(frozen=True, slots=True)
class Carried:
    """An answer in the form of the wire.

    Attributes:
        body: what msgspec can encode.
        headers: what it cost and what was left out.
        info: of the model that answered.
        tokens: that the model read.
        large: whether encoding it may take long.
    """

    body: object
    headers: dict[str, str]
    info: EngineInfo
    tokens: int = 0
    large: bool = False

    async def written(self, write: Callable[[], Written]) -> Written:
        """Make the response; a large one is encoded in another thread.

        Args:
            write: makes a response of the body; it must not touch anything else.
        """
        return await beside(LARGE, write) if self.large else write()


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

    async def carry_out(self, call: Call) -> Carried:
        """Ask the model and put the results into form.

        Args:
            call: to the model.

        Raises:
            EarmarkError: the whole request failed, or its first input that did.
        """
        served = await call.answer(self.request)
        results = served.reply.results()
        tokens = sum(each.tokens for each in results)
        if len(results) <= INLINE_RESULTS and tokens <= INLINE_TOKENS:
            return self._carried(served, results)
        # In another thread: a thousand texts, or one long one, hold tens of thousands of
        # entities.
        carried = await beside(tokens, self._carried, served, results)
        return replace(carried, large=True)

    def _carried(self, served: Served[Result], results: Sequence[Result]) -> Carried:
        headers = answer_headers(
            results,
            characters=self.characters,
            timings=served.reply.timings,
            info=served.info,
            cached=served.cached,
        )
        headers |= self.remarks(results, served.info)
        tokens = sum(each.tokens for each in results)
        return Carried(self.body(results), headers, served.info, tokens)
