"""The service: every call, over HTTP or not, goes through `Service`."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    closing,
    nullcontext,
)
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from earmark.domain.preferences import NO_PREFERENCES, Preferences
from earmark.engine.info import EngineInfo, ModelFacts
from earmark.engine.reply import Reply
from earmark.engine.streaming import EntityStream
from earmark.errors import UnsupportedTask
from earmark.models.engines import ServedEngine
from earmark.models.registry import FoundModel, Registry
from earmark.models.status import ModelStatus
from earmark.serving.admission import Admission
from earmark.serving.cache.cache import ResultCache
from earmark.serving.cache.results import MemoryStore
from earmark.serving.cache.use import NOTHING_CACHED, CacheUse
from earmark.serving.limits import ServiceOptions
from earmark.serving.status import ServedStatus
from earmark.tasks.task import TaskName, TaskRequest
from earmark.tasks.token_classification import TokenClassification

STOPS: Final = (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit)
"""Raised to end a task, a generator or the program: passed on, and never answered.

A panic inside a library written in Rust arrives as a `BaseException` that is none of these, so that
`except Exception` lets it escape. Code that has to answer, or that holds state, passes these on and
treats everything else as a fault.
"""

Result = TypeVar("Result")

_MOST_MEANT = 3
"""The most models that an error suggests to ask instead."""


@dataclass(frozen=True, slots=True)
class Served(Generic[Result]):
    """An answer, and the model that gave it.

    Attributes:
        reply: the answer.
        info: of the model.
        cached: how many inputs were answered without running them.
    """

    reply: Reply[Result]
    info: EngineInfo
    cached: CacheUse = NOTHING_CACHED


@dataclass(frozen=True, slots=True)
class ServedStream:
    """An answer that comes window by window, and the model that gives it."""

    stream: EntityStream
    info: EngineInfo


class Service:
    """Answers the requests of many callers to many models.

    Attributes:
        models: the models served.
        options: what a caller may ask for.
        permit: counts a request among those in flight; see `Admission.permit`.
        cache: what was computed before; None where nothing is kept.
    """

    def __init__(
        self,
        models: Registry,
        options: ServiceOptions | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a service of these models.

        Args:
            models: closed by `close`.
            options: limits; the defaults when None.
            clock: seconds; engines read deadlines on the same clock.
        """
        self.models: Final = models
        self.options: Final = options or ServiceOptions()
        self._clock = clock
        self.permit: Final = Admission(self.options.admission, clock=clock).permit
        self.cache: ResultCache | None = None
        if self.options.cache_bytes:
            self.cache = ResultCache(MemoryStore(self.options.cache_bytes), clock=clock)

    async def open(
        self,
        name: str | None,
        preferences: Preferences = NO_PREFERENCES,
        *,
        here: bool = False,
    ) -> "Call":
        """Find the model that a request means. There is no other way to a model.

        A model that is not served is looked up on the Hub; its weights are not fetched.

        Args:
            name: what the request calls the model; None for the only one named by the operator.
            preferences: a caller who waits is held while the Hub cannot be reached.
            here: whether the request certainly comes from a program on this machine, or from the
                server's own page.

        Raises:
            UnknownModel: no such model is served or can be fetched.
            UnusableModel: it cannot run here, or its files do not even say what it is for.
            CapacityError: whether there is such a model cannot be found out for now.
        """
        hold_s = self._allowed_s(preferences) if preferences.wait else 0.0
        found = await self.models.find(name, here=here, hold_s=hold_s)
        return Call(self, found, preferences)

    def statuses(self) -> tuple[ServedStatus, ...]:
        """Return the state of every model, loaded or not."""
        return tuple(map(self.with_cache, self.models.statuses()))

    def fitting(self, task: TaskName) -> tuple[str, ...]:
        """List the models that fit a task best, among those that the operator named."""
        return self.models.fitting(task)

    def loaded(self) -> tuple[ModelStatus, ...]:
        """Return the state of every model in memory."""
        return tuple(map(ModelStatus.of, self.models.engines))

    def close(self) -> None:
        """Close every engine, also when one fails to close; loads are not waited for.

        Raises:
            ExceptionGroup: what engines raised while closing.
        """
        self.models.close()

    @asynccontextmanager
    async def borrow(
        self, model: FoundModel, texts: int, preferences: Preferences, deadline_s: float
    ) -> AsyncIterator[ServedEngine]:
        """Borrow a model's engine for a call; while the call waits for a load it holds a permit."""
        async with AsyncExitStack() as stack:
            with nullcontext() if model.loaded else self.permit(texts):
                engine = await stack.enter_async_context(
                    self.models.engine(model.info.model_id, preferences, until_s=deadline_s)
                )
            yield engine

    def accept(
        self, info: ModelFacts, request: TaskRequest[Result], preferences: Preferences
    ) -> float:
        """Refuse a request that the model cannot do, or that asks for too much.

        Returns:
            The moment on the clock by which a request that begins now has to be answered.

        Raises:
            UnsupportedTask: the model does something else.
            RequestTooLarge: more texts than one request may bring.
            InvalidInput: its texts are too many or too long together.
        """
        if request.task not in info.tasks:
            raise UnsupportedTask(
                f"model {info.model_id} is for {', '.join(info.tasks)}, not for {request.task};"
                f" {self._meant_for(request.task)}"
            )
        self.options.check(request)
        return self._clock() + self._allowed_s(preferences)

    def _allowed_s(self, preferences: Preferences) -> float:
        """Return how long a call may take."""
        allowed_s = self.options.request_timeout_s
        return allowed_s if preferences.timeout_s is None else min(preferences.timeout_s, allowed_s)

    def with_cache(self, status: ModelStatus) -> ServedStatus:
        """Add what the cache did for a model that is in memory."""
        if self.cache is None or status.queue is None:
            return ServedStatus.with_cache(status, None)
        return ServedStatus.with_cache(status, self.cache.state(status.info.model_id))

    def _meant_for(self, task: TaskName) -> str:
        """Say which models to ask instead."""
        fits = self.models.fitting(task)
        if not fits:
            return "no model named at the start is for that"
        return f"for that there is {' or '.join(fits[:_MOST_MEANT])}"


