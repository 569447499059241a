"""Follows a download as long as somebody wants the model."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from earmark.errors import ShuttingDown

__all__ = ["WhileWanted"]

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.serving")


@dataclass(frozen=True, slots=True)
class WhileWanted:
    """Breaks off a download that is not wanted any more; what has come of it stays in the cache.

    Attributes:
        wanted: asked whenever bytes have come.
    """

    wanted: Callable[[], bool]

    def begin(self, model: str, *, total_bytes: int, there_bytes: int) -> None:
        """Tell the log what is to come.

        Raises:
            ShuttingDown: it is wanted no more.
        """
        _log.info("fetching a model", model=model, bytes=total_bytes, there_bytes=there_bytes)
        self.advance(0)

    def advance(self, more_bytes: int) -> None:  # noqa: ARG002 - the protocol's
        """Go on.

        Raises:
            ShuttingDown: it is wanted no more.
        """
        if not self.wanted():
            raise ShuttingDown("the server is going down")

    def finish(self) -> None:
        """Do nothing: the load tells how it ended."""
