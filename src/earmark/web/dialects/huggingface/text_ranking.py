"""Text ranking: the body of a request.

``{"inputs": {"query": …, "texts": […]}}``, as `@huggingface/inference` sends it, or query and texts
at the top, as servers of text-embeddings-inference take them at their root. No other task has an
input of this form, so that the address need not name the task. The answer is
``[{"index", "score"}]``, best first.
"""

from typing import Annotated

import msgspec

from earmark.domain.results import Relevance
from earmark.web.body import EmptyArray, ParsedBody, decoder, given_members, members
from earmark.web.exchange import Exchange
from earmark.web.ranked_texts import TextsBody, open_texts, rank_texts


class QueryAndTexts(msgspec.Struct, frozen=True):
    """What is looked for, and the texts that may answer it."""

    query: str
    texts: list[str]


class TextRankingParameters(msgspec.Struct, frozen=True):
    """How texts are ranked."""

    top_k: Annotated[
        Annotated[int, msgspec.Meta(ge=1)] | None,
        msgspec.Meta(description="So many of the best texts; by default all."),
    ] = None
    return_text: Annotated[
        bool | None, msgspec.Meta(description="true: answer the texts as well.")
    ] = None
    raw_scores: Annotated[
        bool | None, msgspec.Meta(description="true: logits instead of their sigmoids.")
    ] = None
    truncate: Annotated[
        bool | None, msgspec.Meta(description="false: refuse a text that is too long.")
    ] = None


class TextRankingBody(msgspec.Struct, frozen=True):
    """A query, and texts to rank by how well they answer it."""

    inputs: QueryAndTexts
    parameters: TextRankingParameters | EmptyArray | None = None


_decoder = decoder(TextRankingBody)
_NO_PARAMETERS = TextRankingParameters()


def asks_ranking(value: object) -> bool:
    """Return whether what a body holds can only mean text ranking."""
    if not isinstance(value, dict):
        return False
    return any(
        isinstance(one, dict) and "query" in one and "texts" in one
        for one in (value, value.get("inputs"))
    )


def open_text_ranking(body: ParsedBody) -> Exchange[Relevance]:
    """Read a request.

    Raises:
        InvalidInput: the body is no JSON, or a field is missing, wrong or out of range.
    """
    if "inputs" not in given_members(body.value):
        return open_texts(body.raw)[0]
    asked = body.decode(_decoder)
    parameters = members(asked.parameters, _NO_PARAMETERS)
    texts = TextsBody(
        query=asked.inputs.query,
        texts=asked.inputs.texts,
        return_text=parameters.return_text,
        raw_scores=parameters.raw_scores,
        truncate=parameters.truncate,
    )
    return rank_texts(texts, top_k=parameters.top_k)
