"""Memory is given back once, after large work."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from earmark.engine.freed import GivingBack, give_back

PATIENCE_S = 20.0


def test_a_burst_is_given_back_once() -> None:
    """Each piece of work puts it off; after the last it is done, and no second time."""
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
    """On other C libraries it does nothing; nowhere does it fail."""
    give_back()
