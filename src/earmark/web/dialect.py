"""The interface of a dialect: one way to use the service over HTTP.

A new dialect is a package below `web/dialects/`, and a line in `web/dialects/__init__.py`.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import ClassVar, Protocol

from starlette.responses import Response
from starlette.routing import Route

from earmark.serving.jobs.runner import JobRunner
from earmark.serving.service import Service
from earmark.web.access import AccessForm
from earmark.web.openapi.parts import Components, Operation
from earmark.web.options import WebOptions
from earmark.web.plain_errors import no_such_address, no_such_method


@dataclass(frozen=True, slots=True, kw_only=True)
class DialectParts:
    """What a dialect is built from.

    Attributes:
        service: answers requests.
        jobs: keeps requests that are answered later.
        options: of the HTTP edge.
    """

    service: Service
    jobs: JobRunner
    options: WebOptions


class Dialect(Protocol):
    """A dialect over a service.

    Attributes:
        prefixes: beginnings of addresses that only this dialect has, such as ``/client/v4``.
        operations: its addresses, for the OpenAPI document.
        components: what the operations name in the document.
        shown_headers: its own headers that a browser may show to the page that asked.
    """

    prefixes: ClassVar[tuple[str, ...]] = ()
    operations: ClassVar[tuple[Operation, ...]]
    components: ClassVar[Components]
    shown_headers: ClassVar[tuple[str, ...]] = ()

    def __init__(self, parts: DialectParts) -> None:
        """Speak for a service."""
        ...

    def routes(self) -> Sequence[Route]:
        """List the addresses."""
        ...

    def access_forms(self) -> Sequence[AccessForm]:
        """Return how callers present a key at addresses that do not use the default form."""
        return ()

    def no_such_address(self, asked: str, hint: str) -> Response:
        """Answer an unknown address below a prefix.

        Args:
            asked: method and path.
            hint: the address that may have been meant.
        """
        return no_such_address(asked, hint)

    def no_such_method(self, method: str, allowed: Sequence[str]) -> Response:
        """Answer a method that one of its addresses does not have."""
        return no_such_method(method, allowed)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run the dialect's background work until the block ends."""
        return nullcontext()
