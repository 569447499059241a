"""Token classification: the body of a request, and entities in an answer.

What is decided here:

* ``aggregation_strategy`` is ``simple`` where nothing is said, as the hosted API has it, though
  the `transformers` pipeline has ``none``. ``grouped_entities`` and ``ignore_subwords`` are what
  came before it, in 2021.
* A single token (``none``) carries ``entity`` and, as JavaScript clients demand it of every item,
  ``entity_group`` too.
* A text that is too long is cut, and the headers say so; with ``stride`` it is read in windows.
* ``is_split_into_words`` is refused rather than misread: its list is one text, not several.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from earmark.domain.results import Entities, Entity
from earmark.errors import InvalidInput
from earmark.tasks.spans import STRATEGIES, AggregationStrategy
from earmark.tasks.token_classification import TokenClassification
from earmark.web.body import decode_json
from earmark.web.dialects.huggingface.decoded import Decoded

__all__ = ["decode_token_classification", "entities_body", "wire_entity"]

_DEFAULT_IGNORED = ("O",)
_LONGEST_VALUE_SHOWN = 40
"""Characters of a wrong parameter that an error repeats."""


class _Parameters(msgspec.Struct, frozen=True):
    aggregation_strategy: str | None = None
    ignore_labels: list[str] | None = None
    stride: Annotated[int, msgspec.Meta(ge=0)] | None = None
    grouped_entities: bool | None = None
    ignore_subwords: bool | None = None
    is_split_into_words: bool | None = None


class _Body(msgspec.Struct, frozen=True):
    inputs: str | list[str]
    parameters: _Parameters | None = None
    stream: bool | None = None


_decoder = msgspec.json.Decoder(_Body)
_NO_PARAMETERS = _Parameters()


def decode_token_classification(body: bytes) -> Decoded[TokenClassification]:
    """Read a request.

    Raises:
        InvalidInput: the body is no JSON, or a field is missing, wrong or out of range.
    """
    asked = decode_json(body, _decoder)
    parameters = asked.parameters or _NO_PARAMETERS
    texts = (asked.inputs,) if isinstance(asked.inputs, str) else tuple(asked.inputs)
    if not texts:
        raise InvalidInput("`inputs` is an empty list; expected at least one text")
    if parameters.is_split_into_words:
        raise InvalidInput(
            "`parameters.is_split_into_words` is not offered; join the words with spaces and send"
            " them as one text"
        )
    strategy = _strategy(parameters)
    if parameters.stride is not None and strategy == "none":
        raise InvalidInput(
            "`parameters.stride` reads a text in windows, whose entities are then joined; with"
            " aggregation_strategy none there is nothing to join: choose another"
        )
    ignored = parameters.ignore_labels
    request = TokenClassification(
        texts,
        strategy,
        frozenset(_DEFAULT_IGNORED if ignored is None else ignored),
        parameters.stride,
    )
    listed = not isinstance(asked.inputs, str)
    return Decoded(request, listed=listed, streamed=bool(asked.stream))


def _strategy(parameters: _Parameters) -> AggregationStrategy:
    name = parameters.aggregation_strategy
    if name is None:
        return _old_strategy(parameters)
    # transformers upper-cases the name, so that any case will do there as well.
    for strategy in STRATEGIES:
        if name.lower() == strategy:
            return strategy
    raise InvalidInput(
        f"`parameters.aggregation_strategy` is {name[:_LONGEST_VALUE_SHOWN]!r}; expected one of"
        f" {', '.join(STRATEGIES)}"
    )


def _old_strategy(parameters: _Parameters) -> AggregationStrategy:
    if parameters.grouped_entities is None and parameters.ignore_subwords is None:
        return "simple"
    if not parameters.grouped_entities:
        return "none"
    return "first" if parameters.ignore_subwords else "simple"


class _Group(msgspec.Struct, frozen=True):
    entity_group: str
    score: float
    word: str
    start: int
    end: int


class _Token(msgspec.Struct, frozen=True):
    entity: str
    score: float
    index: int
    word: str
    start: int
    end: int
    entity_group: str


def entities_body(results: Sequence[Entities], *, listed: bool) -> object:
    """Put entities into the form clients read: a list of them, or a list of lists."""
    lists = [[wire_entity(entity) for entity in result.found] for result in results]
    return lists if listed else lists[0]


def wire_entity(entity: Entity) -> _Group | _Token:
    """Put one entity into the form clients read."""
    place = (entity.word, entity.start, entity.end)
    if entity.index is None:
        return _Group(entity.label, entity.score, *place)
    return _Token(entity.label, entity.score, entity.index, *place, entity.group)
