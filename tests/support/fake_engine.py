"""An engine in memory: no model, no thread, but everything a caller can see of a real one."""

import asyncio
import hashlib
import math
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from earmark.batching.ticket import Logits, Submission
from earmark.domain.encoding import Alignment, Encoding
from earmark.domain.head import HeadKind, ModelHead
from earmark.domain.labels import LabelSet, ProblemType
from earmark.domain.packing import Float32
from earmark.domain.texts import Question, TextInput
from earmark.domain.timings import Timings
from earmark.engine.certificate import Certificate
from earmark.engine.info import EngineInfo, EngineState, QueueState
from earmark.engine.plan import Plan, PlannedInput
from earmark.engine.reply import Reply
from earmark.engine.streaming import EntityStream
from earmark.errors import EarmarkError, InvalidInput
from earmark.tasks.task import TaskName, TaskRequest
from earmark.tasks.token_classification import TokenClassification

Result = TypeVar("Result")

FAKE_TIMINGS = Timings(tokenize_ms=0.25, queue_wait_ms=1.5, run_ms=4.0, total_ms=6.0)
"""What every fake answer says it took."""

_WORD = re.compile(r"\S+")
_SPECIAL_TOKENS = 2
"""A word is a token here; one special token stands at each end."""


def probabilities(best: float) -> tuple[float, float]:
    """Give the logits of a model that is so sure of the second of its two labels."""
    return math.log(1 - best), math.log(best)


def odds(score: float) -> float:
    """Give the logit that a sigmoid makes this score of."""
    return math.log(score / (1 - score))


def pseudo_logits(text: TextInput, labels: int) -> Float32:
    """Derive logits from the text alone: the same for ever, between -4 and 4.

    Returns:
        Shape ``[labels]``.
    """
    digest = hashlib.shake_256(repr((text.text, text.pair)).encode()).digest(2 * labels)
    raw = np.frombuffer(digest, np.uint16).astype(np.float32)
    return raw / np.float32(8192) - np.float32(4)


FAKE_CERTIFICATE = Certificate(
    precision="float32",
    runtime="fake 1.0",
    device="a processor",
    reference="a reference",
    texts=2,
    answers=2,
    greatest_difference=0.0005,
    mean_difference=0.0003,
    disagreements=0,
    close_calls=1,
    tolerance=0.001,
    holds=True,
)
"""As of a model that is close enough to its reference."""


