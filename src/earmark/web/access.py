"""Checks the access key of every request, where keys are demanded, before other code of ours runs.

Each dialect has an `AccessForm`, which decides how a key is presented and how a caller without one
is refused. An address needs a key unless a form declares it open. So an address that is added later
is protected, and a caller without a key cannot find out which addresses exist.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from earmark.errors import AccessDenied, EarmarkError, InvalidInput
from earmark.serving.access.gate import AccessGate
from earmark.web.origin import names_loopback
from earmark.web.request_log import record_of

_BEARER: Final = re.compile(r"bearer(?:\s*:\s*|\s+)(?P<key>[^\s:].*)", re.IGNORECASE)
_KEY: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""Characters of a bearer token (`b64token` in RFC 6750, section 2.1): no quotes, no brackets."""

_ELSEWHERE: Final = {
    "x-auth-key": "X-Auth-Key is read at addresses of Workers AI alone, beside X-Auth-Email",
    "x-api-key": "X-Api-Key is not read here",
    "api-key": "Api-Key is not read here",
}
"""Headers in which other services expect a key."""

_IN_ADDRESS: Final = ("access_token", "api_key", "apikey", "auth", "key", "token")
"""Query parameters in which other services expect a key."""


def read_bearer(headers: Headers, name: str = "authorization") -> str | None:
    """Read ``Authorization: Bearer KEY`` (RFC 6750, section 2.1; the scheme's case is free).

    A colon after the scheme is accepted too: the documentation of Hugging Face has it.
    """
    found = _BEARER.fullmatch(headers.get(name, "").strip())
    return found["key"] if found else None


def is_key(written: str) -> bool:
    """Return whether something has the form of an access key."""
    return _KEY.fullmatch(written) is not None


def misread_key(scope: Scope) -> str | None:
    """Describe where a request has a key in a form that is not understood; None for no key at all.

    Nothing of a header's value or an address is repeated: it may be a key.
    """
    headers = Headers(scope=scope)
    if headers.get("authorization", "").strip():
        return "what was sent is not of the form Bearer KEY"
    found = next((name for name in _ELSEWHERE if headers.get(name)), None)
    if found:
        return f"no access key was sent there, and {_ELSEWHERE[found]}"
    asked = QueryParams(scope.get("query_string", b""))
    named = next((name for name in _IN_ADDRESS if name in asked), None)
    return f"no access key was sent, and `{named}` in an address is not read" if named else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessForm:
    """How the callers of a dialect present a key and are refused.

    Attributes:
        prefix: of the paths it is for, such as ``/v1``; the empty one is for every path.
        read: returns what a caller presents as a key; None for nothing.
        misread: where `read` found nothing, or what cannot be a key, describes what was sent
            instead; None for nothing.
        is_open: returns whether a request needs no key.
        refuse: answers a caller who is not let in, or an error of the check.
    """

    prefix: str
    read: Callable[[Headers], str | None]
    is_open: Callable[[Scope], bool]
    refuse: Callable[[Exception, Scope], Response]
    misread: Callable[[Scope], str | None] = misread_key


class AccessControl:
    """ASGI middleware that checks access keys; inside `RequestLog`, which logs refusals too."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        gate: AccessGate,
        forms: Sequence[AccessForm],
        hosts: Sequence[str] | None = None,
    ) -> None:
        """Wrap an app.

        Args:
            app: the wrapped app.
            gate: decides who is let in.
            forms: the first one that covers a path counts; the last has to cover all.
            hosts: names of this machine, beside those of loopback, that requests may call it by
                while no key is demanded; None allows any.
        """
        self._hosts = None if hosts is None else frozenset(one.lower() for one in hosts)
        self._app = app
        self._gate = gate
        self._forms = tuple(forms)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope["type"] == "http":
            refused = self._check(scope)
            if refused is not None:
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> Response | None:
        path = f"{scope['path']}/"
        # A request may have no path at all, or `*`: the empty prefix covers those as well.
        form = next(
            each for each in self._forms if not each.prefix or path.startswith(f"{each.prefix}/")
        )
        try:
            self._check_host(Headers(scope=scope).get("host", ""))
        except EarmarkError as error:
            return form.refuse(error, scope)
        if form.is_open(scope):
            return None
        headers = Headers(scope=scope)
        presented = form.read(headers)
        try:
            key = self._gate.admit(presented)
        except AccessDenied as error:
            misread = presented is None or not is_key(presented)
            reason = form.misread(scope) if misread else None
            return form.refuse(AccessDenied(reason) if reason else error, scope)
        except EarmarkError as error:
            return form.refuse(error, scope)
        record_of(scope).key = None if key is None else key.key_id
        return None

    def _check_host(self, host: str) -> None:
        """Refuse unknown host names where only this machine is meant to be let in.

        Any site may point a name of its own at this machine (DNS rebinding); a browser then takes
        the server for a part of that site.

        Raises:
            InvalidInput: the request names another host.
            StateUnavailable: the keys cannot be read.
        """
        if self._hosts is None or not host or names_loopback(host):
            return
        name = host.lower().rpartition(":")[0] if ":" in host else host.lower()
        if name in self._hosts or self._gate.demands_key:
            return
        raise InvalidInput(
            "the Host header names another machine than this one, which is open to programs on it"
            " alone; send the request to localhost, or allow the name (--allowed-host,"
            " EARMARK_HOSTS)"
        )
