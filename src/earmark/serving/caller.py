"""What is known of the caller of a request."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who a request is from.

    Attributes:
        key: public id of the access key that let the caller in; None where none is demanded.
        address: of the other end of the connection; None where there is no connection.
        client: how the caller's program names itself; empty where it does not.
        here: whether the request certainly comes from a program on this machine, or from the
            server's own page.
    """

    key: str | None = None
    address: str | None = None
    client: str = ""
    here: bool = False


NOBODY = Caller()
"""A caller of whom nothing is known."""
