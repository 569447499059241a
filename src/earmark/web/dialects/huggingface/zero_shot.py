"""Zero-shot classification: the body of a request, and the three forms of an answer.

What is decided here:

* ``candidate_labels`` is a list, or one string with commas, which is split and stripped; items of a
  list are taken as they are. Empty labels are dropped from the string, and refused in the list.
* ``multi_class`` is the name that ``multi_label`` had before 2021; where both stand, the new one
  counts.
* ``inputs`` is a text or a list of texts; of ``{"text": …}`` and ``{"sequences": …}`` the value is
  taken.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from earmark.domain.results import LabelScore, Ranking
from earmark.errors import InvalidInput
from earmark.tasks.zero_shot import DEFAULT_TEMPLATE, ZeroShot
from earmark.web.body import EmptyArray, ParsedBody, decoder, members
from earmark.web.dialects.huggingface.decoded import Decoded
from earmark.web.options import ZeroShotForm

_EMPTY: Final = "You must include at least one label and at least one sequence."
"""The reference's own text for this error."""


class WrappedText(msgspec.Struct, frozen=True):
    """Texts as the pipeline's own arguments name them."""

    text: str | None = None
    sequences: str | list[str] | None = None


class ZeroShotParameters(msgspec.Struct, frozen=True):
    """The labels, and how they are weighed."""

    candidate_labels: Annotated[
        str | list[str] | None,
        msgspec.Meta(description="A list, or one string with commas. At least one is needed."),
    ] = None
    candidateLabels: Annotated[  # noqa: N815 - a name on the wire
        str | list[str] | None, msgspec.Meta(description="The same under another name.")
    ] = None
    hypothesis_template: Annotated[
        str | None,
        msgspec.Meta(
            description="A sentence with {} where the label goes; by default This example is {}."
        ),
    ] = None
    multi_label: Annotated[
        bool | None,
        msgspec.Meta(
            description="true: score each label by itself, rather than against the others."
        ),
    ] = None
    multi_class: Annotated[
        bool | None, msgspec.Meta(description="What multi_label was called before 2021.")
    ] = None


class ZeroShotBody(msgspec.Struct, frozen=True):
    """A text or several, and the labels to sort them by."""

    inputs: str | list[str] | WrappedText
    parameters: ZeroShotParameters | EmptyArray | None = None


_decoder = decoder(ZeroShotBody)
_NO_PARAMETERS = ZeroShotParameters()


def decode_zero_shot(body: ParsedBody) -> Decoded[ZeroShot]:
    """Read a request.

    Raises:
        InvalidInput: the body is no JSON, or a field is missing, wrong or out of range.
    """
    asked = body.decode(_decoder)
    parameters = members(asked.parameters, _NO_PARAMETERS)
    inputs = asked.inputs
    if isinstance(inputs, WrappedText):
        inputs = _unwrapped(inputs)
    texts = (inputs,) if isinstance(inputs, str) else tuple(inputs)
    labels = _labels(parameters)
    if not texts or not all(texts) or not labels:
        raise InvalidInput(_EMPTY)
    template = parameters.hypothesis_template
    multi = parameters.multi_label if parameters.multi_label is not None else parameters.multi_class
    request = ZeroShot(
        texts, labels, DEFAULT_TEMPLATE if template is None else template, multi_label=bool(multi)
    )
    return Decoded(request, listed=not isinstance(inputs, str))


def _unwrapped(inputs: WrappedText) -> str | list[str]:
    found = inputs.text if inputs.text is not None else inputs.sequences
    if found is None:
        raise InvalidInput('`inputs` is an object; expected a text, a list, or {"text": ...}')
    return found


def _labels(parameters: ZeroShotParameters) -> tuple[str, ...]:
    given = parameters.candidate_labels
    if given is None:
        given = parameters.candidateLabels
    if given is None:
        raise InvalidInput(
            "`parameters.candidate_labels` is missing; expected a list of labels, such as"
            ' ["refund", "legal"], or one string with commas'
        )
    if isinstance(given, str):
        stripped = (label.strip() for label in given.split(","))
        return tuple(label for label in stripped if label)
    if not all(given):
        raise InvalidInput("`parameters.candidate_labels` holds an empty label")
    return tuple(given)


class LabelledSequence(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text with its labels, best first, as `transformers` answers.

    Attributes:
        sequence: the text.
        labels: best first.
        scores: of the labels.
        warnings: what the caller should know; see `unread`.
    """

    sequence: str
    labels: list[str]
    scores: list[float]
    warnings: tuple[str, ...] = ()


class LabelAndSequence(msgspec.Struct, frozen=True):
    """One label, and beside it the members of every other form.

    They are filled in the first item and empty in the others: clients check the types of all
    items, and an answer that repeated them would grow with the square of the labels.
    """

    label: str
    score: float
    sequence: str
    labels: list[str]
    scores: list[float]


def zero_shot_body(
    results: Sequence[Ranking], texts: Sequence[str], *, form: ZeroShotForm, listed: bool
) -> object:
    """Put rankings into the form a client reads.

    Args:
        results: one per text.
        texts: the texts; some forms repeat them.
        form: from `clients.zero_shot_form`.
        listed: whether a list of texts came in.
    """
    if form == "objects":
        return [_object(*each) for each in zip(texts, results, strict=True)]
    shaped = [_shaped(*each, form) for each in zip(texts, results, strict=True)]
    return shaped if listed else shaped[0]


def _shaped(text: str, result: Ranking, form: ZeroShotForm) -> object:
    if form == "labels":
        return result.scores
    if form == "object":
        return _object(text, result)
    whole = _object(text, result)
    first, *others = result.scores
    return [_both(first, whole), *(_both(each, _NOTHING) for each in others)]


def _object(text: str, result: Ranking) -> LabelledSequence:
    labels = [each.label for each in result.scores]
    return LabelledSequence(text, labels, [each.score for each in result.scores])


_NOTHING: Final = LabelledSequence("", [], [])


def _both(each: LabelScore, whole: LabelledSequence) -> LabelAndSequence:
    return LabelAndSequence(each.label, each.score, whole.sequence, whole.labels, whole.scores)
