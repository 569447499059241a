"""Event loops that wait for a change are woken by whichever thread makes it."""

import asyncio
import threading

from earmark.models.change_signal import ChangeSignal

_PATIENCE_S = 10.0
"""Far more than any of this takes."""


def test_a_change_in_another_thread_wakes_an_event_loop() -> None:
    """A future is done after the next change, and no earlier."""

    async def scenario() -> None:
        signal = ChangeSignal()
        change = signal.subscribe()
        assert not change.done()
        threading.Thread(target=signal.notify).start()
        await asyncio.wait_for(change, _PATIENCE_S)

    asyncio.run(scenario())


def test_a_future_that_is_forgotten_stays_undone() -> None:
    """Of two futures only the one that is still subscribed is done by a change."""

    async def scenario() -> None:
        signal = ChangeSignal()
        kept, forgotten = signal.subscribe(), signal.subscribe()
        signal.unsubscribe(forgotten)
        signal.notify()
        await asyncio.wait_for(kept, _PATIENCE_S)
        assert not forgotten.done()

    asyncio.run(scenario())


def test_an_event_loop_that_has_closed_keeps_no_other_from_waking() -> None:
    """A change is announced although a loop that waited for it is gone."""
    signal = ChangeSignal()

    async def wait_no_longer() -> None:
        signal.subscribe()

    async def wait() -> None:
        change = signal.subscribe()
        signal.notify()
        await asyncio.wait_for(change, _PATIENCE_S)

    asyncio.run(wait_no_longer())
    asyncio.run(wait())


def test_a_future_that_was_cancelled_is_left_alone() -> None:
    """A caller may leave between the change and the moment that its event loop hears of it."""

    async def scenario() -> None:
        signal = ChangeSignal()
        change, other = signal.subscribe(), signal.subscribe()
        signal.notify()
        change.cancel()
        await asyncio.wait_for(other, _PATIENCE_S)
        assert change.cancelled()

    asyncio.run(scenario())
