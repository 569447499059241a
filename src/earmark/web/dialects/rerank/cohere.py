"""Bodies and answers of Cohere's and Jina's rerank routes, which are one form but for details."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import msgspec

from earmark.domain.results import Relevance
from earmark.tasks.reranking import Reranking, best_first
from earmark.web.body import decode_json
from earmark.web.exchange import Exchange

__all__ = ["DocumentsBody", "Reranked", "open_rerank"]


class Document(msgspec.Struct, frozen=True):
    """A document as an object; members beside its text are ignored."""

    text: str


_Documents: TypeAlias = Annotated[list[str | Document], msgspec.Meta(min_length=1)]


class DocumentsBody(msgspec.Struct, frozen=True, kw_only=True):
    """``POST /rerank`` with ``documents``.

    Attributes:
        query: what is looked for.
        documents: texts, or objects with one.
        model: which model; may be left out where one reranks.
        top_n: how many of the best to answer; all by default.
        return_documents: answer the texts as well.
        truncate: cut what is too long; False refuses it.
    """

    query: str
    documents: _Documents
    model: str | None = None
    top_n: Annotated[int, msgspec.Meta(ge=1)] | None = None
    return_documents: bool | None = None
    truncate: bool | None = None


class RankedDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """One document of an answer."""

    index: int
    relevance_score: float
    document: Document | None = None


class TokensUsed(msgspec.Struct, frozen=True):
    """What an answer cost, in Jina's words: tokens that the model read."""

    total_tokens: int
    prompt_tokens: int


class Reranked(msgspec.Struct, frozen=True):
    """An answer, best document first."""

    results: list[RankedDocument]
    usage: TokensUsed


_decoder = msgspec.json.Decoder(DocumentsBody)


def open_rerank(body: bytes) -> tuple[Exchange[Relevance], str | None]:
    """Read a request, and the model that it names.

    Raises:
        InvalidInput: the body is not one.
    """
    asked = decode_json(body, _decoder)
    texts = tuple(each if isinstance(each, str) else each.text for each in asked.documents)
    request = Reranking(asked.query, texts, truncate=asked.truncate is not False)

    def reranked(results: Sequence[Relevance]) -> Reranked:
        ranked = [
            RankedDocument(
                index,
                results[index].score,
                Document(texts[index]) if asked.return_documents else None,
            )
            for index in best_first(results, asked.top_n)
        ]
        tokens = sum(each.tokens for each in results)
        return Reranked(ranked, TokensUsed(tokens, tokens))

    characters = len(asked.query) + sum(map(len, texts))
    return Exchange(request, characters, reranked), asked.model
