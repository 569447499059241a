"""Asynchronous batches: many inputs in one request, answered when there is time.

``{"requests": [input, …]}`` with ``queueRequest=true`` is kept as a job; ``{"request_id"}`` asks
how far it is. Every input has an answer of its own, also where other inputs fail.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Final, Generic, TypeAlias, TypeGuard, TypeVar

import msgspec

from earmark.domain.texts import TextInput
from earmark.errors import CapacityError, EarmarkError, EngineError, InvalidInput
from earmark.serving.jobs.job import Job
from earmark.serving.jobs.runner import JobRunner, Progress
from earmark.serving.service import Call
from earmark.tasks.text_classification import TextClassification
from earmark.web.body import decode_json, decoder, read_beside
from earmark.web.dialects.cloudflare.envelope import ApiError
from earmark.web.dialects.cloudflare.inputs import (
    AnyExchange,
    as_upstream_says,
    labels_of,
    open_exchange,
)

Each = TypeVar("Each")
Result = TypeVar("Result")

Open: TypeAlias = Callable[[str], Awaitable[Call]]
"""Opens a call to a model, by its name in this dialect."""

Describe: TypeAlias = Callable[[EarmarkError], ApiError]
"""Puts what went wrong with one input into a code and a message."""

KIND: Final = "workers-ai"
"""The kind of the jobs of these batches."""

MOST_INPUTS: Final = 50_000
"""The most inputs of a batch. All answers are in memory when they are put together, some 20 MB."""

_CHUNK: Final = 256
"""Inputs that are sent to the model together, and whose answers are kept together: enough to fill
the model's batches, and few beside what callers who wait are allowed."""

_AT_ONCE: Final = 32
"""Inputs in flight at once where each has to be sent to the model by itself."""

_TRIES: Final = 20
"""Tries for an input that finds the server busy; the waits between grow to half a minute."""

_LONGEST_PAUSE_S: Final = 30.0

_Answer: TypeAlias = tuple[object, int] | EarmarkError
"""An answer's body and the tokens that were read for it, or an error."""


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


class _Part(msgspec.Struct, frozen=True):
    """The kept answers to some neighbouring inputs."""

    responses: list[msgspec.Raw]
    tokens: int


_part = msgspec.json.Decoder(_Part)


