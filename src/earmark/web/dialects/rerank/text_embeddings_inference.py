"""``POST /predict`` of text-embeddings-inference.

Source: its ``router/src/http/types.rs``. Mind that ``{"inputs": ["a", "b"]}`` is one pair here,
where the Hugging Face Inference API takes it for two texts.
"""

from collections.abc import Sequence
from typing import Annotated, Final, TypeAlias

import msgspec

from earmark.domain.results import Classification, LabelScore
from earmark.domain.texts import TextInput
from earmark.errors import EmptyInput, InvalidInput
from earmark.tasks.text_classification import TextClassification
from earmark.web.body import decode_json, decoder
from earmark.web.exchange import Exchange
from earmark.web.ranked_texts import Truncating
from earmark.web.unread import Reading

_PAIR: Final = 2
"""Texts in a pair; an inner list may also hold one text alone."""

_Inner: TypeAlias = Annotated[list[str], msgspec.Meta(min_length=1, max_length=_PAIR)]


class PredictBody(Truncating, frozen=True, kw_only=True):
    """``POST /predict``: a text, a pair as a list of two, or a list of such lists.

    A list of texts is read as a pair, so that lists of texts are lists of lists.
    """

    inputs: str | list[str | _Inner]


OF_PREDICT: Final = Reading(
    of="a body of `/predict`", read=PredictBody.__struct_fields__, harmless=frozenset({"user"})
)

_predict = decoder(PredictBody)


def open_predict(body: bytes) -> tuple[Exchange[Classification], str | None]:
    """Read a request to classify, and the model that it names.

    Raises:
        InvalidInput: the body is not one.
    """
    asked = decode_json(body, _predict)
    asked.check()
    if not asked.inputs and isinstance(asked.inputs, list):
        raise EmptyInput("`inputs` is an empty list; expected at least one text")
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
    """Read texts and pairs, and whether the body holds a single one and not a list."""
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
