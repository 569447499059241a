"""Runs long work in threads beside the event loop.

Threads alone do not help: threads that compute in Python take turns with the event loop, some
milliseconds each, and each keeps its data in memory. So only a few long pieces of work run at once,
and the others wait; short work does not wait behind them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Final, ParamSpec, TypeVar

from earmark.engine.freed import GivingBack

P = ParamSpec("P")
T = TypeVar("T")

INLINE_BYTES: Final = 16 * 1024
"""A body or an answer of so many bytes is read or written in less than a millisecond, which is less
than moving the work to another thread costs under load."""

LARGE: Final = 128 * 1024
"""Work on at least so many bytes or characters is large."""

_LARGE_AT_ONCE: Final = 2
"""Encoding a text of 2 MB takes some 300 MB for a moment, and uses every core."""

_SHORT_AT_ONCE: Final = 2
"""The work is Python's for the most part: further threads make it no quicker, and the event loop
waits for its turn behind each of them."""

_short_work: Final = ThreadPoolExecutor(_SHORT_AT_ONCE, thread_name_prefix="earmark-short")
_large_work: Final = ThreadPoolExecutor(_LARGE_AT_ONCE, thread_name_prefix="earmark-large")
_giving_back: Final = GivingBack(_large_work)


async def beside(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in another thread; cancelling before it begins drops the call.

    Args:
        size: bytes or characters that the work handles.
        work: the function.
        args: its positional arguments.
        kwargs: its keyword arguments.
    """
    called = partial(copy_context().run, work, *args, **kwargs)
    loop = asyncio.get_running_loop()
    if size < LARGE:
        return await loop.run_in_executor(_short_work, called)
    try:
        return await loop.run_in_executor(_large_work, called)
    finally:
        _giving_back.soon()
