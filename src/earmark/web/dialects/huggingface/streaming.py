"""Entities in events, as their windows finish.

What is decided here:

* An event is an item of the plain answer. Where the inputs came as a list, ``index`` names the
  input of the event; the place of a single token, which is ``index`` in plain answers, is then
  called ``token_index``.
* An input that fails is an event with ``error`` and ``error_type``, and the others go on.
* A request is refused, with a status, only before the first event. After that, ``[DONE]`` always
  ends the stream.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import msgspec
from starlette.responses import Response

from earmark.domain.results import Entity
from earmark.engine.streaming import EntityStream, Failed
from earmark.serving.service import STOPS, Call
from earmark.tasks.token_classification import TokenClassification
from earmark.web.answer_headers import reading_headers
from earmark.web.dialects.huggingface.token_classification import wire_entity
from earmark.web.error_forms import nearest_form
from earmark.web.events import DONE, EventStream, event
from earmark.web.plain_errors import FORMS, wording
from earmark.web.request_log import RequestRecord

_ERROR_TYPES: Final = {400: "validation", 429: "overloaded", 503: "overloaded", 504: "timeout"}
"""Values of ``error_type``; `huggingface_hub` knows the first two from text generation."""


class _Group(msgspec.Struct, frozen=True):
    index: int
    entity_group: str
    score: float
    word: str
    start: int
    end: int


class _Token(msgspec.Struct, frozen=True):
    index: int
    entity: str
    score: float
    token_index: int
    word: str
    start: int
    end: int
    entity_group: str


class _Error(msgspec.Struct, frozen=True, omit_defaults=True):
    error: str
    error_type: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class StreamedExchange:
    """A request that is to be answered in events.

    Attributes:
        request: what the engine is asked.
        listed: whether the inputs came as a list.
    """

    request: TokenClassification
    listed: bool

    async def answer(self, call: Call) -> Response:
        """Begin to ask the model; the returned answer goes on, and frees everything at its end.

        Args:
            call: to the model.

        Raises:
            EarmarkError: the request is refused.
        """
        async with AsyncExitStack() as held:
            served = await held.enter_async_context(call.stream(self.request))
            stream = served.stream
            headers = reading_headers(
                stream.inputs, characters=self.request.characters, info=served.info
            )
            headers["x-tokenization-time"] = f"{stream.tokenize_s * 1000:.1f}"
            return EventStream(
                lambda record: self._events(stream, record), headers=headers, held=held.pop_all()
            )

    async def _events(
        self, stream: EntityStream, record: RequestRecord
    ) -> AsyncGenerator[bytes, None]:
        try:
            async for finding in stream:
                item = finding.item if self.listed else None
                if isinstance(finding, Failed):
                    yield _failure(finding.error, record, item)
                else:
                    yield b"".join(_entities(finding.entities, item))
        except STOPS:
            raise
        except BaseException as fault:  # noqa: BLE001 - the status is sent: only an event can say it
            yield _failure(fault, record, None)
        yield DONE


def _entities(entities: tuple[Entity, ...], item: int | None) -> Iterator[bytes]:
    for entity in entities:
        yield event(wire_entity(entity) if item is None else _listed(entity, item))


def _listed(entity: Entity, item: int) -> _Group | _Token:
    place = (entity.word, entity.start, entity.end)
    if entity.index is None:
        return _Group(item, entity.label, entity.score, *place)
    return _Token(item, entity.label, entity.score, entity.index, *place, entity.group)


def _failure(error: BaseException, record: RequestRecord, item: int | None) -> bytes:
    kind = _ERROR_TYPES.get(nearest_form(FORMS, error).status, "internal")
    return event(_Error(wording(error, record), kind, item))
