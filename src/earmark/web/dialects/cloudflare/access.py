"""How clients of Workers AI present a key, and how they are refused.

``Authorization: Bearer``, or ``X-Auth-Email`` with ``X-Auth-Key``: an access key of earmark works
in both, with any mail address. Where both are set, the Python SDK sends only the pair and the
JavaScript SDK sends everything, so that the pair is read first.
"""

from typing import Final

import msgspec
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from earmark.errors import AccessDenied
from earmark.web.access import AccessForm, is_key, read_bearer
from earmark.web.dialects.cloudflare.envelope import ApiError, failed
from earmark.web.dialects.cloudflare.errors import edge_refusal
from earmark.web.request_log import record_of

WRONG_KEY: Final = ApiError(10000, "Authentication error")
"""The answer to a wrong key and to a wrong account, so that a caller cannot distinguish them."""

_NO_KEY: Final = ApiError(9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
_HALF_A_PAIR: Final = {
    "x-auth-key": ApiError(9106, "Missing X-Auth-Email header"),
    "x-auth-email": ApiError(9106, "Missing X-Auth-Key header"),
}
"""The error where only one header of the pair was sent, by that header."""
_WRONG_HEADERS: Final = "Invalid request headers"
_MALFORMED: Final = ApiError(
    6003, _WRONG_HEADERS, (ApiError(6111, "Invalid format for Authorization header"),)
)
_MALFORMED_KEY: Final = ApiError(
    6003, _WRONG_HEADERS, (ApiError(6103, "Invalid format for X-Auth-Key header"),)
)

_PAIR: Final = ("x-auth-email", "x-auth-key")
_BEARERS: Final = ("authorization", "cf-aig-authorization")
"""Headers that may hold a key; a gateway of Cloudflare's reads the second."""
_SERVICE_KEY: Final = "x-auth-user-service-key"


class Verified(msgspec.Struct, frozen=True):
    """An access key that holds."""

    id: str
    status: str


def access_form(prefix: str) -> AccessForm:
    """Return how callers below a prefix present a key; no address of this dialect is open."""
    return AccessForm(prefix=prefix, read=_read, is_open=_never, refuse=_refuse)


def _never(_: Scope) -> bool:
    return False


def _read(headers: Headers) -> str | None:
    if _has_pair(headers):
        return headers["x-auth-key"]
    found = (read_bearer(headers, name) for name in _BEARERS)
    return next((key for key in found if key), headers.get(_SERVICE_KEY) or None)


def _has_pair(headers: Headers) -> bool:
    return all(headers.get(name) for name in _PAIR)


def _refuse(error: BaseException, scope: Scope) -> Response:
    if not isinstance(error, AccessDenied):
        return edge_refusal(error, record_of(scope))
    headers = Headers(scope=scope)
    if _has_pair(headers) and not is_key(headers["x-auth-key"]):
        return failed(_MALFORMED_KEY, status=400)
    if _read(headers) is not None:
        return failed(WRONG_KEY, status=401)
    if any(name in headers for name in _BEARERS):
        return failed(_MALFORMED, status=400)
    half = next((message for name, message in _HALF_A_PAIR.items() if headers.get(name)), _NO_KEY)
    return failed(half, status=400)
