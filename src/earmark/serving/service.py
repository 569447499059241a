"""The one door: every caller, over HTTP or not, goes through `Service`."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AsyncExitStack,
    asynccontextmanager,
    closing,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from earmark.domain.preferences import NO_PREFERENCES, Preferences
from earmark.engine.info import EngineInfo, ModelFacts
from earmark.engine.reply import Reply
from earmark.engine.streaming import EntityStream
from earmark.errors import InvalidInput, RequestTooLarge, UnsupportedTask
from earmark.models.engines import ServedEngine
from earmark.models.registry import Registry
from earmark.models.status import ModelStatus
from earmark.serving.admission import Admission, AdmissionLimits
from earmark.serving.cache.cache import ResultCache
from earmark.serving.cache.results import MemoryStore
from earmark.serving.cache.use import NOTHING_CACHED, CacheUse
from earmark.serving.status import ServedStatus
from earmark.tasks.task import TaskName, TaskRequest
from earmark.tasks.token_classification import TokenClassification

__all__ = ["STOPS", "Served", "ServedStream", "Service", "ServiceOptions"]

STOPS: Final = (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit)
"""Raised to end a task, a generator or the program: passed on, and never answered.

A panic inside a library written in Rust arrives as a `BaseException` that is none of these, so that
`except Exception` lets it escape. Code that has to answer, or that holds state, passes these on and
treats everything else as a fault.
"""

Result = TypeVar("Result")

_MOST_MEANT = 3
"""An error names no more models than this to ask instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """What a caller may ask for.

    Attributes:
        max_inputs: texts in one request.
        max_texts: texts that the model reads for one request: of zero-shot classification, inputs
            times labels.
        max_characters: Unicode code points of those texts. A body of the default size holds at
            most half as many, so that only inputs beside labels reach it. Encoding so many takes
            some 4 seconds and 300 MB.
        request_timeout_s: how long a request may take. Below the 300 s after which Node's fetch
            gives up on its own.
        cache_bytes: memory for results that may be given again, of all models; 0 keeps none, and
            joins no text in flight. 64 MiB hold some 200,000 results of two labels.
        admission: what may be in flight over all callers.
    """

    max_inputs: int = 1024
    max_texts: int = 4096
    max_characters: int = 4 * 1024 * 1024
    request_timeout_s: float = 60.0
    cache_bytes: int = 64 * 1024 * 1024
    admission: AdmissionLimits = field(default_factory=AdmissionLimits)

    def __post_init__(self) -> None:
        """Refuse a combination under which a legal request could never be admitted."""
        if not 1 <= self.max_inputs <= self.max_texts <= self.admission.max_texts:
            raise ValueError(
                f"max_inputs is {self.max_inputs} and max_texts {self.max_texts}: expected 1 or"
                f" more, not falling, and at most {self.admission.max_texts}, the texts that may"
                " be in flight"
            )


