"""The results of each task."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label and its score.

    Attributes:
        label: the label's name.
        score: a probability, or a raw logit if no function was applied.
    """

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Classification:
    """The answer for one text.

    Attributes:
        scores: best first, labels of equal score in the order of the head; or all in that order, if
            the request does not sort.
        tokens: tokens the model read, special ones included.
        truncated_tokens: tokens of the text that did not fit the model and were not read.
    """

    scores: tuple[LabelScore, ...]
    tokens: int
    truncated_tokens: int = 0

    @property
    def label(self) -> str:
        """The best label."""
        return self._best.label

    @property
    def score(self) -> float:
        """The best label's score."""
        return self._best.score

    @property
    def _best(self) -> LabelScore:
        return max(self.scores, key=lambda each: each.score)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidate labels for one text, from zero-shot classification.

    Attributes:
        scores: one for each candidate label, best first.
        tokens: tokens the model read over all hypotheses, special ones included.
        truncated_tokens: tokens that did not fit beside a hypothesis, over all of them.
    """

    scores: tuple[LabelScore, ...]
    tokens: int
    truncated_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Relevance:
    """How well one document answers a query.

    Attributes:
        score: a probability, or the raw logit if no function was applied.
        tokens: tokens the model read of query and document, special ones included.
        truncated_tokens: tokens of both that did not fit the model and were not read.
    """

    score: float
    tokens: int
    truncated_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Entity:
    """A labelled piece of a text: a token, or tokens that belong together.

    Attributes:
        label: for a group, the kind of entity; for a single token, the model's label.
        score: a probability; for a group, the mean of its words.
        word: the tokens as the tokenizer writes them; `start` and `end` are authoritative.
        start: first Unicode code point in the text.
        end: last code point plus one.
        group: the kind of entity: the label without the token's position in the entity.
        index: for a single token, its place in its window, with special tokens; None for a group.
    """

    label: str
    score: float
    word: str
    start: int
    end: int
    group: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Entities:
    """The labelled pieces of one text.

    Attributes:
        found: in the order of the text.
        tokens: tokens the model read over all windows, special ones included.
        truncated_tokens: tokens of the text that were not read.
    """

    found: tuple[Entity, ...]
    tokens: int
    truncated_tokens: int = 0
