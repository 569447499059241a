"""In any mix of requests, departures and failures, each caller gets exactly its own answer."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from support import door
from support.fake_engine import FakeEngine
from support.held_engine import ASKER, Call, HeldEngine, ripple

from earmark.domain.preferences import Preferences
from earmark.domain.results import Classification
from earmark.domain.texts import TextInput
from earmark.engine.reply import Reply
from earmark.errors import DeadlineExceeded, InvalidInput
from earmark.models.registry import Registry
from earmark.serving.admission import AdmissionLimits
from earmark.serving.limits import ServiceOptions
from earmark.serving.service import Served, Service
from earmark.tasks.text_classification import TextClassification

_REFUSED = {"bad": InvalidInput("this text is always refused")}
_MOST_TEXTS = 64
"""In flight at most: more than the steps below can bring together."""
_OPTIONS = ServiceOptions(
    max_inputs=_MOST_TEXTS, max_texts=_MOST_TEXTS, admission=AdmissionLimits(max_texts=_MOST_TEXTS)
)

_PLACES = st.integers(0, 20)
_STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("ask"),
            st.lists(st.sampled_from(["a", "b", "c", "bad"]), min_size=1, max_size=4),
            st.sampled_from([True, True, True, False]),
        ),
        st.tuples(st.sampled_from(["leave", "finish", "late", "crash"]), _PLACES, st.none()),
    ),
    max_size=16,
)


class _CrashError(Exception):
    """An error of the engine."""


def _request(*texts: str) -> TextClassification:
    return TextClassification(tuple(map(TextInput, texts)))


@dataclass
class _World:
    """A service, the requests it was sent, and what the engine did with them."""

    engine: HeldEngine
    service: Service
    texts: list[list[str]] = field(default_factory=list)
    tasks: "list[asyncio.Task[Served[Classification]]]" = field(default_factory=list)
    left: set[int] = field(default_factory=set)
    late: set[int | None] = field(default_factory=set)
    crashed: set[int | None] = field(default_factory=set)

    def ask(self, texts: list[str], *, use_cache: bool) -> None:
        """Send a request under the next number."""
        ASKER.set(len(self.tasks))
        answer = door.answer(
            self.service, None, _request(*texts), preferences=Preferences(use_cache=use_cache)
        )
        self.tasks.append(asyncio.create_task(answer))
        self.texts.append(texts)

    def leave(self, place: int) -> None:
        """Cancel the request of a caller that still waits."""
        waiting = [number for number, task in enumerate(self.tasks) if not task.done()]
        if waiting:
            number = waiting[place % len(waiting)]
            self.left.add(number)
            self.tasks[number].cancel()

    def end(self, how: str, call: Call) -> None:
        """Let the engine end a run: with results, after its deadline, or with an error."""
        if how == "finish":
            call.finish()
        elif how == "late":
            self.late.add(call.asker)
            call.finish(dict.fromkeys(call.texts, DeadlineExceeded("late")))
        else:
            self.crashed.add(call.asker)
            call.fail(_CrashError())

    def check(self, number: int, alone: Reply[Classification]) -> None:
        """Compare an answer with that of the engine alone."""
        task = self.tasks[number]
        assert task.done()
        if task.cancelled():
            assert number in self.left
            return
        if task.exception() is not None:
            assert isinstance(task.exception(), _CrashError)
            assert number in self.crashed
            return
        outcomes = task.result().reply.outcomes
        for found, expected in zip(outcomes, alone.outcomes, strict=True):
            assert found == expected or (
                isinstance(found, DeadlineExceeded) and number in self.late
            )


async def _play(steps: list[tuple[str, list[str] | int, bool | None]]) -> None:
    engine = HeldEngine(text_failures=_REFUSED)
    world = _World(engine, Service(Registry([engine]), _OPTIONS))
    for kind, value, use_cache in steps:
        if isinstance(value, list):
            world.ask(value, use_cache=bool(use_cache))
        elif kind == "leave":
            world.leave(value)
        elif engine.open_calls:
            world.end(kind, engine.open_calls[value % len(engine.open_calls)])
        # Several things may happen in one turn of the loop: not every step is followed through.
        if use_cache is not None or (isinstance(value, int) and value % 2):
            await ripple()
    await ripple()
    while engine.open_calls:
        engine.open_calls[0].finish()
        await ripple()
    for number, texts in enumerate(world.texts):
        alone = await FakeEngine(text_failures=_REFUSED).answer(_request(*texts))
        world.check(number, alone)
    await _everything_was_given_back(world)


async def _everything_was_given_back(world: _World) -> None:
    """Check that all permits are free and no run is left to join."""
    fresh = [f"fresh {number}" for number in range(_MOST_TEXTS)]
    world.ask(fresh, use_cache=True)
    await ripple()
    world.engine.open_calls[0].finish()
    served = await world.tasks[-1]
    assert served.cached.hits == served.cached.joined == 0


@settings(max_examples=300, deadline=None)
@given(_STEPS)
def test_each_accepted_request_gets_one_answer_that_is_its_own(
    steps: list[tuple[str, list[str] | int, bool | None]],
) -> None:
    """Each answer equals the engine's own, or is the failure of a run that the request started."""
    asyncio.run(_play(steps))
