"""The operations of this dialect, in the order in which a reader should meet them."""

from collections.abc import Mapping
from typing import Final

from earmark.domain.results import LabelScore
from earmark.web.dialects.rerank.cohere import DocumentsBody, Reranked
from earmark.web.dialects.rerank.errors import FORMS, RerankError
from earmark.web.dialects.rerank.openapi.examples import ERRORS, PREDICTIONS, RERANKINGS
from earmark.web.dialects.rerank.text_embeddings_inference import PredictBody
from earmark.web.openapi import (
    Answer,
    Content,
    Example,
    ExampleExchange,
    Header,
    Json,
    Operation,
    Tag,
)
from earmark.web.ranked_texts import RankedText, TextsBody
from earmark.web.responses import ErrorBody
from earmark.web.shared_answers import (
    ACCEPT_ENCODING,
    AUTHENTICATE,
    COST_HEADERS,
    EDGE_ERRORS,
    LONG_HEADERS,
    REQUEST_ID,
    RETRY_AFTER,
    SLOW_REQUEST,
    WARNING,
    WRONG_METHOD,
)

__all__ = ["OPERATIONS", "TAGS"]

_TAG: Final = Tag(
    name="Rerank",
    description=(
        "Reranking and classification in the forms of text-embeddings-inference, Cohere and Jina."
    ),
)
TAGS: Final = (_TAG,)

_KINDS: Final = {form.status: form.kind for form in FORMS.values()}
"""``error_type`` by status."""


def _error(status: int, name: str, when: str, *more: Header) -> Answer:
    text = ERRORS[status]
    value: Json = {"error": text, "error_type": _KINDS[status], "message": text}
    examples = {f"rerank{name}": Example(summary=when, value=value)}
    types: tuple[object, ...] = (RerankError,)
    if status in EDGE_ERRORS:
        shorter: Json = {"error": EDGE_ERRORS[status]}
        examples[f"edge{name}"] = Example(summary="The same, of no dialect", value=shorter)
        types = (RerankError, ErrorBody)
    return Answer(
        name=f"Rerank{name}",
        description=when,
        contents=(Content(types=types, examples=examples),),
        headers=(REQUEST_ID, *more),
    )


_ERRORS: Final[Mapping[int, Answer]] = {
    400: _error(
        400,
        "Empty",
        "`texts` or `inputs` is an empty list; or the server is strict, and nothing reads a member"
        " of the body.",
    ),
    401: _error(
        401,
        "NoAccessKey",
        "The server has access keys, and what was sent is none of them.",
        AUTHENTICATE,
    ),
    404: _error(
        404,
        "UnknownModel",
        "No such model is served, nor may it be fetched from the Hub, if it is there; or none is"
        " named, and several, or none, can do it.",
    ),
    405: WRONG_METHOD,
    408: SLOW_REQUEST,
    413: _error(413, "TooLarge", "The body, or the list in it, is too large."),
    415: _error(
        415,
        "UnsupportedCoding",
        "The body is compressed in a way that is not accepted.",
        ACCEPT_ENCODING,
    ),
    422: _error(
        422,
        "Invalid",
        "The body is malformed, a text too long where `truncate` is false, or the model for"
        " something else, or its files cannot run here; the text says where and how.",
    ),
    429: _error(
        429,
        "TooMuchToDo",
        "Too much is in flight or waiting, or the model is still being loaded.",
        RETRY_AFTER,
    ),
    431: LONG_HEADERS,
    500: _error(500, "Fault", "A fault of the server's; its log has it under the request's id."),
    503: _error(
        503,
        "ShuttingDown",
        "The server is shutting down; or the Hub, which may have the model, cannot be asked for"
        " now.",
        RETRY_AFTER,
    ),
    504: _error(504, "NoAnswerInTime", "No answer in time.", RETRY_AFTER),
}


def _operation(  # noqa: PLR0913 - every part of an operation
    path: str,
    name: str,
    summary: str,
    description: str,
    *,
    asked: tuple[object, ...],
    answered: tuple[object, ...],
    exchanges: Mapping[str, ExampleExchange],
) -> Operation:
    answer = Content(
        types=answered, examples={key: each.answered() for key, each in exchanges.items()}
    )
    return Operation(
        method="POST",
        path=path,
        name=name,
        tag=_TAG.name,
        summary=summary,
        description=description,
        body=Content(types=asked, examples={key: each.asked() for key, each in exchanges.items()}),
        answers={
            200: Answer(description=summary, contents=(answer,), headers=(*COST_HEADERS, WARNING)),
            **_ERRORS,
        },
    )


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


def _rerank(path: str, name: str, summary: str) -> Operation:
    return _operation(
        path,
        name,
        summary,
        _RERANK,
        asked=(DocumentsBody, TextsBody),
        answered=(Reranked, list[RankedText]),
        exchanges=RERANKINGS,
    )


OPERATIONS: Final = (
    _rerank("/rerank", "rerank", "Sort texts by how well they answer a query"),
    _rerank("/v1/rerank", "rerankV1", "The same, where Jina's and older clients of Cohere's look"),
    _rerank("/v2/rerank", "rerankV2", "The same, where Cohere's clients look"),
    _operation(
        "/predict",
        "predict",
        "Label texts or pairs, as text-embeddings-inference does",
        _PREDICT,
        asked=(PredictBody,),
        answered=(list[LabelScore], list[list[LabelScore]]),
        exchanges=PREDICTIONS,
    ),
)
"""Every operation of the dialect."""
