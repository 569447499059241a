"""Asks every caller for an access key, wherever one is demanded, before anything else of ours runs.

How a key is presented and how its lack is told are the business of a dialect: each brings its
`AccessForm`. What no form declares open needs a key: an address that is added later cannot be
forgotten, and one that does not exist tells strangers nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from earmark.errors import EarmarkError, InvalidInput
from earmark.serving.access.gate import AccessGate
from earmark.web.origin import names_loopback
from earmark.web.request_log import record_of

__all__ = ["AccessControl", "AccessForm", "read_bearer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessForm:
    """How the callers of a dialect get in.

    Attributes:
        prefix: of the paths it is for, such as ``/v1``; the empty one is for every path.
        read: finds what a caller presents as a key; None for nothing.
        is_open: tells whether a request needs no key.
        refuse: answers whoever is not let in, and whatever went wrong while that was found out.
    """

    prefix: str
    read: Callable[[Headers], str | None]
    is_open: Callable[[Scope], bool]
    refuse: Callable[[Exception, Scope], Response]

    def covers(self, path: str) -> bool:
        """Say whether a path lies below the prefix."""
        # A request may be for no path at all, or for `*`: the empty prefix takes those as well.
        return self.prefix in ("", path) or path.startswith(f"{self.prefix}/")


class AccessControl:
    """ASGI middleware, inside `RequestLog`, so that who is refused gets an id and a log line."""

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
            app: what whoever is let in gets at.
            gate: decides.
            forms: the first one that covers a path counts; the last has to cover all.
            hosts: names of this machine, beside those of loopback, that requests may call it by
                while no key is demanded; None allows any.
        """
        self._hosts = None if hosts is None else frozenset(one.lower() for one in hosts)
        self._app = app
        self._gate = gate
        self._forms = tuple(forms)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or answer it."""
        if scope["type"] == "http":
            refused = self._check(scope)
            if refused is not None:
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> Response | None:
        form = next(each for each in self._forms if each.covers(scope["path"]))
        try:
            self._check_host(Headers(scope=scope).get("host", ""))
        except EarmarkError as error:
            return form.refuse(error, scope)
        if form.is_open(scope):
            return None
        try:
            key = self._gate.admit(form.read(Headers(scope=scope)))
        except EarmarkError as error:
            return form.refuse(error, scope)
        record_of(scope).key = None if key is None else key.key_id
        return None

    def _check_host(self, host: str) -> None:
        """Refuse other names than ours where only this machine is meant to get in.

        A page of any site may have a name of its own lead to this machine (DNS rebinding); the
        browser then takes the server for a part of that site.

        Raises:
            InvalidInput: it is another's name.
            StateUnavailable: the keys cannot be read.
        """
        if self._hosts is None or not host or names_loopback(host):
            return
        name = host.lower().rpartition(":")[0] if ":" in host else host.lower()
        if name in self._hosts or self._gate.demands_key:
            return
        raise InvalidInput(
            "the Host header names another machine than this one, which is open to programs on it"
            " alone; send the request to localhost, or list the name under `hosts` in the settings"
            " (EARMARK_HOSTS)"
        )


def read_bearer(headers: Headers, name: str = "authorization") -> str | None:
    """Read ``Authorization: Bearer KEY`` (RFC 6750, section 2.1; the scheme's case is free)."""
    scheme, _, credential = headers.get(name, "").strip().partition(" ")
    return credential.strip() or None if scheme.lower() == "bearer" else None
