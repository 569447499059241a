"""The operations of this dialect, in the order in which a reader should meet them."""

from typing import Final

from earmark.domain.results import LabelScore
from earmark.errors import EmptyInput, InvalidInput, UnknownModel, UnreadInput
from earmark.web.dialects.rerank.cohere import DocumentsBody, Reranked
from earmark.web.dialects.rerank.errors import RerankError, error_answer, no_such_method
from earmark.web.dialects.rerank.text_embeddings_inference import PredictBody
from earmark.web.openapi.json_files import answers, read_components, read_exchanges, requests
from earmark.web.openapi.parts import Content, Group, Operation
from earmark.web.openapi.shared_answers import (
    COST_HEADERS,
    SAMPLES,
    Refused,
    Sample,
    error_answers,
    refused,
)
from earmark.web.ranked_texts import RankedText, TextsBody

_PACKAGE: Final = "earmark.web.dialects.rerank"

COMPONENTS: Final = read_components(_PACKAGE)

_SAMPLES: Final = {
    "empty": Sample(
        "`texts` or `inputs` is an empty list",
        EmptyInput("`texts` is an empty list; expected at least one text"),
    ),
    "unread": Sample(
        "the server is strict, and nothing reads a member of the body",
        UnreadInput("`top_m` is not read; did you mean `top_n`?"),
    ),
    "invalid": Sample(
        "the body is malformed, a text too long where `truncate` is false, or the model for"
        " something else; the text says where and how",
        InvalidInput("`top_n`: expected `int` >= 1"),
    ),
    "unknownModel": Sample(
        "no such model is served, nor may it be fetched from the Hub, if it is there; or none is"
        " named, and several, or none, can do it",
        UnknownModel("Model rerank-v3.5 does not exist; served here: org/reranker"),
    ),
    **SAMPLES,
}

_RERANK: Final = (
    "A body with `documents` is one of Cohere's, Jina's, Infinity's or Voyage's and gets their"
    " answer; any other is one of text-embeddings-inference. Scores are sigmoids of the model's"
    " logits; the best comes first. `model` may be left out where one of the models named at the"
    " start reranks; beside `texts` one that is not served is then ignored, as `x-hf-warning` says."
    " A model that is not in memory is loaded first."
)
_PREDICT: Final = (
    "A list of two texts is one pair, and several texts are a list of lists. A text, or a pair by"
    " itself, is answered by its labels, a list by a list of those. `model` may be left out where"
    " one of the models named at the start is for it; one that is not served is then ignored, as"
    " `x-hf-warning` says."
)


_WRONG_METHOD: Final = Refused(
    "the address has other methods", no_such_method("DELETE", ("POST",)), RerankError, "Rerank"
)

_GROUP: Final = Group(
    tag="Rerank",
    errors=error_answers(
        {
            **refused(_SAMPLES, error_answer, RerankError, "Rerank"),
            "wrongMethod": _WRONG_METHOD,
        }
    ),
    headers=COST_HEADERS,
)


def _rerank(path: str, name: str, summary: str) -> Operation:
    exchanges = read_exchanges(_PACKAGE, "rerank")
    return _GROUP.operation(
        path,
        name,
        summary,
        Content((Reranked, list[RankedText]), answers(exchanges)),
        description=_RERANK,
        body=Content((DocumentsBody, TextsBody), requests(exchanges)),
    )


_PREDICTIONS: Final = read_exchanges(_PACKAGE, "predict")

OPERATIONS: Final = (
    _rerank("/rerank", "rerank", "Sort texts by how well they answer a query"),
    _rerank("/v1/rerank", "rerankV1", "The same, where Jina's and older clients of Cohere's look"),
    _rerank("/v2/rerank", "rerankV2", "The same, where Cohere's clients look"),
    _GROUP.operation(
        "/predict",
        "predict",
        "Label texts or pairs, as text-embeddings-inference does",
        Content((list[LabelScore], list[list[LabelScore]]), answers(_PREDICTIONS)),
        description=_PREDICT,
        body=Content((PredictBody,), requests(_PREDICTIONS)),
    ),
)
"""Every operation of the dialect."""
