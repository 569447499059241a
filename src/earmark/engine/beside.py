"""Work that takes long, beside the event loop.

A thread is no cure by itself: threads that compute in Python take turns with the event loop, some
milliseconds each, and each holds what it works on. So few of those that take long run at once, and
the others wait; what takes little does not wait behind them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Final, ParamSpec, TypeVar

from earmark.engine.freed import GivingBack

__all__ = ["INLINE_BYTES", "LARGE", "beside"]

P = ParamSpec("P")
T = TypeVar("T")

INLINE_BYTES: Final = 16 * 1024
"""A body of so many bytes, or an answer, is read or written in less than a millisecond: less than
handing the work to another thread costs under load."""

LARGE: Final = 128 * 1024
"""Bytes or characters from which work is large."""

_LARGE_AT_ONCE: Final = 2
"""Encoding a text of 2 MB takes some 300 MB for a moment, and uses every core."""

_large_work: Final = ThreadPoolExecutor(_LARGE_AT_ONCE, thread_name_prefix="earmark-large")
_giving_back: Final = GivingBack(_large_work)


async def beside(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do work in another thread; a caller who leaves before it begins takes it along.

    Args:
        size: bytes or characters that the work is about.
        work: what is to be done.
        args: for it.
        kwargs: for it.
    """
    if size < LARGE:
        return await asyncio.to_thread(work, *args, **kwargs)
    called = partial(copy_context().run, work, *args, **kwargs)
    try:
        return await asyncio.get_running_loop().run_in_executor(_large_work, called)
    finally:
        _giving_back.soon()