@dataclass(slots=True)
class FakeEngine:
    """Answers from hashes, fails and waits on demand, and remembers what happened to it.

    Attributes:
        model_id: what requests name it by.
        label_names: labels of the head; one name makes a one-logit model.
        problem_type: as in a checkpoint's config.
        tasks: what the model is for.
        max_input_tokens: longer texts are cut, or refused.
        state: what `queue_state` says until it is closed.
        identity: what was loaded under the id.
        failure: raised for every request.
        text_failures: outcome of the texts named here.
        logits: used instead of `pseudo_logits` for the texts named here; of a model that labels
            tokens, for the words.
        gate: an answer waits until it is set; a stream, before it begins.
        held_back: of a stream's windows, so many of the last wait for `let_go`.
        submissions: of every stream, its windows.
        entered: set when a request has arrived, for a test on the engine's own loop.
        arrived: the same, for a test in another thread.
        left: set when a caller has left, or closed a stream, for a test in another thread.
        requests: every request that arrived.
        deadlines_s: their deadlines.
        cancelled: requests whose caller left while they waited.
        closed: how often `close` was called.
        memory: what `memory_bytes` says.
    """

    model_id: str = "acme/tc"
    label_names: Sequence[str] = ("NEGATIVE", "POSITIVE")
    problem_type: ProblemType | None = None
    tasks: tuple[TaskName, ...] = ("text-classification", "zero-shot-classification")
    max_input_tokens: int = 16
    state: EngineState = "ready"
    identity: str = "as first loaded"
    failure: Exception | None = None
    text_failures: Mapping[str, EarmarkError] = field(default_factory=dict)
    logits: Mapping[TextInput, Sequence[float]] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    held_back: int = 0
    submissions: list["_Watched"] = field(default_factory=list)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    requests: list[TaskRequest[object]] = field(default_factory=list)
    deadlines_s: list[float | None] = field(default_factory=list)
    cancelled: int = 0
    closed: int = 0
    memory: int | None = None

    @property
    def info(self) -> EngineInfo:
        """Facts as a small model on a small machine would have them."""
        return EngineInfo(
            model_id=self.model_id,
            tasks=self.tasks,
            architecture="distilbert",
            labels=LabelSet(tuple(self.label_names), self.problem_type),
            weights_bytes=267_832_560,
            parameters=66_955_010,
            precision="float32",
            requested_precision="auto",
            stored_precision="float32",
            compute_note="",
            runtime="fake 1.0",
            device="a processor",
            max_input_tokens=self.max_input_tokens,
            max_batch_tokens=1024,
            source="/secret/folder/of/the/operator",
            identity=self.identity,
            load_s=0.5,
            certificate=FAKE_CERTIFICATE,
        )

    def memory_bytes(self) -> int | None:
        """Return what the test has set."""
        return self.memory

    def queue_state(self) -> QueueState:
        """Nothing waits here, whatever the state."""
        running_s = 75.0 if self.state == "stalled" else 0.0
        state: EngineState = "closed" if self.closed else self.state
        return QueueState(state=state, waiting_texts=0, waiting_tokens=0, running_s=running_s)

    async def answer(
        self, request: TaskRequest[Result], *, deadline_s: float | None = None
    ) -> Reply[Result]:
        """Answer every input once the gate is open."""
        await self._arrive(request, deadline_s)
        items = range(request.items)
        return Reply(tuple(self._outcome(request, item) for item in items), FAKE_TIMINGS)

    async def stream(
        self, request: TokenClassification, *, deadline_s: float | None = None
    ) -> EntityStream:
        """Answer every window once the gate is open, but for those that are held back."""
        await self._arrive(request, deadline_s)
        items = tuple(PlannedInput(tuple(self._read(one))) for one in request.questions())
        plan = Plan(request, items, time.monotonic(), FAKE_TIMINGS.tokenize_ms / 1000)
        submission = _Watched.of(plan.accepted, now_s=0.0, deadline_s=deadline_s)
        submission.left = self.left
        submission.texts = [
            text for text, item in zip(request.inputs, items, strict=True) for _ in item.encodings
        ]
        self.submissions.append(submission)
        self.let_go(*range(len(submission.tickets) - self.held_back))
        head = ModelHead("token", self.info.labels, WordPieces())
        return EntityStream(request, plan, submission, head, deadline_s=deadline_s)

    def let_go(self, *places: int) -> None:
        """Answer windows of the last stream, by their place among all of its windows."""
        submission = self.submissions[-1]
        for place in places:
            ticket, text = submission.tickets[place], submission.texts[place]
            values = self._answer(TextInput(text), ticket.encoding, "token")
            ticket.settle(self.text_failures.get(text) or Logits(values, 0.0, 0.0))

    def close(self) -> None:
        """Count the call."""
        self.closed += 1

    async def _arrive(self, request: TaskRequest[object], deadline_s: float | None) -> None:
        """Remember a request, wait for the gate, then fail where that was asked."""
        self.requests.append(request)
        self.deadlines_s.append(deadline_s)
        self.entered.set()
        self.arrived.set()
        try:
            if self.gate is not None:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            self.left.set()
            raise
        if self.failure is not None:
            raise self.failure

    def _outcome(self, request: TaskRequest[Result], item: int) -> Result | EarmarkError:
        encodings, logits = [], []
        for question in request.questions():
            if question.item != item:
                continue
            if question.text.text in self.text_failures:
                return self.text_failures[question.text.text]
            for encoding in self._read(question):
                if question.refuse and encoding.truncated_tokens:
                    return InvalidInput(f"a text is {encoding.truncated_tokens} tokens too long")
                encodings.append(encoding)
                logits.append(self._answer(question.text, encoding, request.head))
        head = ModelHead(request.head, self.info.labels, WordPieces())
        return request.finish(item, encodings, logits, head)

    def _read(self, question: Question) -> Iterator[Encoding]:
        """Take each word for a token, between two special ones; cut, or go on in windows."""
        words = list(_WORD.finditer(question.text.text))
        length = len(words) + len((question.text.pair or "").split())
        room = self.max_input_tokens - _SPECIAL_TOKENS
        if question.cut != "windows":
            yield _encoding(words[:room], min(length, room), max(length - room, 0))
            return
        last = max(length - question.stride, 1)
        for start in range(0, last, room - question.stride):
            window = words[start : start + room]
            yield _encoding(window, len(window), 0)

    def _answer(self, text: TextInput, encoding: Encoding, head: HeadKind) -> Float32:
        """Answer a text, ``[labels]``, or each of its tokens, ``[tokens, labels]``."""
        if head == "sequence":
            return self._logits(text)
        tokens = encoding.alignment.tokens if encoding.alignment else ()
        return np.stack([self._logits(TextInput(token)) for token in tokens])

    def _logits(self, text: TextInput) -> Float32:
        """Take what the test gave for the text, or what follows from its hash."""
        given = self.logits.get(text)
        if given is None:
            return pseudo_logits(text, len(self.label_names))
        return np.array(given, np.float32)


