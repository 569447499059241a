"""A request as the engine carries it out: what to run, what to refuse, how to read the answer."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from earmark.batching.ticket import Answer, Logits
from earmark.domain.encoding import Encoding
from earmark.domain.labels import LabelSet
from earmark.domain.results import Classification
from earmark.domain.timings import Timings
from earmark.engine.reply import Reply
from earmark.errors import EarmarkError, InvalidInput
from earmark.tasks.text_classification import TextClassification, finish
from earmark.tokenizing.tokenizer import TextTokenizer

__all__ = ["Plan", "make_plan"]

MS_PER_S = 1000.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A request whose texts are encoded.

    Attributes:
        request: what was asked.
        encodings: of every text, in order.
        refused: index of a text -> why it is not run.
        started_s: when work on it began.
        tokenize_s: how long encoding took.
    """

    request: TextClassification
    encodings: tuple[Encoding, ...]
    refused: dict[int, EarmarkError]
    started_s: float
    tokenize_s: float

    @property
    def accepted(self) -> tuple[Encoding, ...]:
        """The encodings to run, in order."""
        return tuple(
            encoding for index, encoding in enumerate(self.encodings) if index not in self.refused
        )

    def reply(self, answers: Sequence[Answer], labels: LabelSet) -> Reply:
        """Put the answers back beside what was refused.

        Args:
            answers: one for each of `accepted`, in order.
            labels: the head's labels.
        """
        remaining = iter(answers)
        outcomes: list[Classification | EarmarkError] = []
        for index, encoding in enumerate(self.encodings):
            answer = self.refused.get(index) or next(remaining)
            if isinstance(answer, Logits):
                outcomes.append(finish(self.request, encoding, answer.values, labels))
            else:
                outcomes.append(answer)
        ran = [answer for answer in answers if isinstance(answer, Logits)]
        timings = Timings(
            tokenize_ms=self.tokenize_s * MS_PER_S,
            queue_wait_ms=max((one.queue_wait_s for one in ran), default=0.0) * MS_PER_S,
            run_ms=max((one.run_s for one in ran), default=0.0) * MS_PER_S,
            total_ms=(time.monotonic() - self.started_s) * MS_PER_S,
        )
        return Reply(tuple(outcomes), timings)


def make_plan(request: TextClassification, tokenizer: TextTokenizer, *, max_tokens: int) -> Plan:
    """Encode the texts of a request.

    Raises:
        InvalidInput: a text is no well-formed Unicode.
    """
    started_s = time.monotonic()
    encodings = tuple(tokenizer.encode(request.inputs, max_tokens=max_tokens))
    refused: dict[int, EarmarkError] = {}
    if not request.truncate:
        for index, encoding in enumerate(encodings):
            if encoding.truncated_tokens:
                length = len(encoding) + encoding.truncated_tokens
                refused[index] = InvalidInput(
                    f"input {index} is {length} tokens long and the model reads {max_tokens}; "
                    "shorten it, or allow truncation"
                )
    return Plan(request, encodings, refused, started_s, time.monotonic() - started_s)
