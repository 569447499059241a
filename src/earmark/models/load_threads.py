"""Threads that load models; one that never ends does not keep the process from ending."""

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

__all__ = ["beside", "loads_ended", "start_load"]

Result = TypeVar("Result")

_running: Final[set[threading.Thread]] = set()


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


def beside(work: Callable[[], Result]) -> Result:
    """Run a load beside the main thread, which a signal can then interrupt, and wait for it.

    Raises:
        BaseException: whatever the load raised, or a handler of a signal.
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
    """Wait for the loads in progress, so long at most, and say whether all have ended."""
    until_s = time.monotonic() + within_s
    for thread in tuple(_running):
        thread.join(max(until_s - time.monotonic(), 0.0))
    return not _running


def _run(thread: threading.Thread, work: Callable[[], None]) -> None:
    try:
        work()
    finally:
        _running.discard(thread)
