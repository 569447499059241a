"""Follows a download as long as somebody wants the model."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Final

import structlog

from earmark.errors import ShuttingDown

__all__ = ["WhileWanted", "fetched_while_wanted"]

_LOOKS_UP_EVERY_S: Final = 0.2
"""So long a server that goes down waits at most for a download to notice."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.models")


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


def fetched_while_wanted(fetch: Callable[[WhileWanted], None], wanted: Callable[[], bool]) -> None:
    """Fetch a model, and wait no longer than somebody wants it.

    The Hub's library takes megabytes at a time, and a slow network minutes for them. So the bytes
    come in a thread beside this one, a daemon: a process that ends leaves it where it is, and the
    next goes on from there.

    Args:
        fetch: does it, and tells how far it is.
        wanted: asked whenever bytes have come, and now and then.

    Raises:
        ShuttingDown: it is wanted no more.
        CheckpointError: whatever `fetch` raises.
    """
    outcome: Future[None] = Future()

    def run() -> None:
        try:
            fetch(WhileWanted(wanted))
        except Exception as error:  # noqa: BLE001 - raised below
            outcome.set_exception(error)
        else:
            outcome.set_result(None)

    threading.Thread(target=run, name="earmark-fetch", daemon=True).start()
    while not wait((outcome,), timeout=_LOOKS_UP_EVERY_S).done:
        if not wanted():
            raise ShuttingDown("the server is going down")
    outcome.result()
