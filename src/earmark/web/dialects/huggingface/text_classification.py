"""Text classification: the body of a request, and the nested lists of an answer.

The form is that of the Hub's task schema and of the `transformers` pipeline. What is decided here:

* ``inputs`` is one item or a list of items. An item is a text, a ``{"text", "text_pair"}`` object,
  or the pair form of before 2022, ``[[text, pair]]``; plain ``[text, pair]`` is taken for a pair
  as well where it stands inside a list. So ``["a", "b"]`` is two texts, ``[["a", "b"]]`` one pair.
* ``truncation`` takes true and false, and the tokenizers' own names for the same two things,
  ``longest_first`` and ``do_not_truncate``. The other names are refused rather than misread.
* Everything else is not read, at the top (``options``, ``stream``, ``model``) and in ``parameters``
  (``max_length``, ``padding``, and ``return_all_scores``, which `transformers` 5 dropped); `unread`
  warns the caller.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, TypeAlias

import msgspec

from earmark.domain.results import Classification, LabelScore
from earmark.domain.texts import TextInput
from earmark.errors import InvalidInput
from earmark.tasks.activations import FUNCTIONS, FunctionToApply
from earmark.tasks.text_classification import TextClassification
from earmark.web.body import EmptyArray, ParsedBody, decoder, members
from earmark.web.unread import Reading

_PAIR = 2
"""Texts in a pair."""

_TRUNCATION: Final = {
    "true": True,
    "1": True,
    "longest_first": True,
    "false": False,
    "0": False,
    "do_not_truncate": False,
}

_LONGEST_VALUE_SHOWN = 40
"""Characters of a wrong parameter that an error repeats."""


class TextPair(msgspec.Struct, frozen=True):
    """A text beside another, as for a reranker."""

    text: str
    text_pair: str | None = None


_Listed: TypeAlias = list[str | list[str]]
_Item: TypeAlias = str | TextPair | _Listed


class TextClassificationParameters(msgspec.Struct, frozen=True):
    """How a text is to be classified."""

    function_to_apply: Annotated[
        str | None,
        msgspec.Meta(
            description="softmax, sigmoid or none, in any case; by default the checkpoint decides."
        ),
    ] = None
    top_k: Annotated[
        Annotated[int, msgspec.Meta(ge=1)] | None,
        msgspec.Meta(description="So many of the best labels; by default all."),
    ] = None
    truncation: Annotated[
        bool | str | None,
        msgspec.Meta(
            description="false, or do_not_truncate: refuse a text that is too long rather than cut"
            " it; true, or longest_first: cut it, of a pair the longer half first."
        ),
    ] = None


class TextClassificationBody(msgspec.Struct, frozen=True):
    """A text, a pair, or a list of both."""

    inputs: str | TextPair | list[_Item]
    parameters: TextClassificationParameters | EmptyArray | None = None


OF_PAIR: Final = Reading(of="an input as an object", read=TextPair.__struct_fields__)

_decoder = decoder(TextClassificationBody)
_NO_PARAMETERS = TextClassificationParameters()


def decode_text_classification(body: ParsedBody) -> TextClassification:
    """Read a request.

    Raises:
        InvalidInput: the body is no JSON, or a field is missing, wrong or out of range.
    """
    asked = body.decode(_decoder)
    parameters = members(asked.parameters, _NO_PARAMETERS)
    name, cuts = parameters.function_to_apply, parameters.truncation
    return TextClassification(
        tuple(_texts(asked.inputs)),
        None if name is None else _function(name),
        parameters.top_k,
        truncate=cuts is None or _truncate(cuts),
    )


def _texts(inputs: str | TextPair | list[_Item]) -> Iterator[TextInput]:
    if not isinstance(inputs, list):
        yield _text(inputs, "")
        return
    if not inputs:
        raise InvalidInput("`inputs` is an empty list; expected at least one text")
    for index, item in enumerate(inputs):
        yield _text(item, f"[{index}]")


def _text(item: _Item, place: str) -> TextInput:
    match item:
        case str():
            return TextInput(item)
        case TextPair():
            return TextInput(item.text, item.text_pair)
        case [[str() as text, str() as pair]] | [str() as text, str() as pair]:
            return TextInput(text, pair)
        case _:
            raise InvalidInput(
                f"`inputs{place}` is a list of {len(item)}; expected a text, a pair as"
                ' {"text": ..., "text_pair": ...}, or [text, pair]'
            )


def _function(name: str) -> FunctionToApply:
    # transformers upper-cases the name, so that it accepts any case too.
    for function in FUNCTIONS:
        if name.lower() == function:
            return function
    raise InvalidInput(
        f"`parameters.function_to_apply` is {_shown(name)}; expected {', '.join(FUNCTIONS)}"
    )


def _truncate(value: bool | str) -> bool:  # noqa: FBT001 - the wire's own type
    written = str(value).lower()
    if written not in _TRUNCATION:
        raise InvalidInput(
            f"`parameters.truncation` is {_shown(value)}; expected true, false, longest_first or"
            " do_not_truncate"
        )
    return _TRUNCATION[written]


def _shown(value: bool | str) -> str:  # noqa: FBT001 - the wire's own type
    return repr(str(value)[:_LONGEST_VALUE_SHOWN])


def classifications_body(
    results: Sequence[Classification], *, first_list_alone: bool
) -> list[tuple[LabelScore, ...]]:
    """Answer ``[[{"label", "score"}, ...], ...]``: one list per input, also for a single one.

    A flat list breaks every JavaScript client.

    Args:
        results: one per input.
        first_list_alone: whether the client reads the first list and drops the others. Where every
            input has one label, all labels are then put into one list. Where inputs have several,
            the lists stay apart: one list would not show where the next text begins.
    """
    lists = [result.scores for result in results]
    if first_list_alone and not _loses(lists):
        return [tuple(score for scores in lists for score in scores)]
    return lists


def lost_lists(results: Sequence[Classification]) -> str | None:
    """Return a warning for a client that keeps only the first list; None where it loses nothing."""
    if not _loses([result.scores for result in results]):
        return None
    return (
        f"text-classification; this client keeps the first of {len(results)} answers; send the"
        ' texts one by one, or with "top_k": 1, which answers one label for each'
    )


def _loses(lists: Sequence[tuple[LabelScore, ...]]) -> bool:
    return len(lists) > 1 and any(len(scores) != 1 for scores in lists)
