"""What a model is given, in the schema of its kind, and what it gives back.

A text classifier takes ``{"text"}``, a reranker ``{"query", "contexts", "top_k"}``; the members of
the body show which of the two is meant. Other members are accepted, as in Cloudflare's schemas, and
the answer warns of them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, TypeAlias

import msgspec

from earmark.domain.results import Classification, LabelScore, Relevance
from earmark.domain.texts import TextInput
from earmark.engine.info import ModelFacts
from earmark.errors import InvalidInput
from earmark.tasks.reranking import Reranking, best_first
from earmark.tasks.text_classification import TextClassification
from earmark.web.body import Misfit, decode_json, decoder
from earmark.web.exchange import Exchange
from earmark.web.unread import Doubt, Reading, first_doubts, members_of

AnyExchange: TypeAlias = Exchange[Classification] | Exchange[Relevance]

_Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]


class ClassifierInput(msgspec.Struct, frozen=True):
    """Input of a text classifier."""

    text: _Text


class Context(msgspec.Struct, frozen=True):
    """A document; its place in the list is the id that is answered."""

    text: _Text


class RerankerInput(msgspec.Struct, frozen=True):
    """Input of a reranker."""

    query: _Text
    contexts: Annotated[list[Context], msgspec.Meta(min_length=1)]
    top_k: Annotated[int, msgspec.Meta(ge=1)] | None = None


class Scored(msgspec.Struct, frozen=True):
    """One document of a reranker's answer."""

    id: int
    score: float


class Ranked(msgspec.Struct, frozen=True):
    """A reranker's answer, best document first."""

    response: list[Scored]


_HARMLESS: Final = frozenset({"external_reference", "options"})
"""Members beside an input: a batch's name for it, and what a binding sets."""
_USUAL: Final = {"stream": False}
_OF_CLASSIFIER: Final = Reading(
    of="a text classifier's input",
    read=ClassifierInput.__struct_fields__,
    harmless=_HARMLESS,
    usual=_USUAL,
)
_OF_RERANKER: Final = Reading(
    of="a reranker's input",
    read=RerankerInput.__struct_fields__,
    harmless=_HARMLESS,
    usual=_USUAL,
)

_classifier = decoder(ClassifierInput)
_reranker = decoder(RerankerInput)


def doubts_about(body: bytes, info: ModelFacts, *, place: str = "") -> tuple[Doubt, ...]:
    """Find what nothing reads in the input of a model.

    Args:
        body: the input.
        info: of the model.
        place: of the input within a batch.

    Raises:
        InvalidInput: it is no JSON object.
    """
    found = members_of(body, misfit=as_upstream_says)
    reading = _OF_RERANKER if _reranks(found, info) else _OF_CLASSIFIER
    return first_doubts(reading.doubts(found, place=place))


def _reranks(found: Mapping[str, object], info: ModelFacts) -> bool:
    """Say which of the two kinds of input has these members."""
    if "query" in found or "contexts" in found:
        return True
    return "text" not in found and "text-ranking" in info.tasks


def open_exchange(body: bytes, info: ModelFacts) -> tuple[AnyExchange, tuple[Doubt, ...]]:
    """Read the input of a model.

    Returns:
        What is asked, and what nothing reads in it.

    Raises:
        InvalidInput: it is no JSON, or fits neither schema.
    """
    found = members_of(body, misfit=as_upstream_says)
    reranks = _reranks(found, info)
    doubts = first_doubts((_OF_RERANKER if reranks else _OF_CLASSIFIER).doubts(found))
    try:
        return _open_reranker(body) if reranks else _open_classifier(body), doubts
    except InvalidInput as error:
        # The missing member may be there under a misspelt name.
        slips = [each.text for each in doubts if "did you mean" in each.text]
        raise InvalidInput("; ".join((str(error), *slips))) from None


def _open_classifier(body: bytes) -> Exchange[Classification]:
    asked = decode_json(body, _classifier, misfit=as_upstream_says)
    # In the order of the classes, as the service answers; its clients do not sort.
    request = TextClassification((TextInput(asked.text),), sort=False)
    return Exchange(request, request.characters, labels_of)


def _open_reranker(body: bytes) -> Exchange[Relevance]:
    asked = decode_json(body, _reranker, misfit=as_upstream_says)
    request = Reranking(asked.query, tuple(context.text for context in asked.contexts))

    def ranked(results: Sequence[Relevance]) -> Ranked:
        order = best_first(results, asked.top_k)
        return Ranked([Scored(index, results[index].score) for index in order])

    characters = len(asked.query) + sum(len(context.text) for context in asked.contexts)
    return Exchange(request, characters, ranked)


def labels_of(results: Sequence[Classification]) -> tuple[LabelScore, ...]:
    """Put the result of one text into the form of the wire."""
    return results[0].scores


_MISSING: Final = re.compile(r"Object missing required field `(?P<name>\w+)`")
_MISTYPED: Final = re.compile(r"Expected `(?P<expected>[^`]+)`, got `(?P<found>\w+)`")
_TOO_SHORT: Final = re.compile(r"Expected `\w+` of length >= (?P<least>\d+)")
_TOO_SMALL: Final = re.compile(r"Expected `\w+` >= (?P<least>\d+)")

_TYPES: Final = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
"""JSON Schema's names of types by Python's; the others have the same."""


def as_upstream_says(found: Misfit) -> str:
    """Describe a misfit in the words of Cloudflare's validator, which programs match on."""
    path = "/" + found.path.replace(".", "/").replace("[", "/").replace("]", "")
    if missing := _MISSING.match(found.complaint):
        return f"required properties at '{path}' are '{missing['name']}'"
    if mistyped := _MISTYPED.match(found.complaint):
        expected = [_TYPES.get(name, name) for name in mistyped["expected"].split(" | ")]
        given = _TYPES.get(mistyped["found"], mistyped["found"])
        return f"Type mismatch of '{path}', '{given}' not in '{','.join(expected)}'"
    if short := _TOO_SHORT.match(found.complaint):
        return f"Length of '{path}' must be >= {short['least']}"
    if small := _TOO_SMALL.match(found.complaint):
        return f"Value of '{path}' must be >= {small['least']}"
    return f"'{path}': {found.complaint}"
