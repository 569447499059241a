"""Text ranking: the body of a request.

``{"inputs": {"query": …, "texts": […]}}``, as `@huggingface/inference` sends it, or query and texts
at the top, as servers of text-embeddings-inference take them at their root. No other task has an
input of this form, so that the address need not name the task. The answer is
``[{"index", "score"}]``, best first.
"""

from typing import Annotated

import msgspec

from earmark.domain.results import Relevance
from earmark.web.body import EmptyArray, decode_json, decoder, members
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


class _Inner(msgspec.Struct, frozen=True):
    query: msgspec.Raw = msgspec.Raw()
    texts: msgspec.Raw = msgspec.Raw()

    @property
    def asks(self) -> bool:
        return bool(bytes(self.query)) and bool(bytes(self.texts))


class _Peeked(_Inner, frozen=True):
    inputs: msgspec.Raw = msgspec.Raw()


_decoder = decoder(TextRankingBody)
_peek = msgspec.json.Decoder(_Peeked)
_peek_inner = msgspec.json.Decoder(_Inner)
_NO_PARAMETERS = TextRankingParameters()


def asks_ranking(body: bytes) -> bool:
    """Return whether a body can only mean text ranking."""
    # Most bodies have neither, and need not be read twice.
    if b'"query"' not in body or b'"texts"' not in body:
        return False
    try:
        peeked = _peek.decode(body)
        return peeked.asks or (
            bytes(peeked.inputs).lstrip()[:1] == b"{" and _peek_inner.decode(peeked.inputs).asks
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False  # the task's decoder reports what is wrong


def open_text_ranking(body: bytes) -> Exchange[Relevance]:
    """Read a request.

    Raises:
        InvalidInput: the body is no JSON, or a field is missing, wrong or out of range.
    """
    if bytes(decode_json(body, _peek).inputs) in (b"", b"null"):
        return open_texts(body)[0]
    asked = decode_json(body, _decoder)
    parameters = members(asked.parameters, _NO_PARAMETERS)
    texts = TextsBody(
        query=asked.inputs.query,
        texts=asked.inputs.texts,
        return_text=parameters.return_text,
        raw_scores=parameters.raw_scores,
        truncate=parameters.truncate,
    )
    return rank_texts(texts, top_k=parameters.top_k)
