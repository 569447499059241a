"""Whether a request certainly comes from a program on this machine, or from the server's own page.

A browser lets a page of any site send requests to a server on the reader's own machine, and its
headers name the page's site: `Origin` (RFC 6454) with every POST, `Sec-Fetch-Site` (W3C, Fetch
Metadata) with every request. A site may also point a name of its own at this machine; then the
page's site and the server's are the same, and only `Host` shows that the name is not ours.
"""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

_OWN_SITE: Final = ("", "same-origin", "none")
"""`none` stands for an address that a person typed; only browsers send the header."""


def asked_here(headers: Headers) -> bool:
    """Return whether no header names another site, or another name of this machine."""
    host = headers.get("host", "")
    origin = headers.get("origin")
    own_page = origin is None or origin.lower() == f"http://{host.lower()}"
    return own_page and names_loopback(host) and headers.get("sec-fetch-site", "") in _OWN_SITE


def names_loopback(host: str) -> bool:
    """Return whether a `Host` header names this machine: `localhost`, or a loopback address."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or name.endswith(".localhost") or ip_address(name).is_loopback
    except ValueError:  # no address, or nothing that could be one
        return False
