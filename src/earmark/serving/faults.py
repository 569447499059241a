"""What is passed on and never answered: requests to stop, as against faults.

A panic inside a library written in Rust arrives as a `BaseException` that is none of these, so that
`except Exception` lets it escape. Whoever has to answer, or holds state, passes these on and treats
everything else as a fault.
"""

import asyncio
from typing import Final

__all__ = ["STOPS"]

STOPS: Final = (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit)
"""Raised to end a task, a generator or the program."""
