"""Bodies and answers of text-embeddings-inference.

Source: its ``router/src/http/types.rs``. Mind that ``{"inputs": ["a", "b"]}`` is one pair here,
where the Hugging Face Inference API takes it for two texts.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from earmark.domain.results import Classification, LabelScore, Relevance
from earmark.domain.texts import TextInput
from earmark.errors import InvalidInput
from earmark.tasks.reranking import Reranking, best_first
from earmark.tasks.text_classification import TextClassification
from earmark.web.body import decode_json
from earmark.web.exchange import Exchange

__all__ = ["PredictBody", "RankedText", "TextsBody", "open_predict", "open_rerank"]

_PAIR: Final = 2
"""Texts in a pair; an inner list may also hold one text alone."""

_Inner: TypeAlias = Annotated[list[str], msgspec.Meta(min_length=1, max_length=_PAIR)]


class _Truncating(msgspec.Struct, frozen=True, kw_only=True):
    """What every body may hold.

    Attributes:
        model: which of several models; not a member there, where a server has one.
        truncate: cut what is too long, as here by default; False refuses it.
        truncation_direction: texts are cut at their end.
        raw_scores: answer logits as they are.
    """

    model: str | None = None
    truncate: bool | None = None
    truncation_direction: Literal["Right", "right", "Left", "left"] = "Right"
    raw_scores: bool = False

    def check(self) -> None:
        """Refuse what cannot be done.

        Raises:
            InvalidInput: texts are to be cut at their beginning.
        """
        if self.truncation_direction.lower() == "left":
            raise InvalidInput(
                "`truncation_direction`: texts are cut at their end here; expected `Right`"
            )


class TextsBody(_Truncating, frozen=True, kw_only=True):
    """``POST /rerank`` with ``texts``."""

    query: str
    texts: Annotated[list[str], msgspec.Meta(min_length=1)]
    return_text: bool = False


class PredictBody(_Truncating, frozen=True, kw_only=True):
    """``POST /predict``: a text, a pair as a list of two, or a list of such lists.

    A list of texts is read as a pair, so that lists of texts are lists of lists.
    """

    inputs: str | Annotated[list[str | _Inner], msgspec.Meta(min_length=1)]


class RankedText(msgspec.Struct, frozen=True, omit_defaults=True):
    """One text of an answer; the best comes first."""

    index: int
    score: float
    text: str | None = None


_rerank = msgspec.json.Decoder(TextsBody)
_predict = msgspec.json.Decoder(PredictBody)


def open_rerank(body: bytes) -> tuple[Exchange[Relevance], str | None]:
    """Read a request to rerank, and the model that it names.

    Raises:
        InvalidInput: the body is not one.
    """
    asked = decode_json(body, _rerank)
    asked.check()
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
            for index in best_first(results)
        ]

    characters = len(asked.query) + sum(map(len, texts))
    return Exchange(request, characters, ranks), asked.model


def open_predict(body: bytes) -> tuple[Exchange[Classification], str | None]:
    """Read a request to classify, and the model that it names.

    Raises:
        InvalidInput: the body is not one.
    """
    asked = decode_json(body, _predict)
    asked.check()
    inputs, single = _inputs(asked.inputs)
    request = TextClassification(
        inputs,
        function="none" if asked.raw_scores else None,
        truncate=asked.truncate is not False,
    )

    def predictions(
        results: Sequence[Classification],
    ) -> tuple[LabelScore, ...] | list[tuple[LabelScore, ...]]:
        return results[0].scores if single else [each.scores for each in results]

    return Exchange(request, request.characters, predictions), asked.model


def _inputs(written: str | list[str | list[str]]) -> tuple[tuple[TextInput, ...], bool]:
    """Read texts and pairs, and whether there is just one that stands by itself."""
    if isinstance(written, str):
        return (TextInput(written),), True
    if all(isinstance(each, str) for each in written):
        return (_text_or_pair([each for each in written if isinstance(each, str)]),), True
    listed = [each for each in written if isinstance(each, list)]
    if len(listed) != len(written):
        raise InvalidInput(
            "`inputs`: texts and lists stand side by side; expected a text, [text, text] for a"
            " pair, or a list of such lists, as [[text], [text, text]]"
        )
    return tuple(map(_text_or_pair, listed)), False


def _text_or_pair(texts: list[str]) -> TextInput:
    if len(texts) > _PAIR:
        raise InvalidInput(
            f"`inputs`: a list of {len(texts)} texts; here [text, text] is a pair, and a list of"
            " texts is written [[text], [text]]"
        )
    return TextInput(*texts)
