"""Texts ranked by how well they answer a query, in the form of text-embeddings-inference.

More than one dialect has it. Source: ``router/src/http/types.rs`` there.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from earmark.domain.results import Relevance
from earmark.errors import EmptyInput, InvalidInput
from earmark.tasks.reranking import Reranking, best_first
from earmark.web.body import decode_json, decoder
from earmark.web.exchange import Exchange
from earmark.web.unread import Reading

_DIRECTIONS: Final = ("right", "left")


class Truncating(msgspec.Struct, frozen=True, kw_only=True):
    """What every body of text-embeddings-inference may hold.

    Attributes:
        model: which of several models; not in the original, whose servers have one model.
        truncate: cut what is too long, the default here; False refuses it.
        truncation_direction: texts are cut at their end.
        raw_scores: answer logits as they are.
    """

    model: str | None = None
    truncate: bool | None = None
    truncation_direction: Annotated[
        str | None, msgspec.Meta(description="Right, in any case.", examples=["Right"])
    ] = None
    raw_scores: bool | None = None

    def check(self) -> None:
        """Refuse a direction of truncation that is not supported.

        Raises:
            InvalidInput: texts are to be cut at their beginning, or the direction is unknown.
        """
        direction = (self.truncation_direction or _DIRECTIONS[0]).lower()
        if direction not in _DIRECTIONS:
            raise InvalidInput("`truncation_direction` is neither Right nor Left")
        if direction == "left":
            raise InvalidInput(
                "`truncation_direction`: texts are cut at their end here; expected `Right`"
            )


class TextsBody(Truncating, frozen=True, kw_only=True):
    """A query and the texts to rank.

    Attributes:
        query: what is looked for.
        texts: to be ranked.
        return_text: answer the texts as well.
        top_n: how many of the best to answer; all by default. No member of
            text-embeddings-inference's, but litellm's client for it sends it.
    """

    query: str
    texts: list[str]
    return_text: bool | None = None
    top_n: Annotated[int, msgspec.Meta(ge=1)] | None = None


OF_TEXTS: Final = Reading(
    of="a body with `texts`", read=TextsBody.__struct_fields__, harmless=frozenset({"user"})
)


class RankedText(msgspec.Struct, frozen=True, omit_defaults=True):
    """One text of an answer; the best comes first."""

    index: int
    score: float
    text: str | None = None


_decoder = decoder(TextsBody)


def open_texts(body: bytes) -> tuple[Exchange[Relevance], str | None]:
    """Read a request to rank, and the model that it names.

    Raises:
        InvalidInput: the body is not one.
    """
    asked = decode_json(body, _decoder)
    return rank_texts(asked, top_k=asked.top_n), asked.model


def rank_texts(asked: TextsBody, *, top_k: int | None = None) -> Exchange[Relevance]:
    """Ask for a ranking.

    Args:
        asked: what is ranked, and how.
        top_k: how many of the best to answer; all by default.

    Raises:
        InvalidInput: there is nothing to rank, or it cannot be done so.
    """
    asked.check()
    if not asked.texts:
        raise EmptyInput("`texts` is an empty list; expected at least one text")
    texts = tuple(asked.texts)
    request = Reranking(
        asked.query,
        texts,
        function="none" if asked.raw_scores else "sigmoid",
        truncate=asked.truncate is not False,
    )

    def ranks(results: Sequence[Relevance]) -> list[RankedText]:
        return [
            RankedText(index, results[index].score, texts[index] if asked.return_text else None)
            for index in best_first(results, top_k)
        ]

    return Exchange(request, len(asked.query) + sum(map(len, texts)), ranks)
