"""Bodies and answers of Cohere's, Jina's, Infinity's and Voyage's rerank routes.

They have the same form except for details: Voyage has two members by names of its own, and its
clients read `data`.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from earmark.domain.results import Relevance
from earmark.tasks.reranking import Reranking, best_first
from earmark.web.body import decode_json, decoder
from earmark.web.exchange import Exchange
from earmark.web.request_log import RequestRecord
from earmark.web.unread import Doubt, Reading

_DOCUMENTS_IN_A_UNIT: Final = 100
"""Cohere counts a query with up to this many documents as one search unit."""


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
        top_k: Voyage's name for `top_n`, which wins where both are there.
        truncate: cut what is too long; False refuses it.
        truncation: Voyage's name for `truncate`.
        raw_scores: Infinity's: answer logits as they are.
    """

    query: str
    documents: _Documents
    model: str | None = None
    top_n: Annotated[int, msgspec.Meta(ge=1)] | None = None
    top_k: Annotated[int, msgspec.Meta(ge=1)] | None = None
    return_documents: bool | None = None
    truncate: bool | None = None
    truncation: bool | None = None
    raw_scores: bool | None = None

    @property
    def cuts(self) -> bool:
        """Whether what is too long is cut."""
        return self.truncate is not False and self.truncation is not False

    @property
    def is_voyages(self) -> bool:
        """Whether it has a member that only clients of Voyage send."""
        return self.top_k is not None or self.truncation is not None


class RankedDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """One document of an answer."""

    index: int
    relevance_score: float
    document: Document | None = None


class TokensUsed(msgspec.Struct, frozen=True):
    """What an answer cost, in Jina's words: tokens that the model read."""

    total_tokens: int
    prompt_tokens: int


class ApiVersion(msgspec.Struct, frozen=True):
    """Which of Cohere's forms an answer has."""

    version: str


class BilledUnits(msgspec.Struct, frozen=True):
    """What Cohere would count. Nothing is billed here; its clients read the number."""

    search_units: int


class Meta(msgspec.Struct, frozen=True, omit_defaults=True):
    """What Cohere's clients read beside the results; `warnings` only where there are any."""

    api_version: ApiVersion
    billed_units: BilledUnits
    warnings: tuple[str, ...] = ()


class Reranked(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer, best document first.

    Attributes:
        id: of the request, as the log has it.
        object: what Infinity's clients look for.
        model: the model that answered.
        results: of the documents.
        meta: for Cohere's clients.
        usage: for those of Jina, Infinity and Voyage.
        data: the results once more, for clients of Voyage, and only for them.
    """

    id: str
    object: Literal["rerank"]
    model: str
    results: list[RankedDocument]
    meta: Meta
    usage: TokensUsed
    data: list[RankedDocument] | None = None


OF_DOCUMENTS: Final = Reading(
    of="a body with `documents`",
    read=DocumentsBody.__struct_fields__,
    harmless=frozenset({"user", "priority"}),
    # Defaults of Cohere's two forms: a body that holds them asks for nothing special.
    usual={"max_tokens_per_doc": 4096, "max_chunks_per_doc": 10, "rank_fields": ["text"]},
)

_decoder = decoder(DocumentsBody)


def open_rerank(
    body: bytes, record: RequestRecord, *, version: str, doubts: Sequence[Doubt] = ()
) -> tuple[Exchange[Relevance], str | None]:
    """Read a request, and the model that it names.

    Args:
        body: as it came.
        record: has the request's id, and the model once it is known.
        version: of Cohere's form, as the address has it.
        doubts: for the answer's `warnings`.

    Raises:
        InvalidInput: the body is not one.
    """
    asked = decode_json(body, _decoder)
    texts = tuple(each if isinstance(each, str) else each.text for each in asked.documents)
    request = Reranking(
        asked.query,
        texts,
        function="none" if asked.raw_scores else "sigmoid",
        truncate=asked.cuts,
    )
    warnings = tuple(each.text for each in doubts)

    def reranked(results: Sequence[Relevance]) -> Reranked:
        ranked = [
            RankedDocument(
                index,
                results[index].score,
                Document(texts[index]) if asked.return_documents else None,
            )
            for index in best_first(results, asked.top_n or asked.top_k)
        ]
        tokens = sum(each.tokens for each in results)
        units = math.ceil(len(texts) / _DOCUMENTS_IN_A_UNIT)
        return Reranked(
            record.request_id,
            "rerank",
            record.model or "",
            ranked,
            Meta(ApiVersion(version), BilledUnits(units), warnings),
            TokensUsed(tokens, tokens),
            ranked if asked.is_voyages else None,
        )

    characters = len(asked.query) + sum(map(len, texts))
    return Exchange(request, characters, reranked), asked.model
