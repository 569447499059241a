"""Whether the server drains: it will stop soon, and still answers."""

from typing import Final

from starlette.types import Scope

DRAINING: Final = "draining"
"""The name in the lifespan's state, of which ASGI servers give each request a copy."""

CLOSING: Final = (b"connection", b"close")
"""The header of every answer of a draining server, by which callers connect anew: elsewhere."""


def is_draining(scope: Scope) -> bool:
    """Return whether the server of a request drains."""
    return DRAINING in scope.get("state", ())
