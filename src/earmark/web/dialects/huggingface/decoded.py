"""A decoded request of this dialect."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Asked = TypeVar("Asked")


@dataclass(frozen=True, slots=True)
class Decoded(Generic[Asked]):
    """A request, and how its answer is to be shaped.

    Attributes:
        request: what the engine is asked.
        listed: whether the inputs came as a list, which the answer then is as well.
        streamed: whether the answer is to come in events.
    """

    request: Asked
    listed: bool
    streamed: bool = False
