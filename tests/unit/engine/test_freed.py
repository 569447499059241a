"""Freed memory is given back to the system once after large work."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from earmark.engine.freed import GivingBack, give_back

PATIENCE_S = 20.0


def test_a_burst_is_given_back_once() -> None:
    """After a burst memory is given back once; each piece of work in it delays that."""
    done: list[int] = []
    event = Event()

    def give() -> None:
        done.append(1)
        event.set()

    async def burst(giving: GivingBack) -> None:
        for _ in range(5):
            giving.soon()
        assert await asyncio.to_thread(event.wait, PATIENCE_S)

    with ThreadPoolExecutor(1) as executor:
        asyncio.run(burst(GivingBack(executor, give, quiet_s=0.05)))
    assert done == [1]


def test_giving_back_works_wherever_it_runs() -> None:
    """Giving back never fails; on C libraries other than glibc it does nothing."""
    give_back()
