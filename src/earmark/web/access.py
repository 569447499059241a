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

from earmark.errors import EarmarkError
from earmark.serving.access.gate import AccessGate
from earmark.web.request_log import RequestRecord, record_of

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
    refuse: Callable[[Exception, RequestRecord], Response]

    def covers(self, path: str) -> bool:
        """Say whether a path lies below the prefix."""
        # A request may be for no path at all, or for `*`: the empty prefix takes those as well.
        return self.prefix in ("", path) or path.startswith(f"{self.prefix}/")


class AccessControl:
    """ASGI middleware, inside `RequestLog`, so that who is refused gets an id and a log line."""

    def __init__(self, app: ASGIApp, *, gate: AccessGate, forms: Sequence[AccessForm]) -> None:
        """Wrap an app.

        Args:
            app: what whoever is let in gets at.
            gate: decides.
            forms: the first one that covers a path counts; the last has to cover all.
        """
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
        if form.is_open(scope):
            return None
        record = record_of(scope)
        try:
            key = self._gate.admit(form.read(Headers(scope=scope)))
        except EarmarkError as error:
            return form.refuse(error, record)
        record.key = None if key is None else key.key_id
        return None


def read_bearer(headers: Headers) -> str | None:
    """Read ``Authorization: Bearer KEY`` (RFC 6750, section 2.1; the scheme's case is free)."""
    scheme, _, credential = headers.get("authorization", "").strip().partition(" ")
    return credential.strip() or None if scheme.lower() == "bearer" else None
