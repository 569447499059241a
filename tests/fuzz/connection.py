"""A connection to the server, and how it ends."""

import asyncio
from typing import Final

from fuzz.wire import NotHttp

_HEAD_BYTES: Final = 1 << 17
_ENDING_S: Final = 5.0
"""For the end of a connection that an answer closed."""


class Connection:
    """A connection that is opened when it is needed."""

    def __init__(self, place: tuple[str, int]) -> None:
        """Aim at a host and a port."""
        self._place = place
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return the streams of the connection."""
        if self._open is None:
            self._open = await asyncio.open_connection(*self._place, limit=_HEAD_BYTES)
        return self._open

    def drop(self) -> None:
        """Close the connection; the next use opens another."""
        if self._open is not None:
            self._open[1].close()
            self._open = None


async def ended(reader: asyncio.StreamReader) -> None:
    """Wait for the end that an answer announced.

    Raises:
        NotHttp: something follows the answer instead, or nothing at all.
    """
    try:
        async with asyncio.timeout(_ENDING_S):
            rest = await reader.read(1)
    except TimeoutError:
        raise NotHttp("the connection stays open after connection: close") from None
    except ConnectionError:
        return
    if rest:
        raise NotHttp(f"bytes follow the last answer: {rest!r}")
