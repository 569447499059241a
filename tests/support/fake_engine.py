"""An engine in memory: no model, no thread, but everything a caller can see of a real one."""

import asyncio
import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from earmark.domain.encoding import Encoding
from earmark.domain.labels import LabelSet, ProblemType
from earmark.domain.packing import Float32
from earmark.domain.results import Classification
from earmark.domain.texts import TextInput
from earmark.domain.timings import Timings
from earmark.engine.info import EngineInfo, EngineState, QueueState
from earmark.engine.reply import Reply
from earmark.errors import EarmarkError, InvalidInput
from earmark.tasks.text_classification import TextClassification, finish

__all__ = ["FAKE_TIMINGS", "FakeEngine", "pseudo_logits"]

FAKE_TIMINGS = Timings(tokenize_ms=0.25, queue_wait_ms=1.5, run_ms=4.0, total_ms=6.0)
"""What every fake answer says it took."""

_SPECIAL_TOKENS = 2
"""A word is a token here; one special token stands at each end."""


def pseudo_logits(text: TextInput, labels: int) -> Float32:
    """Derive logits from the text alone: the same for ever, between -4 and 4.

    Returns:
        Shape ``[labels]``.
    """
    digest = hashlib.shake_256(repr((text.text, text.pair)).encode()).digest(2 * labels)
    raw = np.frombuffer(digest, np.uint16).astype(np.float32)
    return raw / np.float32(8192) - np.float32(4)


@dataclass(slots=True)
class FakeEngine:
    """Answers from hashes, fails and waits on demand, and remembers what happened to it.

    Attributes:
        model_id: what requests name it by.
        label_names: labels of the head; one name makes a one-logit model.
        problem_type: as in a checkpoint's config.
        task: what the model is for.
        max_input_tokens: longer texts are cut, or refused.
        state: what `queue_state` says until it is closed.
        failure: raised for every request.
        text_failures: outcome of the texts named here.
        logits: used instead of `pseudo_logits` for the texts named here.
        gate: an answer waits until it is set.
        entered: set when a request has arrived, for a test on the engine's own loop.
        arrived: the same, for a test in another thread.
        left: set when a caller has left, for a test in another thread.
        requests: every request that arrived.
        deadlines_s: their deadlines.
        cancelled: requests whose caller left while they waited.
        closed: how often `close` was called.
    """

    model_id: str = "acme/tc"
    label_names: Sequence[str] = ("NEGATIVE", "POSITIVE")
    problem_type: ProblemType | None = None
    task: str = "text-classification"
    max_input_tokens: int = 16
    state: EngineState = "ready"
    failure: Exception | None = None
    text_failures: Mapping[str, EarmarkError] = field(default_factory=dict)
    logits: Mapping[TextInput, Sequence[float]] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    requests: list[TextClassification] = field(default_factory=list)
    deadlines_s: list[float | None] = field(default_factory=list)
    cancelled: int = 0
    closed: int = 0

    @property
    def info(self) -> EngineInfo:
        """Facts as a small model on a small machine would have them."""
        return EngineInfo(
            model_id=self.model_id,
            task=self.task,
            architecture="distilbert",
            labels=LabelSet(tuple(self.label_names), self.problem_type),
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
            load_s=0.5,
        )

    def queue_state(self) -> QueueState:
        """Nothing waits here, whatever the state."""
        running_s = 75.0 if self.state == "stalled" else 0.0
        state: EngineState = "closed" if self.closed else self.state
        return QueueState(state=state, waiting_texts=0, waiting_tokens=0, running_s=running_s)

    async def classify(
        self, request: TextClassification, *, deadline_s: float | None = None
    ) -> Reply:
        """Answer every text once the gate is open."""
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
        return Reply(tuple(self._outcome(request, each) for each in request.inputs), FAKE_TIMINGS)

    def close(self) -> None:
        """Count the call."""
        self.closed += 1

    def _outcome(
        self, request: TextClassification, text: TextInput
    ) -> Classification | EarmarkError:
        if text.text in self.text_failures:
            return self.text_failures[text.text]
        words = len(text.text.split()) + len((text.pair or "").split())
        excess = max(0, words + _SPECIAL_TOKENS - self.max_input_tokens)
        if excess and not request.truncate:
            return InvalidInput(f"a text is {excess} tokens too long")
        tokens = words + _SPECIAL_TOKENS - excess
        encoding = Encoding((0,) * tokens, (0,) * tokens, excess)
        given = self.logits.get(text)
        logits = (
            pseudo_logits(text, len(self.label_names))
            if given is None
            else np.array(given, np.float32)
        )
        return finish(request, encoding, logits, self.info.labels)