class Batches:
    """Batches of this dialect, as jobs."""

    def __init__(
        self,
        jobs: JobRunner,
        open_: Open,
        describe: Describe,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Keep batches with `jobs`, and answer their inputs by the calls of `open_`."""
        self._jobs, self._open, self._describe, self._sleep = jobs, open_, describe, sleep

    async def submit(
        self, model: str, body: bytes, check: Callable[[bytes, str], None] | None = None
    ) -> Queued:
        """Keep a batch.

        Args:
            model: by its name in this dialect.
            body: the batch.
            check: looks at each input, and its place in the batch.

        Raises:
            InvalidInput: it is malformed, or holds too many inputs; inputs by themselves are read
                when their turn comes.
            QueueFull: too many batches wait.
            StateUnavailable: it cannot be kept.
        """
        total = await read_beside(body, lambda: _check(body, check))
        job = await self._jobs.submit(KIND, model, body, total=total)
        return Queued("queued", job.job_id, model)

    async def poll(self, model: str, job_id: str) -> Queued | msgspec.Raw:
        """Return how far a batch is, or its answers.

        Raises:
            InvalidInput: this model has no such batch, or it has expired.
            EngineError: the batch as a whole failed, which is always a fault of the server.
        """
        job = await self._jobs.find(job_id)
        if job is None or job.kind != KIND or job.model != model:
            kept_h = self._jobs.options.keep_answers_h
            raise InvalidInput(
                f"no batch {job_id[:64]!r} of {model}; answers are kept for {kept_h:g} hours"
            )
        if job.state == "failed":
            raise EngineError(f"the batch {job.job_id} failed; the server's log says why")
        if job.state == "finished":
            return msgspec.Raw(job.answer)
        return Queued(job.state, job.job_id, model)

    async def carry_out(self, job: Job, progress: Progress) -> bytes:
        """Answer every input of a batch that has no answer yet, and put all answers together."""
        inputs = await read_beside(
            job.question, lambda: decode_json(job.question, _submitted).requests
        )
        for first in range(job.done, len(inputs), _CHUNK):
            chunk = {place: bytes(inputs[place]) for place in _places(first, len(inputs))}
            answers = await self._answers(job.model, chunk)
            part = await read_beside(job.question, lambda: self._written(chunk, answers))  # noqa: B023 - awaited within the turn
            await progress.keep(part, done=first + len(chunk))
        parts = await progress.parts()
        return await read_beside(job.question, lambda: _joined(parts))

    async def _answers(self, model: str, chunk: Mapping[int, bytes]) -> dict[int, _Answer]:
        """Answer some inputs; repeat those that find the server busy, since no client waits."""
        answers: dict[int, _Answer] = {}
        left = dict(chunk)
        for turn in range(_TRIES):
            found = await self._ask(model, left)
            busy = [each.retry_after_s for each in found.values() if _is_busy(each)]
            last = turn == _TRIES - 1 or not busy
            settled = {i: each for i, each in found.items() if last or not _is_busy(each)}
            answers |= settled
            left = {place: raw for place, raw in left.items() if place not in settled}
            if not left:
                break
            await self._sleep(min(max(busy), _LONGEST_PAUSE_S))
        return answers

    async def _ask(self, model: str, inputs: Mapping[int, bytes]) -> dict[int, _Answer]:
        """Answer some inputs once; texts go to the model together, so that they share batches."""
        try:
            call = await self._open(model)
        except EarmarkError as error:
            return dict.fromkeys(inputs, error)
        answers: dict[int, _Answer] = {}
        texts: dict[int, tuple[TextInput, AnyExchange]] = {}
        others: dict[int, AnyExchange] = {}
        for place, raw in inputs.items():
            try:
                exchange, _ = open_exchange(raw, call.model.info)
            except EarmarkError as error:
                answers[place] = error
                continue
            if isinstance(exchange.request, TextClassification):
                texts[place] = (exchange.request.inputs[0], exchange)
            else:
                others[place] = exchange
        answers |= await self._ask_together(call, texts)
        return answers | await self._ask_each(call, others)

    async def _ask_together(
        self, call: Call, texts: Mapping[int, tuple[TextInput, AnyExchange]]
    ) -> dict[int, _Answer]:
        if not texts:
            return {}
        asked = tuple(text for text, _ in texts.values())
        try:
            served = await call.answer(TextClassification(asked, sort=False))
        except CapacityError as busy:
            return dict.fromkeys(texts, busy)
        except EarmarkError:  # of all together: alone, some may be answered
            return await self._ask_each(call, {place: each for place, (_, each) in texts.items()})
        return {
            place: outcome
            if isinstance(outcome, EarmarkError)
            else (labels_of([outcome]), outcome.tokens)
            for place, outcome in zip(texts, served.reply.outcomes, strict=True)
        }

    async def _ask_each(
        self, call: Call, exchanges: Mapping[int, AnyExchange]
    ) -> dict[int, _Answer]:
        answers: dict[int, _Answer] = {}
        turns = iter(exchanges.items())

        async def answer_in_turn() -> None:
            for place, exchange in turns:
                try:
                    carried = await exchange.carry_out(call)
                    answers[place] = (carried.body, carried.tokens)
                except EarmarkError as error:
                    answers[place] = error

        async with asyncio.TaskGroup() as group:
            for _ in range(min(_AT_ONCE, len(exchanges))):
                group.create_task(answer_in_turn())
        return answers

    def _written(self, chunk: Mapping[int, bytes], answers: Mapping[int, _Answer]) -> bytes:
        responses: list[msgspec.Raw] = []
        tokens = 0
        for place, raw in chunk.items():
            reference = _input.decode(raw).external_reference
            answer = answers[place]
            if isinstance(answer, EarmarkError):
                response = Response[object](place, {}, False, reference, (self._describe(answer),))  # noqa: FBT003
            else:
                body, read = answer
                response = Response(place, body, True, reference)  # noqa: FBT003
                tokens += read
            responses.append(msgspec.Raw(_encoder.encode(response)))
        return _encoder.encode(_Part(responses, tokens))


def _places(first: int, total: int) -> range:
    return range(first, min(first + _CHUNK, total))


def _is_busy(answer: _Answer) -> TypeGuard[CapacityError]:
    return isinstance(answer, CapacityError)


def _check(body: bytes, check: Callable[[bytes, str], None] | None) -> int:
    """Refuse a batch that is malformed or too large, or an input whose reference is none.

    Returns:
        How many inputs it holds.
    """
    inputs = decode_json(body, _submitted, misfit=as_upstream_says).requests
    if len(inputs) > MOST_INPUTS:
        raise InvalidInput(
            f"the batch holds {len(inputs):,} requests, at most {MOST_INPUTS:,} are taken; send"
            " several batches"
        )
    for index, each in enumerate(inputs):
        decode_json(bytes(each), _input, misfit=as_upstream_says)
        if check is not None:
            check(bytes(each), f"requests[{index}].")
    return len(inputs)


def _joined(parts: Sequence[bytes]) -> bytes:
    read = [_part.decode(each) for each in parts]
    tokens = sum(each.tokens for each in read)
    responses = [response for each in read for response in each.responses]
    return _encoder.encode(Answered(responses, Usage(tokens, 0, tokens)))
