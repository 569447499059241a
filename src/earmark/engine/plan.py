"""Plans a request: what to run, what to refuse, and how to read the answers."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from earmark.batching.ticket import Answer, Logits
from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind, ModelHead
from earmark.domain.texts import Question
from earmark.domain.timings import Timings
from earmark.engine.info import EngineInfo
from earmark.engine.reply import Reply
from earmark.errors import EarmarkError, InvalidInput, TokenizerFault, UnsupportedTask
from earmark.tasks.task import TaskRequest
from earmark.tokenizing.tokenizer import TextTokenizer

Result = TypeVar("Result")

MS_PER_S = 1000.0


@dataclass(frozen=True, slots=True)
class PlannedInput:
    """One input of a request.

    Attributes:
        encodings: what the model reads for it.
        refused: the error if it is refused; None if it is run.
    """

    encodings: tuple[Encoding, ...]
    refused: EarmarkError | None = None

    @property
    def tokens(self) -> int:
        """Number of tokens that the model reads, special ones included."""
        return sum(len(one) for one in self.encodings)

    @property
    def truncated_tokens(self) -> int:
        """Number of tokens that the model does not read."""
        return sum(one.truncated_tokens for one in self.encodings)


@dataclass(frozen=True, slots=True)
class Plan(Generic[Result]):
    """A request whose texts are encoded.

    Attributes:
        request: the request.
        items: its inputs, in order.
        started_s: when work on it began.
        tokenize_s: how long encoding took.
    """

    request: TaskRequest[Result]
    items: tuple[PlannedInput, ...]
    started_s: float
    tokenize_s: float

    @property
    def accepted(self) -> tuple[Encoding, ...]:
        """The encodings to run, in order."""
        return tuple(
            encoding for item in self.items if item.refused is None for encoding in item.encodings
        )

    def reply(self, answers: Sequence[Answer], head: ModelHead) -> Reply[Result]:
        """Combine the answers with the refused inputs.

        Args:
            answers: one for each of `accepted`, in order.
            head: how to read them.
        """
        outcomes: list[Result | EarmarkError] = []
        start = 0
        for index, item in enumerate(self.items):
            if item.refused is not None:
                outcomes.append(item.refused)
                continue
            end = start + len(item.encodings)
            outcomes.append(self._finish(index, item, answers[start:end], head))
            start = end
        ran = [answer for answer in answers if isinstance(answer, Logits)]
        timings = Timings(
            tokenize_ms=self.tokenize_s * MS_PER_S,
            queue_wait_ms=max((one.queue_wait_s for one in ran), default=0.0) * MS_PER_S,
            run_ms=max((one.run_s for one in ran), default=0.0) * MS_PER_S,
            total_ms=(time.monotonic() - self.started_s) * MS_PER_S,
        )
        return Reply(tuple(outcomes), timings)

    def _finish(
        self, index: int, item: PlannedInput, answers: Sequence[Answer], head: ModelHead
    ) -> Result | EarmarkError:
        """Read one input's answers; its error is the first among them."""
        logits = []
        for answer in answers:
            if not isinstance(answer, Logits):
                return answer
            logits.append(answer.values)
        try:
            return self.request.finish(index, item.encodings, logits, head)
        except TokenizerFault as error:  # the tokenizer failed on the tokens of this text
            return error


def make_plan(
    request: TaskRequest[Result],
    tokenizer: TextTokenizer,
    info: EngineInfo,
    head: HeadKind,
    most_tokens: int | None = None,
) -> Plan[Result]:
    """Encode the texts of a request.

    Args:
        request: the request.
        tokenizer: the model's.
        info: of the model; a text with a token that has no row of its embeddings is refused.
        head: the model's.
        most_tokens: limit of the tokens of all encodings; None for any number.

    Raises:
        InvalidInput: a text is not well-formed Unicode, a part of the request is malformed, or the
            model would read too many tokens.
        UnsupportedTask: the model cannot do this task.
    """
    if request.head != head:
        raise UnsupportedTask(
            f"model {info.model_id} is for {', '.join(info.tasks)}, not for {request.task}"
        )
    max_tokens, rows = info.max_input_tokens, info.embedding_rows
    started_s = time.monotonic()
    questions = request.questions()
    encode = partial(
        tokenizer.encode,
        max_tokens=max_tokens,
        align=request.head == "token",
        most_tokens=most_tokens,
    )
    encoded = _encoded(questions, encode)
    encodings: list[list[Encoding]] = [[] for _ in range(request.items)]
    refused: list[EarmarkError | None] = [None] * request.items
    for question, windows in zip(questions, encoded, strict=True):
        if isinstance(windows, TokenizerFault):
            refused[question.item] = windows
            continue
        encodings[question.item].extend(windows)
        if question.refuse and windows[0].truncated_tokens:
            refused[question.item] = _too_long(windows[0], max_tokens)
        for window in windows:
            token = window.beyond(rows)
            if token is not None:
                refused[question.item] = _no_row(tokenizer.token(token), token, rows)
    items = tuple(
        PlannedInput(tuple(read), why) for read, why in zip(encodings, refused, strict=True)
    )
    return Plan(request, items, started_s, time.monotonic() - started_s)


def _no_row(token: str, index: int, rows: int | None) -> InvalidInput:
    return InvalidInput(
        f"a text has the token {token!r}, id {index}, which the model was not trained with: it "
        f"has embeddings for the {rows} ids below {rows}; send the text without that token"
    )


def _encoded(
    questions: Sequence[Question], encode: Callable[[Sequence[Question]], list[list[Encoding]]]
) -> list[list[Encoding] | TokenizerFault]:
    """Encode questions; if the tokenizer fails, encode each half, down to single texts."""
    try:
        return list(encode(questions))
    except TokenizerFault as error:
        if len(questions) == 1:
            return [error]
    middle = len(questions) // 2
    halves = questions[:middle], questions[middle:]
    return [one for half in halves for one in _encoded(half, encode)]


def _too_long(encoding: Encoding, max_tokens: int) -> InvalidInput:
    length = len(encoding) + encoding.truncated_tokens
    return InvalidInput(
        f"a text is {length} tokens long and the model reads {max_tokens}; "
        "shorten it, or allow truncation"
    )
