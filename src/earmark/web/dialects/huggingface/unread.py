"""Doubts about a request of this dialect: members that nothing reads, and unsuitable models.

Besides the headers of every dialect, answers that are objects hold them in ``warnings``.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final

import msgspec

from earmark.domain.near_names import nearest
from earmark.engine.info import ModelFacts
from earmark.tasks.task import TaskName
from earmark.tasks.zero_shot import names_entailment
from earmark.web.body import ParsedBody, given_members
from earmark.web.body import shown_name as _shown
from earmark.web.dialects.huggingface.preferences import OF_OPTIONS
from earmark.web.dialects.huggingface.text_classification import (
    OF_PAIR,
    TextClassificationParameters,
)
from earmark.web.dialects.huggingface.text_ranking import TextRankingParameters
from earmark.web.dialects.huggingface.token_classification import TokenClassificationParameters
from earmark.web.dialects.huggingface.zero_shot import LabelledSequence, ZeroShotParameters
from earmark.web.ranked_texts import TextsBody
from earmark.web.unread import Doubt, first_doubts

_READ: Final[Mapping[TaskName, tuple[str, ...]]] = {
    "text-classification": TextClassificationParameters.__struct_fields__,
    "zero-shot-classification": ZeroShotParameters.__struct_fields__,
    "token-classification": TokenClassificationParameters.__struct_fields__,
    "text-ranking": TextRankingParameters.__struct_fields__,
}
"""Parameters by task."""

_BESIDE: Final = ("inputs", "parameters", "options", "stream")
"""Members of a body."""

_OF_RANKING: Final = (*_BESIDE, *TextsBody.__struct_fields__)
"""Members of a body with query and texts, which may stand at its top."""

_SPREAD: Final = frozenset({"model", "provider", "task", "accessToken", "endpointUrl", "billTo"})
"""Arguments of JavaScript clients, which spread theirs into the body."""

_HARMLESS: Final = frozenset({"stream", "padding", "batch_size", "num_workers"})
"""Parameters that change no answer, here as in `transformers`."""


def doubts_about(body: ParsedBody, task: TaskName, info: ModelFacts) -> tuple[Doubt, ...]:
    """Find what nothing reads in a request, and whether the model seems made for it.

    Args:
        body: a malformed one raises no doubts, since its decoder refuses it.
        task: that is asked.
        info: of the model.
    """
    beside = given_members(body.value)
    members = _OF_RANKING if task == "text-ranking" else _BESIDE
    # One by one: a body may hold a hundred thousand names.
    found = chain(
        (
            _parameter(name, task)
            for name in given_members(beside.get("parameters"))
            if name not in _READ[task] and name not in _HARMLESS
        ),
        (
            _beside(name, task, info.tasks)
            for name in beside
            if name not in members and name not in _SPREAD
        ),
        OF_OPTIONS.doubts(given_members(beside.get("options")), place="options."),
        _of_pairs(beside.get("inputs")) if task == "text-classification" else (),
    )
    if task != "zero-shot-classification" or names_entailment(info.labels):
        return first_doubts(found)
    doubt = 'no label of this model begins with "entail", so its last one is taken for entailment'
    return (*first_doubts(found), Doubt(task, doubt))


def with_warnings(body: object, doubts: tuple[Doubt, ...]) -> object:
    """Put doubts into an answer where it is an object; of several objects into the first."""
    if isinstance(body, LabelledSequence):
        return msgspec.structs.replace(body, warnings=tuple(each.text for each in doubts))
    if isinstance(body, list) and body and isinstance(body[0], LabelledSequence):
        return [with_warnings(body[0], doubts), *body[1:]]
    return body


def _of_pairs(inputs: object) -> Iterator[Doubt]:
    """Find doubts about inputs that are objects; a list is one of those where its first item is."""
    if isinstance(inputs, dict):
        yield from OF_PAIR.doubts(given_members(inputs), place="inputs.")
    elif isinstance(inputs, list) and inputs and isinstance(inputs[0], dict):
        for index, item in enumerate(inputs):
            yield from OF_PAIR.doubts(given_members(item), place=f"inputs[{index}].")


def _parameter(name: str, task: TaskName) -> Doubt:
    near = nearest(name, _READ[task])
    others = [other for other, read in _READ.items() if name in read]
    if near is not None:
        hint = f"did you mean `{near}`?"
    elif others:
        hint = f"it is for {others[0]}, and this is {task}"
    else:
        hint = f"{task} reads {', '.join(_READ[task])}"
    return Doubt(f"parameters {_shown(name)}", f"`parameters.{_shown(name)}` is not read; {hint}")


def _beside(name: str, task: TaskName, tasks: tuple[TaskName, ...]) -> Doubt:
    read = dict.fromkeys(each for one in (task, *tasks) for each in _READ.get(one, ()))
    if name in OF_OPTIONS.read:
        hint = f"write it into `options`, as `{name}`"
        return Doubt(f"body {name}", f"`{name}` is not read beside `inputs`; {hint}")
    near = nearest(name, _BESIDE)
    meant = nearest(name, read)
    if near is not None:
        hint = f"did you mean `{near}`?"
    elif meant is not None:
        hint = f"write it into `parameters`, as `{meant}`"
    else:
        hint = f"a body holds {', '.join(_BESIDE)}"
    return Doubt(f"body {_shown(name)}", f"`{_shown(name)}` is not read beside `inputs`; {hint}")
