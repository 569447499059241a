"""An engine that answers each call when and as the test says."""

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

from support.fake_engine import FAKE_TIMINGS, FakeEngine

from earmark.engine.reply import Reply
from earmark.errors import EarmarkError
from earmark.tasks.task import TaskRequest

Result = TypeVar("Result")

ASKER: ContextVar[int | None] = ContextVar("ASKER", default=None)
"""Which of a test's requests an engine works for."""

_STEPS = 50
"""More turns of the event loop than any chain of wake-ups in the cache takes."""


async def ripple() -> None:
    """Let everything happen that can happen without the engine."""
    for _ in range(_STEPS):
        await asyncio.sleep(0)


@dataclass(slots=True, eq=False)
class Call:
    """One request that reached the engine.

    Attributes:
        request: what was asked.
        deadline_s: until when.
        asker: whose context it came in.
        left: whether nobody waits for it any more.
        end: failures of single texts, or of the whole.
    """

    request: TaskRequest[object]
    deadline_s: float | None
    asker: int | None = field(default_factory=ASKER.get)
    left: bool = False
    end: "asyncio.Future[Mapping[str, EarmarkError]]" = field(default_factory=asyncio.Future)

    @property
    def open(self) -> bool:
        """Whether it still waits for its answer."""
        return not self.end.done()

    @property
    def texts(self) -> list[str]:
        """Its inputs; of pairs, the first halves."""
        return [str(self.request.content(item)[0]) for item in range(self.request.items)]

    def finish(self, failures: Mapping[str, EarmarkError] | None = None) -> None:
        """Answer it, some texts with errors."""
        self.end.set_result(failures or {})

    def fail(self, error: Exception) -> None:
        """Raise from it."""
        self.end.set_exception(error)


class HeldEngine(FakeEngine):
    """Holds every call until the test ends it."""

    def __init__(self, *, text_failures: Mapping[str, EarmarkError] | None = None) -> None:
        """Start with no call."""
        super().__init__(text_failures=text_failures or {})
        self.calls: list[Call] = []

    @property
    def open_calls(self) -> list[Call]:
        """The calls that wait for their answer."""
        return [call for call in self.calls if call.open]

    async def answer(
        self, request: TaskRequest[Result], *, deadline_s: float | None = None
    ) -> Reply[Result]:
        """Answer as the test says, when it says so."""
        call = Call(request, deadline_s)
        self.calls.append(call)
        try:
            failures = await call.end
        except asyncio.CancelledError:
            call.left = True
            raise
        outcomes = tuple(
            failures[text] if text in failures else self._outcome(request, item)
            for item, text in enumerate(call.texts)
        )
        return Reply(outcomes, FAKE_TIMINGS)
