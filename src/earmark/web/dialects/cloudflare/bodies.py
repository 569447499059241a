"""Every body there is, by a name of its own: the dialect's wrappers, each around one kind of input.

The dialect itself leaves what it wraps open, and reads and writes it by itself.
"""

from types import new_class
from typing import Final

from earmark.domain.results import LabelScore
from earmark.web.dialects.cloudflare import batches
from earmark.web.dialects.cloudflare.access import Verified
from earmark.web.dialects.cloudflare.binding import TensorAnswer, TensorBody
from earmark.web.dialects.cloudflare.catalogue import Author, Model, Schema, Task
from earmark.web.dialects.cloudflare.envelope import Envelope, Nothing
from earmark.web.dialects.cloudflare.inputs import ClassifierInput, Ranked, RerankerInput, Scored
from earmark.web.dialects.cloudflare.wrappers import Bound, Universal

__all__ = [
    "AUTHORS",
    "BOUND_ANSWERS",
    "BOUND_INPUTS",
    "EDGE_FAILURE",
    "FINETUNES",
    "INPUTS",
    "MODELS",
    "MODEL_FAILURE",
    "RUN_ANSWERS",
    "SCHEMA",
    "TASKS",
    "UNIVERSAL_INPUTS",
    "VERIFIED",
]


def _named(**bodies: tuple[type, str]) -> tuple[type, ...]:
    """Give each type of a body a name and a description of its own."""
    types = tuple(new_class(name, (of,)) for name, (of, _) in bodies.items())
    for named, (_, description) in zip(types, bodies.values(), strict=True):
        named.__doc__ = description
    return types


class TextOfBatch(ClassifierInput, frozen=True):
    """A text in a batch; its reference comes back beside its answer."""

    external_reference: str | None = None


class QueryOfBatch(RerankerInput, frozen=True):
    """A query and its contexts in a batch; their reference comes back beside their answer."""

    external_reference: str | None = None


class TextBatch(batches.Submitted[TextOfBatch], frozen=True):
    """Texts to be answered when there is time."""


class QueryBatch(batches.Submitted[QueryOfBatch], frozen=True):
    """Queries to be answered when there is time."""


class BatchPoll(batches.Poll, frozen=True):
    """Asks how far a batch is."""

    request_id: str


class BatchResponse(
    batches.Response[tuple[LabelScore, ...] | dict[str, list[Scored]]],
    frozen=True,
    omit_defaults=True,
):
    """The answer to one input of a batch; of one that failed, an empty object and its errors."""


class AnsweredBatch(batches.Answered[BatchResponse], frozen=True):
    """A batch's answers, in the order of its inputs."""


INPUTS: Final = (ClassifierInput, RerankerInput, TextBatch, QueryBatch, BatchPoll)
"""What a run takes, where its address names the model."""
UNIVERSAL_INPUTS: Final = _named(
    UniversalText=(Universal[ClassifierInput], "A text for a model."),
    UniversalQuery=(Universal[RerankerInput], "A query and contexts for a model."),
    UniversalTextBatch=(Universal[TextBatch], "A batch of texts for a model."),
    UniversalQueryBatch=(Universal[QueryBatch], "A batch of queries for a model."),
    UniversalPoll=(Universal[BatchPoll], "Asks how far a model's batch is."),
)
"""What a run takes, where its address names no model."""
BOUND_INPUTS: Final = (
    *_named(
        BoundText=(Bound[ClassifierInput], "A text from a binding."),
        BoundQuery=(Bound[RerankerInput], "A query and contexts from a binding."),
        BoundTextBatch=(Bound[TextBatch], "A batch of texts from a binding."),
        BoundQueryBatch=(Bound[QueryBatch], "A batch of queries from a binding."),
        BoundPoll=(Bound[BatchPoll], "A binding asks how far a batch is."),
    ),
    TensorBody,
)
"""What a run takes from a binding."""
BOUND_ANSWERS: Final = (
    tuple[LabelScore, ...],
    Ranked,
    batches.Queued,
    AnsweredBatch,
    TensorAnswer,
)
RUN_ANSWERS: Final = _named(
    LabelsAnswer=(Envelope[tuple[LabelScore, ...]], "Labels, in the order of the model's classes."),
    RankedAnswer=(Envelope[Ranked], "Contexts by their places, the best first."),
    QueuedAnswer=(Envelope[batches.Queued], "How far a batch is."),
    BatchAnswer=(Envelope[AnsweredBatch], "A batch that is answered."),
)
"""The same, each in its envelope."""

MODELS, SCHEMA, TASKS, AUTHORS, FINETUNES, VERIFIED, MODEL_FAILURE, EDGE_FAILURE = _named(
    ModelsAnswer=(Envelope[list[Model]], "Models, and which page of them this is."),
    SchemaAnswer=(Envelope[Schema], "What a model takes and gives."),
    TasksAnswer=(Envelope[list[Task]], "The tasks."),
    AuthorsAnswer=(Envelope[list[Author]], "The authors of models."),
    FinetunesAnswer=(Envelope[tuple[()]], "No fine-tunes."),
    VerifiedAnswer=(Envelope[Verified], "A key that holds."),
    ModelFailure=(
        Envelope[Nothing],
        "An error of a model, or on the way to one; its message ends in the request's id.",
    ),
    EdgeFailure=(Envelope[None], "An error that no model has to do with."),
)