def _encoding(words: Sequence[re.Match[str]], length: int, lost: int) -> Encoding:
    alignment = Alignment(
        ("[CLS]", *(word.group() for word in words), "[SEP]"),
        ((0, 0), *(word.span() for word in words), (0, 0)),
        (True, *(False for _ in words), True),
        (False,) * (len(words) + _SPECIAL_TOKENS),
    )
    tokens = length + _SPECIAL_TOKENS
    return Encoding((0,) * tokens, (0,) * tokens, lost, alignment)


class _Watched(Submission):
    """A submission whose caller is heard to leave, and which knows its texts."""

    left: threading.Event
    texts: list[str]

    def abandon(self) -> None:
        """Abandon, then report it."""
        super().abandon()
        self.left.set()

    def let_go(self) -> None:
        """Keep the tickets: a test looks at what became of them."""


def zero_shot_model(
    model_id: str = "acme/zs", *, logits: Mapping[TextInput, Sequence[float]] | None = None
) -> FakeEngine:
    """Make a model of language inference: contradiction, neutral, entailment."""
    return FakeEngine(
        model_id,
        label_names=("CONTRADICTION", "NEUTRAL", "ENTAILMENT"),
        tasks=("zero-shot-classification", "text-classification"),
        logits=logits or {},
    )


def token_labeller(
    model_id: str = "acme/tk", *, logits: Mapping[TextInput, Sequence[float]] | None = None
) -> FakeEngine:
    """Make a model that finds persons: O, B-PER, I-PER."""
    return FakeEngine(
        model_id,
        label_names=("O", "B-PER", "I-PER"),
        tasks=("token-classification",),
        logits=logits or {},
    )


def reranker(
    model_id: str = "acme/rr", *, logits: Mapping[TextInput, Sequence[float]] | None = None
) -> FakeEngine:
    """Make a model with one label, which scores pairs."""
    return FakeEngine(
        model_id,
        label_names=("LABEL_0",),
        tasks=("text-classification", "text-ranking"),
        logits=logits or {},
    )


class WordPieces:
    """Every token is a word."""

    unknown = None

    def join(self, tokens: list[str]) -> str:
        """Put spaces between words."""
        return " ".join(tokens)
