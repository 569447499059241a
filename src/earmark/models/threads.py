"""Threads that fetch and load models; one that never ends does not keep the process from ending."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog

from earmark.errors import ShuttingDown

Result = TypeVar("Result")

_CHECKED_EVERY_S: Final = 0.2
"""A server that goes down waits at most so long for a download to notice."""

_running: Final[set[threading.Thread]] = set()

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.models")


def start_load(work: Callable[[], None]) -> None:
    """Run a load in a thread of its own.

    Args:
        work: must not raise.

    Raises:
        RuntimeError: the system gives no more threads.
    """
    thread = threading.Thread(target=lambda: _run(thread, work), name="earmark-load", daemon=True)
    _running.add(thread)
    try:
        thread.start()
    except RuntimeError:
        _running.discard(thread)
        raise


def load_interruptibly(work: Callable[[], Result]) -> Result:
    """Run a load in a thread and wait for it, so that a signal can interrupt the caller.

    Raises:
        BaseException: the load raised it, or the handler of a signal did.
    """
    outcome: list[Result] = []
    raised: list[BaseException] = []
    ended = threading.Event()

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001 - raised below
            raised.append(error)
        finally:
            ended.set()

    start_load(run)
    ended.wait()
    if raised:
        raise raised[0]
    return outcome[0]


def loads_ended(*, within_s: float) -> bool:
    """Wait for the loads in progress, so long at most; return whether all have ended."""
    until_s = time.monotonic() + within_s
    for thread in tuple(_running):
        thread.join(max(until_s - time.monotonic(), 0.0))
    return not _running


def _run(thread: threading.Thread, work: Callable[[], None]) -> None:
    try:
        work()
    finally:
        _running.discard(thread)


@dataclass(frozen=True, slots=True)
class WhileWanted:
    """Stops a download that is not wanted any more; the bytes that came stay in the cache.

    Attributes:
        wanted: asked whenever bytes have come.
    """

    wanted: Callable[[], bool]

    def begin(self, model: str, *, total_bytes: int, there_bytes: int) -> None:
        """Log what is to come.

        Raises:
            ShuttingDown: the model is not wanted any more.
        """
        _log.info("fetching a model", model=model, bytes=total_bytes, there_bytes=there_bytes)
        self.advance(0)

    def advance(self, more_bytes: int) -> None:  # noqa: ARG002 - the protocol's
        """Check that the download is still wanted.

        Raises:
            ShuttingDown: the model is not wanted any more.
        """
        if not self.wanted():
            raise ShuttingDown("the server is going down")

    def finish(self) -> None:
        """Do nothing: the load logs how it ended."""


def fetched_while_wanted(fetch: Callable[[WhileWanted], None], wanted: Callable[[], bool]) -> None:
    """Fetch a model, and wait no longer than it is wanted.

    The Hub's library takes megabytes at a time, and a slow network minutes for them. So the bytes
    come in a thread beside this one, a daemon: a process that ends leaves it where it is, and the
    next goes on from there.

    Args:
        fetch: fetches the model, and reports its progress.
        wanted: asked whenever bytes have come, and now and then.

    Raises:
        ShuttingDown: the model is not wanted any more.
        CheckpointError: `fetch` raised it.
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
    while not wait((outcome,), timeout=_CHECKED_EVERY_S).done:
        if not wanted():
            raise ShuttingDown("the server is going down")
    outcome.result()
