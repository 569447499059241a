"""Whether a request is surely that of a program on this machine, or of the server's own page.

A browser lets a page of any site send requests to a server on the reader's own machine, and tells
where they come from: `Origin` (RFC 6454) with every POST, `Sec-Fetch-Site` (W3C, Fetch Metadata)
with any. A site may also have a name of its own lead to this machine; then the page's site and the
server's are one, and only `Host` tells that it is not ours.
"""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

__all__ = ["asked_here", "names_loopback"]

_OWN_SITE: Final = ("", "same-origin", "none")
"""`none` is an address that a person typed; no program but a browser sends the header."""


def asked_here(headers: Headers) -> bool:
    """Say whether a request's headers leave no other site and no other name of this machine."""
    host = headers.get("host", "")
    origin = headers.get("origin")
    own_page = origin is None or origin.lower() == f"http://{host.lower()}"
    return own_page and names_loopback(host) and headers.get("sec-fetch-site", "") in _OWN_SITE


def names_loopback(host: str) -> bool:
    """Say whether a `Host` header names this machine: `localhost`, or an address of loopback."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or name.endswith(".localhost") or ip_address(name).is_loopback
    except ValueError:  # no address, or nothing that could be one
        return False
