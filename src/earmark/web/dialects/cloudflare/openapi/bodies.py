"""Every body there is, by a name of its own: the dialect's wrappers, each around one kind of input.

The dialect itself leaves what it wraps open, and reads and writes it by itself.
"""

from typing import TypeAlias

from earmark.domain.results import LabelScore
from earmark.web.dialects.cloudflare.access import Verified
from earmark.web.dialects.cloudflare.batches import Answered, Poll, Queued, Response, Submitted
from earmark.web.dialects.cloudflare.binding import TensorAnswer, TensorBody
from earmark.web.dialects.cloudflare.catalogue import Author, Model, Schema, Task
from earmark.web.dialects.cloudflare.envelope import Envelope, Nothing
from earmark.web.dialects.cloudflare.inputs import (
    ClassifierInput,
    Ranked,
    RerankerInput,
    Scored,
)
from earmark.web.dialects.cloudflare.wrappers import Bound, Universal

__all__ = [
    "BOUND_ANSWERS",
    "BOUND_INPUTS",
    "INPUTS",
    "RUN_ANSWERS",
    "UNIVERSAL_INPUTS",
    "AuthorsAnswer",
    "EdgeFailure",
    "FinetunesAnswer",
    "ModelFailure",
    "ModelsAnswer",
    "SchemaAnswer",
    "TasksAnswer",
    "VerifiedAnswer",
]


class TextOfBatch(ClassifierInput, frozen=True):
    """A text in a batch; its reference comes back beside its answer."""

    external_reference: str | None = None


class QueryOfBatch(RerankerInput, frozen=True):
    """A query and its contexts in a batch; their reference comes back beside their answer."""

    external_reference: str | None = None


class TextBatch(Submitted[TextOfBatch], frozen=True):
    """Texts to be answered when there is time."""


class QueryBatch(Submitted[QueryOfBatch], frozen=True):
    """Queries to be answered when there is time."""


class BatchPoll(Poll, frozen=True):
    """Asks how far a batch is."""

    request_id: str


INPUTS = (ClassifierInput, RerankerInput, TextBatch, QueryBatch, BatchPoll)
"""What a run takes, where its address names the model."""


class UniversalText(Universal[ClassifierInput], frozen=True):
    """A text for a model."""


class UniversalQuery(Universal[RerankerInput], frozen=True):
    """A query and contexts for a model."""


class UniversalTextBatch(Universal[TextBatch], frozen=True):
    """A batch of texts for a model."""


class UniversalQueryBatch(Universal[QueryBatch], frozen=True):
    """A batch of queries for a model."""


class UniversalPoll(Universal[BatchPoll], frozen=True):
    """Asks how far a model's batch is."""


UNIVERSAL_INPUTS = (
    UniversalText,
    UniversalQuery,
    UniversalTextBatch,
    UniversalQueryBatch,
    UniversalPoll,
)
"""What a run takes, where its address names no model."""


class BoundText(Bound[ClassifierInput], frozen=True):
    """A text from a binding."""


class BoundQuery(Bound[RerankerInput], frozen=True):
    """A query and contexts from a binding."""


class BoundTextBatch(Bound[TextBatch], frozen=True):
    """A batch of texts from a binding."""


class BoundQueryBatch(Bound[QueryBatch], frozen=True):
    """A batch of queries from a binding."""


class BoundPoll(Bound[BatchPoll], frozen=True):
    """A binding asks how far a batch is."""


BOUND_INPUTS = (BoundText, BoundQuery, BoundTextBatch, BoundQueryBatch, BoundPoll, TensorBody)
"""What a run takes from a binding."""


_BatchResult: TypeAlias = tuple[LabelScore, ...] | dict[str, list[Scored]]
"""Labels, or the `response` of a reranker; an empty object where the input failed."""


class BatchResponse(Response[_BatchResult], frozen=True, omit_defaults=True):
    """The answer to one input of a batch; of one that failed, an empty object and its errors."""


class AnsweredBatch(Answered[BatchResponse], frozen=True):
    """A batch's answers, in the order of its inputs."""


BOUND_ANSWERS = (tuple[LabelScore, ...], Ranked, Queued, AnsweredBatch, TensorAnswer)
"""What a model answers, or what is told of a batch."""


class LabelsAnswer(Envelope[tuple[LabelScore, ...]], frozen=True, omit_defaults=True):
    """Labels, in the order of the model's classes."""


class RankedAnswer(Envelope[Ranked], frozen=True, omit_defaults=True):
    """Contexts by their places, the best first."""


class QueuedAnswer(Envelope[Queued], frozen=True, omit_defaults=True):
    """How far a batch is."""


class BatchAnswer(Envelope[AnsweredBatch], frozen=True, omit_defaults=True):
    """A batch that is answered."""


RUN_ANSWERS = (LabelsAnswer, RankedAnswer, QueuedAnswer, BatchAnswer)
"""The same, each in its envelope."""


class ModelFailure(Envelope[Nothing], frozen=True, omit_defaults=True):
    """An error of a model, or on the way to one; its message ends in the request's id."""


class EdgeFailure(Envelope[None], frozen=True, omit_defaults=True):
    """An error that no model has to do with."""


class ModelsAnswer(Envelope[list[Model]], frozen=True, omit_defaults=True):
    """Models, and which page of them this is."""


class SchemaAnswer(Envelope[Schema], frozen=True, omit_defaults=True):
    """What a model takes and gives."""


class TasksAnswer(Envelope[list[Task]], frozen=True, omit_defaults=True):
    """The tasks."""


class AuthorsAnswer(Envelope[list[Author]], frozen=True, omit_defaults=True):
    """Whoever models are named after."""


class FinetunesAnswer(Envelope[tuple[()]], frozen=True, omit_defaults=True):
    """No fine-tunes."""


class VerifiedAnswer(Envelope[Verified], frozen=True, omit_defaults=True):
    """A key that holds."""
