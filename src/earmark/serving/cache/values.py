"""Results as bytes: what is read back equals what was written.

MessagePack has 64-bit floats. No result holds an input: the word of an entity is the only piece of
a text that is kept.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from earmark.domain.results import Classification, Entities, Ranking, Relevance
from earmark.tasks.task import TaskName

_encoder: Final = msgspec.msgpack.Encoder()

_DECODERS: Final[Mapping[TaskName, msgspec.msgpack.Decoder[Any]]] = {  # each of its own type
    "text-classification": msgspec.msgpack.Decoder(Classification),
    "zero-shot-classification": msgspec.msgpack.Decoder(Ranking),
    "token-classification": msgspec.msgpack.Decoder(Entities),
    "text-ranking": msgspec.msgpack.Decoder(Relevance),
}


def write_result(result: object) -> bytes:
    """Write a task's result."""
    return _encoder.encode(result)


def read_result(task: TaskName, value: bytes) -> object:
    """Read what `write_result` wrote.

    Raises:
        msgspec.DecodeError: the bytes are not from `write_result`, or are for another task.
    """
    result: object = _DECODERS[task].decode(value)
    return result
