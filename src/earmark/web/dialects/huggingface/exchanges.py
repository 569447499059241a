"""A request of each task, and the form of its answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from starlette.responses import Response

from earmark.domain.near_names import nearest
from earmark.domain.results import Classification, Entities, Ranking, Relevance
from earmark.engine.info import EngineInfo, ModelFacts
from earmark.errors import UnsupportedTask
from earmark.serving.service import Call
from earmark.tasks.task import TaskName
from earmark.web.body import ParsedBody, given_members
from earmark.web.dialects.huggingface.clients import (
    reads_first_list,
    zero_shot_form,
)
from earmark.web.dialects.huggingface.streaming import StreamedExchange
from earmark.web.dialects.huggingface.text_classification import (
    classifications_body,
    decode_text_classification,
    lost_lists,
)
from earmark.web.dialects.huggingface.text_ranking import asks_ranking, open_text_ranking
from earmark.web.dialects.huggingface.token_classification import (
    decode_token_classification,
    entities_body,
)
from earmark.web.dialects.huggingface.unread import with_warnings
from earmark.web.dialects.huggingface.zero_shot import decode_zero_shot, zero_shot_body
from earmark.web.exchange import Exchange
from earmark.web.options import ZeroShotForm
from earmark.web.responses import json_response
from earmark.web.unread import Doubt, tell_doubts

_ALIASES: Final[Mapping[str, TaskName]] = {
    "text-classification": "text-classification",
    "sentiment-analysis": "text-classification",
    "zero-shot-classification": "zero-shot-classification",
    "token-classification": "token-classification",
    "ner": "token-classification",
    "text-ranking": "text-ranking",
}
"""Names of tasks in an address; two have a second one in `transformers` (pipelines/__init__.py)."""

TASK_NAMES: Final = tuple(_ALIASES)
"""Every name that an address may have for a task."""


@dataclass(frozen=True, slots=True)
class Reader:
    """The program that reads the answer, as far as its form depends on it.

    Attributes:
        user_agent: from `clients.name_of_caller`.
        unknown_form: form of zero-shot answers for every other than an official client.
        reads_whole: whether the address is one whose clients read the answer as it is.
    """

    user_agent: str
    unknown_form: ZeroShotForm
    reads_whole: bool = False


AnyExchange: TypeAlias = (
    Exchange[Classification]
    | Exchange[Ranking]
    | Exchange[Entities]
    | Exchange[Relevance]
    | StreamedExchange
)


async def answered(exchange: AnyExchange, call: Call, doubts: tuple[Doubt, ...] = ()) -> Response:
    """Carry out a request and answer it.

    Args:
        exchange: the request.
        call: to the model.
        doubts: what the caller should know.

    Raises:
        EarmarkError: the whole request failed, or its first input that did.
    """
    if isinstance(exchange, StreamedExchange):
        return tell_doubts(await exchange.answer(call), doubts)
    carried = await exchange.carry_out(call)
    body = with_warnings(carried.body, doubts) if doubts else carried.body
    answer = await carried.written(lambda: json_response(body, headers=carried.headers))
    return tell_doubts(answer, doubts)


def task_named(name: str) -> TaskName:
    """Find a task by its name in an address.

    Raises:
        UnsupportedTask: earmark has no such task.
    """
    task = _ALIASES.get(name)
    if task is None:
        near = nearest(name, _ALIASES)
        meant = f" (did you mean {near}?)" if near else ""
        raise UnsupportedTask(
            f"there is no task {name[:64]!r} here; expected {', '.join(_ALIASES)}{meant}"
        )
    return task


def asked_task(body: ParsedBody, info: ModelFacts) -> TaskName:
    """Find from a body which of a model's tasks is asked.

    This is the model's first task, except for three bodies that can only mean another: one with a
    query and texts is for text ranking; one with candidate labels is for zero-shot classification;
    one without, whose input is a pair, asks a model of language inference for its own labels.
    """
    if asks_ranking(body.value):
        return "text-ranking"
    if "zero-shot-classification" in info.tasks:
        given = given_members(body.value)
        parameters = given_members(given.get("parameters"))
        if "candidate_labels" in parameters or "candidateLabels" in parameters:
            return "zero-shot-classification"
        inputs = given.get("inputs")
        for item in inputs if isinstance(inputs, list) else [inputs]:
            # A pair, in either of its forms.
            if isinstance(item, list) or "text_pair" in given_members(item):
                return "text-classification"
    return info.task


_FORM_VARIES: Final[Mapping[str, str]] = {"vary": "User-Agent, CF-Worker"}
"""The form depends on the client's name, so that a cache in front must keep the forms apart."""


def _open_text_classification(body: ParsedBody, reader: Reader) -> Exchange[Classification]:
    request = decode_text_classification(body)
    alone = reads_first_list(reader.user_agent) and not reader.reads_whole

    def remarks(results: Sequence[Classification], _: EngineInfo) -> Mapping[str, str]:
        warning = lost_lists(results) if alone else None
        varies = _FORM_VARIES if len(results) > 1 else {}
        return {**varies, **({"x-hf-warning": warning} if warning else {})}

    return Exchange(
        request,
        request.characters,
        lambda results: classifications_body(results, first_list_alone=alone),
        remarks,
    )


def _open_zero_shot(body: ParsedBody, reader: Reader) -> Exchange[Ranking]:
    decoded = decode_zero_shot(body)
    form = zero_shot_form(reader.user_agent, unknown=reader.unknown_form, listed=decoded.listed)
    texts = decoded.request.inputs
    characters = sum(len(text) for text in texts)
    return Exchange(
        decoded.request,
        characters,
        lambda results: zero_shot_body(results, texts, form=form, listed=decoded.listed),
        lambda *_: _FORM_VARIES,
    )


def _open_token_classification(
    body: ParsedBody, _: Reader
) -> Exchange[Entities] | StreamedExchange:
    decoded = decode_token_classification(body)
    if decoded.streamed:
        return StreamedExchange(decoded.request, listed=decoded.listed)
    return Exchange(
        decoded.request,
        decoded.request.characters,
        lambda results: entities_body(results, listed=decoded.listed),
    )


OPENERS: Final[Mapping[TaskName, Callable[[ParsedBody, Reader], AnyExchange]]] = {
    "text-classification": _open_text_classification,
    "zero-shot-classification": _open_zero_shot,
    "token-classification": _open_token_classification,
    "text-ranking": lambda body, _: open_text_ranking(body),
}
"""Reads a body as a request to a task, or raises `InvalidInput`."""