@dataclass(frozen=True, slots=True)
class Call:
    """One request of one caller to one model, from the model's name to its answer.

    Attributes:
        service: through which it goes.
        model: the model that was found.
        preferences: how the caller wants it carried out.
    """

    service: Service
    model: FoundModel
    preferences: Preferences

    def wanting(self, preferences: Preferences) -> "Call":
        """Return the same call, carried out in another way: a body may say more than headers."""
        return replace(self, preferences=preferences)

    def status(self) -> ServedStatus:
        """Return the model's state at this moment, and what the cache did for it."""
        return self.service.with_cache(self.service.models.status(self.model.info.model_id))

    async def answer(self, request: TaskRequest[Result]) -> Served[Result]:
        """Answer a request.

        Cancelling the awaiting task gives the permit back and drops the texts from the queue,
        except those of a run that another request waits for too.

        Args:
            request: at least one input.

        Raises:
            UnsupportedTask: the model does something else.
            RequestTooLarge: more texts than one request may bring.
            CapacityError: too much is in flight, the answer was not ready in time, or the model
                is not in memory and the caller does not wait for it.
            ModelUnavailable: the model could not be loaded.
            UnusableModel: its files cannot run here.
            EngineError: the engine failed the whole request.
        """
        service, cache = self.service, self.service.cache
        # Before the model is loaded: a request that cannot be answered must not cause a load.
        deadline_s = service.accept(self.model.info, request, self.preferences)
        async with self._engine(request.texts, deadline_s) as engine:
            if cache is None:
                with service.permit(request.texts):
                    reply = await engine.answer(request, deadline_s=deadline_s)
                return Served(reply, engine.info)
            if not self.preferences.use_cache:
                reply = await cache.compute(
                    engine, request, deadline_s=deadline_s, admit=service.permit
                )
                return Served(reply, engine.info)
            reply, cached = await cache.answer(
                engine, request, deadline_s=deadline_s, admit=service.permit
            )
            return Served(reply, engine.info, cached)

    @asynccontextmanager
    async def stream(self, request: TokenClassification) -> AsyncIterator[ServedStream]:
        """Answer a request window by window.

        Arguments and errors are those of `answer`, on entering. Leaving the context, in
        whatever way, gives the permit back and drops from the queue what has not run.
        """
        service = self.service
        deadline_s = service.accept(self.model.info, request, self.preferences)
        async with self._engine(request.texts, deadline_s) as engine:
            with (
                service.permit(request.texts),
                closing(await engine.stream(request, deadline_s=deadline_s)) as stream,
            ):
                yield ServedStream(stream, engine.info)

    def _engine(self, texts: int, deadline_s: float) -> AbstractAsyncContextManager[ServedEngine]:
        if self.model.pinned is not None:  # it stays, so its users need not be counted
            return nullcontext(self.model.pinned)
        return self.service.borrow(self.model, texts, self.preferences, deadline_s)
