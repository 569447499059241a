"""Token classification: the body of a request, and entities in an answer.

What is decided here:

* ``aggregation_strategy`` is ``simple`` by default, as in the hosted API, though the `transformers`
  pipeline has ``none``. ``grouped_entities`` and ``ignore_subwords`` are its predecessors, until
  2021.
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
from earmark.web.body import EmptyArray, ParsedBody, decoder, members
from earmark.web.dialects.huggingface.decoded import Decoded

_DEFAULT_IGNORED = ("O",)
_MOST_IGNORED = 4096
"""The most labels that may be left out; no model has as many."""
_LONGEST_VALUE_SHOWN = 40
"""Characters of a wrong parameter that an error repeats."""


class TokenClassificationParameters(msgspec.Struct, frozen=True):
    """How tokens are joined, and which are left out."""

    aggregation_strategy: Annotated[
        str | None,
        msgspec.Meta(
            description="none, simple, first, average or max, in any case; by default simple."
        ),
    ] = None
    ignore_labels: Annotated[
        list[str] | None, msgspec.Meta(description="Labels left out; by default O alone.")
    ] = None
    stride: Annotated[
        Annotated[int, msgspec.Meta(ge=0)] | None,
        msgspec.Meta(
            description="Read a long text whole, in windows that share so many tokens, rather than"
            " cut it. Needs a strategy that joins."
        ),
    ] = None
    grouped_entities: Annotated[
        bool | None, msgspec.Meta(description="What came before aggregation_strategy, until 2021.")
    ] = None
    ignore_subwords: Annotated[
        bool | None, msgspec.Meta(description="The same; both of them mean first.")
    ] = None
    stream: Annotated[
        bool | None, msgspec.Meta(description="The same as beside the parameters.")
    ] = None
    is_split_into_words: Annotated[
        bool | None, msgspec.Meta(description="Refused: join the words with spaces.")
    ] = None


class TokenClassificationBody(msgspec.Struct, frozen=True):
    """A text or several, whose tokens are to be labelled."""

    inputs: str | list[str]
    parameters: TokenClassificationParameters | EmptyArray | None = None
    stream: Annotated[
        bool | None, msgspec.Meta(description="true: answer in events, entity by entity.")
    ] = None


_decoder = decoder(TokenClassificationBody)
_NO_PARAMETERS = TokenClassificationParameters()


def decode_token_classification(body: ParsedBody) -> Decoded[TokenClassification]:
    """Read a request.

    Raises:
        InvalidInput: the body is no JSON, or a field is missing, wrong or out of range.
    """
    asked = body.decode(_decoder)
    parameters = members(asked.parameters, _NO_PARAMETERS)
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
    if ignored is not None and len(ignored) > _MOST_IGNORED:
        raise InvalidInput(
            f"`parameters.ignore_labels` holds {len(ignored):,} labels, at most {_MOST_IGNORED:,}"
            " are read; send those of the model"
        )
    request = TokenClassification(
        texts,
        strategy,
        frozenset(_DEFAULT_IGNORED if ignored is None else ignored),
        parameters.stride,
    )
    listed = not isinstance(asked.inputs, str)
    return Decoded(
        request,
        listed=listed,
        streamed=bool(parameters.stream if asked.stream is None else asked.stream),
    )


def _strategy(parameters: TokenClassificationParameters) -> AggregationStrategy:
    name = parameters.aggregation_strategy
    if name is None:
        return _old_strategy(parameters)
    # transformers upper-cases the name, so that it accepts any case too.
    for strategy in STRATEGIES:
        if name.lower() == strategy:
            return strategy
    raise InvalidInput(
        f"`parameters.aggregation_strategy` is {name[:_LONGEST_VALUE_SHOWN]!r}; expected one of"
        f" {', '.join(STRATEGIES)}"
    )


def _old_strategy(parameters: TokenClassificationParameters) -> AggregationStrategy:
    if parameters.grouped_entities is None and parameters.ignore_subwords is None:
        return "simple"
    if not parameters.grouped_entities:
        return "none"
    return "first" if parameters.ignore_subwords else "simple"


class EntityGroup(msgspec.Struct, frozen=True):
    """Tokens that belong together; places count Unicode code points."""

    entity_group: str
    score: float
    word: str
    start: int
    end: int


class EntityToken(msgspec.Struct, frozen=True):
    """A single token; places count Unicode code points."""

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


def wire_entity(entity: Entity) -> EntityGroup | EntityToken:
    """Put one entity into the form clients read."""
    place = (entity.word, entity.start, entity.end)
    if entity.index is None:
        return EntityGroup(entity.label, entity.score, *place)
    return EntityToken(entity.label, entity.score, entity.index, *place, entity.group)
