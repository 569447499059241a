"""Bodies that wrap an input where the address does not name the model."""

from typing import Final, Generic, TypeVar

import msgspec

from earmark.web.body import EmptyArray
from earmark.web.unread import Reading

Input = TypeVar("Input")


class Universal(msgspec.Struct, Generic[Input], frozen=True):
    """Body of a run whose address names no model."""

    model: str
    input: Input


class RunOptions(msgspec.Struct, frozen=True, rename="camel"):
    """What a binding sets beside the input; the rest of it means nothing here.

    Attributes:
        queue_request: whether the input is a batch.
    """

    queue_request: bool | None = None


class Bound(msgspec.Struct, Generic[Input], frozen=True):
    """Body of a binding's run."""

    inputs: Input
    options: RunOptions | EmptyArray | None = None


OF_UNIVERSAL: Final = Reading(
    of="a body that names its model",
    read=Universal.__struct_fields__,
    harmless=frozenset({"options"}),
)
OF_BOUND: Final = Reading(of="a binding's body", read=Bound.__struct_fields__)
