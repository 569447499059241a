"""Results as bytes: what is read back equals what was written.

MessagePack has 64-bit floats. No result holds an input: the word of an entity is the only piece of
a text that is kept.
"""

from collections.abc import Iterable, Mapping
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


def write_results(results: Iterable[object]) -> list[bytes]:
    """Write results of a task."""
    return [_encoder.encode(result) for result in results]


def read_results(task: TaskName, values: Iterable[bytes]) -> list[object]:
    """Read what `write_results` wrote.

    Raises:
        msgspec.DecodeError: the bytes are not from `write_results`, or are for another task.
    """
    return [_DECODERS[task].decode(value) for value in values]
