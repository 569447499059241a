"""Asynchronous batches: many inputs in one request, answered when there is time.

``{"requests": [input, …]}`` with ``queueRequest=true`` is kept as a job; ``{"request_id"}`` asks
how far it is. Every input has an answer of its own, also where its neighbours fail.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final, Generic, TypeAlias, TypeVar

import msgspec

from earmark.errors import CapacityError, EarmarkError, EngineError, InvalidInput
from earmark.serving.jobs.job import Job
from earmark.serving.jobs.runner import JobRunner
from earmark.web.body import decode_json, decoder, read_beside
from earmark.web.dialects.cloudflare.envelope import ApiError
from earmark.web.dialects.cloudflare.inputs import as_upstream_says
from earmark.web.exchange import Carried

__all__ = ["Answered", "Batches", "Poll", "Queued", "Response", "Submitted", "Usage", "polled_id"]

Each = TypeVar("Each")
Result = TypeVar("Result")

Ask: TypeAlias = Callable[[str, bytes], Awaitable[Carried]]
"""Asks a model, by its name in this dialect, about one input."""

Tell: TypeAlias = Callable[[EarmarkError], ApiError]
"""Puts what went wrong with one input into a code and a message."""

_AT_ONCE: Final = 32
"""Inputs of a batch that are under way together: enough to fill the model's batches, and few beside
what callers who wait are allowed."""

_TRIES: Final = 20
"""Of an input that finds the server busy; the waits between grow to half a minute."""

_LONGEST_PAUSE_S: Final = 30.0


class _Input(msgspec.Struct, frozen=True):
    external_reference: str | None = None


class Submitted(msgspec.Struct, Generic[Each], frozen=True):
    """A batch."""

    requests: Annotated[list[Each], msgspec.Meta(min_length=1)]


class Poll(msgspec.Struct, frozen=True):
    """Asks for a batch, where it has an id."""

    request_id: str | None = None


class Queued(msgspec.Struct, frozen=True):
    """How far a batch is that is not answered yet."""

    status: str
    request_id: str
    model: str


class Response(msgspec.Struct, Generic[Result], frozen=True, omit_defaults=True):
    """The answer to one input of a batch."""

    id: int
    result: Result
    success: bool
    external_reference: str | None
    errors: tuple[ApiError, ...] = ()


class Usage(msgspec.Struct, frozen=True):
    """Tokens that the model read."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Answered(msgspec.Struct, Generic[Each], frozen=True):
    """A batch's answers, in the order of its inputs."""

    responses: list[Each]
    usage: Usage


_submitted = decoder(Submitted[msgspec.Raw])
_input = decoder(_Input)
_poll = decoder(Poll)
_encoder = msgspec.json.Encoder()


def polled_id(body: bytes) -> str | None:
    """Return the id of the batch that a body asks for; None where it asks for none.

    Raises:
        InvalidInput: the body is no JSON object, or the id no string.
    """
    # Most bodies are inputs, and need not be read twice.
    if b'"request_id"' not in body:
        return None
    return decode_json(body, _poll, misfit=as_upstream_says).request_id


class Batches:
    """Batches of this dialect, as jobs."""

    def __init__(
        self,
        jobs: JobRunner,
        ask: Ask,
        tell: Tell,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Keep batches with `jobs`, and answer their inputs with `ask`."""
        self._jobs, self._ask, self._tell, self._sleep = jobs, ask, tell, sleep

    async def submit(
        self, model: str, body: bytes, check: Callable[[bytes, str], None] | None = None
    ) -> Queued:
        """Keep a batch.

        Args:
            model: by its name in this dialect.
            body: the batch.
            check: looks at each input, and its place in the batch.

        Raises:
            InvalidInput: it is malformed; inputs by themselves are read when their turn comes.
            QueueFull: too many batches wait.
            StateUnavailable: it cannot be kept.
        """
        await read_beside(body, lambda: _check(body, check))
        job = await self._jobs.submit(model, body)
        return Queued("queued", job.job_id, model)

    async def poll(self, model: str, job_id: str) -> Queued | msgspec.Raw:
        """Tell how far a batch is, or what it was answered.

        Raises:
            InvalidInput: there is no such batch of this model, or no more.
            EngineError: the batch as a whole failed, which only a fault of ours makes it.
        """
        job = await self._jobs.find(job_id)
        if job is None or job.model != model:
            kept_h = self._jobs.options.keep_answers_h
            raise InvalidInput(
                f"no batch {job_id[:64]!r} of {model}; answers are kept for {kept_h:g} hours"
            )
        if job.state == "failed":
            raise EngineError(f"the batch {job.job_id} failed; the server's log says why")
        if job.state == "finished":
            return msgspec.Raw(job.answer)
        return Queued(job.state, job.job_id, model)

    async def carry_out(self, job: Job) -> bytes:
        """Answer every input of a batch."""
        inputs = await read_beside(
            job.question, lambda: decode_json(job.question, _submitted).requests
        )
        answers: list[tuple[Response[object], int] | None] = [None] * len(inputs)
        turns = iter(enumerate(inputs))

        async def answer_in_turn() -> None:
            for index, raw in turns:
                answers[index] = await self._answer(job.model, index, bytes(raw))

        # Not a task for each: a batch may hold half a million inputs.
        async with asyncio.TaskGroup() as group:
            for _ in range(min(_AT_ONCE, len(inputs))):
                group.create_task(answer_in_turn())
        given = [each for each in answers if each is not None]
        return await read_beside(job.question, lambda: _encoder.encode(_answered(given)))

    async def _answer(self, model: str, index: int, raw: bytes) -> tuple[Response[object], int]:
        reference = _input.decode(raw).external_reference
        try:
            carried = await self._ask_patiently(model, raw)
        except EarmarkError as error:
            return Response(index, {}, False, reference, (self._tell(error),)), 0  # noqa: FBT003
        tokens = int(carried.headers["x-compute-tokens"])
        return Response(index, carried.body, True, reference), tokens  # noqa: FBT003

    async def _ask_patiently(self, model: str, raw: bytes) -> Carried:
        """Ask, and ask again where the server is busy: nobody waits for a batch."""
        for _ in range(_TRIES - 1):
            try:
                return await self._ask(model, raw)
            except CapacityError as busy:
                await self._sleep(min(busy.retry_after_s, _LONGEST_PAUSE_S))
        return await self._ask(model, raw)


def _check(body: bytes, check: Callable[[bytes, str], None] | None) -> None:
    """Refuse a batch that is malformed, or an input whose reference is."""
    submitted = decode_json(body, _submitted, misfit=as_upstream_says)
    for index, each in enumerate(submitted.requests):
        decode_json(bytes(each), _input, misfit=as_upstream_says)
        if check is not None:
            check(bytes(each), f"requests[{index}].")


def _answered(answers: Sequence[tuple[Response[object], int]]) -> Answered[Response[object]]:
    tokens = sum(each for _, each in answers)
    return Answered([response for response, _ in answers], Usage(tokens, 0, tokens))
