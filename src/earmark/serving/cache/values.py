"""A result as it is kept: bytes, read back into exactly what they were.

MessagePack has 64-bit floats, and no result holds an input: a word of an entity is the one piece of
a text that is kept.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from earmark.domain.results import Classification, Entities, Ranking
from earmark.tasks.task import TaskName

__all__ = ["read_result", "write_result"]

_encoder: Final = msgspec.msgpack.Encoder()

_DECODERS: Final[Mapping[TaskName, msgspec.msgpack.Decoder[Any]]] = {  # each of its own type
    "text-classification": msgspec.msgpack.Decoder(Classification),
    "zero-shot-classification": msgspec.msgpack.Decoder(Ranking),
    "token-classification": msgspec.msgpack.Decoder(Entities),
}


def write_result(result: object) -> bytes:
    """Write a task's result."""
    return _encoder.encode(result)


def read_result(task: TaskName, value: bytes) -> object:
    """Read what `write_result` wrote.

    Raises:
        msgspec.DecodeError: it did not write this, or not for this task.
    """
    result: object = _DECODERS[task].decode(value)
    return result