@dataclass(frozen=True, slots=True)
class Served(Generic[Result]):
    """An answer, and the model that gave it.

    Attributes:
        reply: the answer.
        info: of the model.
        cached: how many inputs did not have to be run.
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
    """Many models, many callers."""

    def __init__(
        self,
        models: Registry,
        options: ServiceOptions | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the door.

        Args:
            models: closed by `close`.
            options: limits; the defaults when None.
            clock: seconds; engines read deadlines on the same clock.
        """
        self._models = models
        self._options = options or ServiceOptions()
        self._admission = Admission(self._options.admission)
        self._clock = clock
        self._cache: ResultCache | None = None
        if self._options.cache_bytes:
            self._cache = ResultCache(MemoryStore(self._options.cache_bytes), clock=clock)

    @property
    def models(self) -> Registry:
        """The models served."""
        return self._models

    @property
    def options(self) -> ServiceOptions:
        """What a caller may ask for."""
        return self._options

    async def discover(
        self, model_id: str | None, *, here: bool, preferences: Preferences = NO_PREFERENCES
    ) -> None:
        """Find out whether the Hub has a model that is not served; its weights are not fetched.

        To be awaited before any other call that names a model of a request.

        Args:
            model_id: what the request calls it.
            here: whether the request is surely that of a program on this machine.
            preferences: whoever waits is held while the Hub cannot be reached.

        Raises:
            UnknownModel: no such model is served or to be had.
            UnusableModel: it cannot run here.
            CapacityError: it cannot be told for now.
        """
        hold_s = self._allowed_s(preferences) if preferences.wait else 0.0
        await self._models.discover(model_id, here=here, hold_s=hold_s)

    async def answer(
        self,
        model_id: str | None,
        request: TaskRequest[Result],
        *,
        preferences: Preferences = NO_PREFERENCES,
    ) -> Served[Result]:
        """Answer a request with one model.

        Cancelling the awaiting task gives the permit back and drops the texts from the queue, but
        for those of a run for which another request waits too.

        Args:
            model_id: None for the only model named by the operator.
            request: at least one input.
            preferences: how the caller wants it carried out.

        Raises:
            UnknownModel: no such model is served.
            UnsupportedTask: the model does something else.
            RequestTooLarge: more texts than one request may bring.
            CapacityError: too much is in flight, the answer was not ready in time, or the model
                is not in memory and the caller does not wait for it.
            ModelUnavailable: the model could not be loaded.
            UnusableModel: its files cannot run here.
            EngineError: the engine failed the whole request.
        """
        status = self._models.status(model_id)
        # Before the model is loaded: a request that cannot be answered is no reason to.
        self._check(status.info, request)
        deadline_s = self._clock() + self._allowed_s(preferences)
        async with self._engine(status, request.texts, preferences, deadline_s) as engine:
            if self._cache is None:
                with self._permit(request.texts):
                    reply = await engine.answer(request, deadline_s=deadline_s)
                return Served(reply, engine.info)
            if not preferences.use_cache:
                reply = await self._cache.compute(
                    engine, request, deadline_s=deadline_s, admit=self._permit
                )
                return Served(reply, engine.info)
            reply, cached = await self._cache.answer(
                engine, request, deadline_s=deadline_s, admit=self._permit
            )
            return Served(reply, engine.info, cached)

    @asynccontextmanager
    async def stream(
        self,
        model_id: str | None,
        request: TokenClassification,
        *,
        preferences: Preferences = NO_PREFERENCES,
    ) -> AsyncIterator[ServedStream]:
        """Answer a request window by window.

        Arguments and errors are those of `answer`, on entering. Leaving the context, however it
        comes about, gives the permit back and drops from the queue what has not run.
        """
        status = self._models.status(model_id)
        self._check(status.info, request)
        deadline_s = self._clock() + self._allowed_s(preferences)
        async with self._engine(status, request.texts, preferences, deadline_s) as engine:
            with (
                self._permit(request.texts),
                closing(await engine.stream(request, deadline_s=deadline_s)) as stream,
            ):
                yield ServedStream(stream, engine.info)

    def status(self, model_id: str | None) -> ServedStatus:
        """Tell how one model is, without loading it; None for the only one named.

        Raises:
            UnknownModel: no such model is served.
            UnusableModel: its files do not even say what it is for.
        """
        return self._with_cache(self._models.status(model_id))

    def statuses(self) -> tuple[ServedStatus, ...]:
        """Tell how every model is, loaded or not."""
        return tuple(map(self._with_cache, self._models.statuses()))

    def fitting(self, task: TaskName) -> tuple[str, ...]:
        """List the models that fit a task best, among those that the operator named."""
        return self._models.fitting(task)

    def loaded(self) -> tuple[ModelStatus, ...]:
        """Tell how every model in memory is."""
        return tuple(map(ModelStatus.of, self._models.engines))

    def close(self) -> None:
        """Close every engine, also when one fails to close; wait for no load.

        Raises:
            ExceptionGroup: what engines raised while closing.
        """
        self._models.close()

    @asynccontextmanager
    async def _engine(
        self, status: ModelStatus, texts: int, preferences: Preferences, deadline_s: float
    ) -> AsyncIterator[ServedEngine]:
        """Borrow a model's engine; whoever is held while it loads takes a permit for that time."""
        waits = self._permit(texts) if status.queue is None else nullcontext()
        async with AsyncExitStack() as stack:
            with waits:
                engine = await stack.enter_async_context(
                    self._models.engine(status.info.model_id, preferences, until_s=deadline_s)
                )
            yield engine

    def _with_cache(self, status: ModelStatus) -> ServedStatus:
        """Add what the cache did for a model that is in memory."""
        if self._cache is None or status.queue is None:
            return ServedStatus.with_cache(status, None)
        return ServedStatus.with_cache(status, self._cache.state(status.info.model_id))

    def _allowed_s(self, preferences: Preferences) -> float:
        allowed_s = self._options.request_timeout_s
        return allowed_s if preferences.timeout_s is None else min(preferences.timeout_s, allowed_s)

    def _check(self, info: ModelFacts, request: TaskRequest[Result]) -> None:
        if request.task not in info.tasks:
            raise UnsupportedTask(
                f"model {info.model_id} is for {', '.join(info.tasks)}, not for {request.task};"
                f" {self._meant_for(request.task)}"
            )
        if request.items > self._options.max_inputs:
            raise RequestTooLarge(
                f"the request brings {request.items:,} texts, at most"
                f" {self._options.max_inputs:,} are accepted; send them in several requests"
            )
        if request.texts > self._options.max_texts:
            raise InvalidInput(
                f"{request.items:,} texts and {request.texts // request.items:,} labels make"
                f" {request.texts:,} pairs, at most {self._options.max_texts:,} are accepted;"
                " send fewer at once"
            )
        if request.characters > self._options.max_characters:
            raise InvalidInput(
                f"the request's {request.texts:,} texts have {request.characters:,} characters,"
                f" every text beside every label; at most {self._options.max_characters:,} are"
                " accepted; send fewer at once"
            )

    def _meant_for(self, task: TaskName) -> str:
        """Say which models to ask instead."""
        fits = self._models.fitting(task)
        if not fits:
            return "no model named at the start is for that"
        return f"for that there is {' or '.join(fits[:_MOST_MEANT])}"

    @contextmanager
    def _permit(self, texts: int) -> Iterator[None]:
        permit = self._admission.admit(texts, now_s=self._clock())
        try:
            yield
        finally:
            self._admission.release(permit, now_s=self._clock())
