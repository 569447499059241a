"""Correct requests: the server has to answer them alike before and after the hostile ones."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import msgspec
from fuzz.addresses import Operation
from fuzz.connection import Connection
from fuzz.requests import Asked, Fit
from fuzz.targets import MODEL_PLACES, TASKS, Models, Target
from fuzz.values import tree_of
from fuzz.wire import Received, read_answer

_OK: Final = 200
_AS_EQUAL: Final = 1e-3
"""The greatest difference of a score: other texts in the batch change its last digits."""
_TASKS: Final = TASKS[:4]  # the others are further names of these


@dataclass(frozen=True, slots=True)
class Sound:
    """A correct request and its answer.

    Attributes:
        asked: the request.
        fit: what it was made of.
        body: of the answer.
    """

    asked: Asked
    fit: Fit
    body: object


async def sound_answers(
    place: tuple[str, int], operations: Sequence[Operation], models: Models, key: str
) -> list[Sound]:
    """Send every example of the document to every model, and keep what is answered the same twice.

    Args:
        place: host and port.
        operations: what the server has.
        models: what requests name.
        key: what the server lets in; empty where it demands no key.
    """
    connection = Connection(place)
    found = []
    for asked, fit in _examples(operations, models, key):
        first = await _ask(connection, asked)
        if first.status == _OK and first.media_type == "application/json":
            again = await _ask(connection, asked)
            value = msgspec.json.decode(first.body)
            if again.status == _OK and _alike(value, msgspec.json.decode(again.body)):
                found.append(Sound(asked, fit, value))
    connection.drop()
    return found


def fits_of(found: Sequence[Sound]) -> dict[Operation, list[Fit]]:
    """Sort what is correct by operation."""
    fits: dict[Operation, list[Fit]] = defaultdict(list)
    for one in found:
        if one.asked.target.operation is not None:
            fits[one.asked.target.operation].append(one.fit)
    return fits


def unanswered(operations: Sequence[Operation], found: Sequence[Sound]) -> list[str]:
    """List the operations with examples of which none is answered."""
    answered = {one.asked.target.operation for one in found}
    return [one.name for one in operations if one.examples and one not in answered]


async def changed_answers(
    place: tuple[str, int], found: Sequence[Sound]
) -> list[tuple[Asked, str]]:
    """Send the same requests again, and list those that are answered otherwise, with how."""
    connection = Connection(place)
    changed = []
    for one in found:
        answer = await _ask(connection, one.asked)
        if answer.status != _OK:
            changed.append((one.asked, f"{answer.status}: {answer.body[:300]!r}"))
        elif not _alike(one.body, msgspec.json.decode(answer.body)):
            changed.append((one.asked, f"{answer.body[:300]!r}, and first {one.body!r:.300}"))
    connection.drop()
    return changed


async def _ask(connection: Connection, asked: Asked) -> Received:
    reader, writer = await connection.opened()
    writer.write(asked.sent())
    answer = await read_answer(reader, head_only=False)
    if answer.closes:
        connection.drop()
    return answer


def _examples(
    operations: Sequence[Operation], models: Models, key: str
) -> Iterator[tuple[Asked, Fit]]:
    for operation in operations:
        tasks = _TASKS if "{task}" in operation.path else _TASKS[:1]
        for model, task, example in product(models.served, tasks, operation.examples):
            places = {**dict.fromkeys(MODEL_PLACES, model), "task": task}
            path = operation.path.format_map({**dict(operation.places), **places})
            # The cache is passed over, where the caller may ask for that.
            headers = [
                (b"host", b"localhost"),
                (b"x-use-cache", b"false"),
                (b"x-request-id", b"sound"),
            ]
            headers += [(b"authorization", b"Bearer " + key.encode())] if key else []
            headers += [(name, model.encode()) for name in operation.headers if b"model-id" in name]
            body = msgspec.json.encode(example)
            asked = Asked("POST", Target(path, path, operation), tuple(headers), body, None)
            yield asked, Fit(tree_of(example), places, model)


def _alike(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= _AS_EQUAL
    return one == other
