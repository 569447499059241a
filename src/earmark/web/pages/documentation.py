"""`/openapi.json`, `/docs`, which shows it and loads nothing from outside, and a page for `/`.

The pages are open to everyone: they hold no data of this server, and ask for a key where one is
demanded. The page of the API is RapiDoc (``web/docs/``, vendored; see its README) with a security
policy that keeps it from reaching any other server. All its addresses are relative, so that it
works behind a proxy that adds a prefix.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Final, TypeAlias

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from earmark.web.access import AccessForm
from earmark.web.openapi.parts import Answer, Content, Example, Group, Json, Operation
from earmark.web.responses import JSON_TYPE

_HTML_TYPE: Final = "text/html; charset=utf-8"

_POLICY: Final = (
    "default-src 'none'; script-src 'self';"
    # RapiDoc sets styles on its elements; the other rules keep a style from loading anything.
    " style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page loads nothing from another server, sends nothing to one, and is in no other page."""

_PAGE: Final[Mapping[str, tuple[str, str]]] = {
    "/docs": ("index.html", _HTML_TYPE),
    "/docs/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/docs/page.css": ("page.css", "text/css; charset=utf-8"),
    "/docs/rapidoc-min.js": ("rapidoc-min.js", "text/javascript; charset=utf-8"),
}
"""Addresses, the files of ``web/docs/`` behind them, and their types."""

_NO_KEY: Final = 401

_OPEN_METHODS: Final = frozenset({"GET", "HEAD"})

_REFUSED: Final = frozenset({"q=0", "q=0.0", "q=0.00", "q=0.000"})
"""Weights of a type that a client does not accept (RFC 9110, section 12.4.2)."""

_Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Document:
    """A file that stays the same while the server runs.

    Attributes:
        content: the whole file.
        headers: its type, its entity tag, and which caches may keep it.
    """

    content: bytes
    headers: Mapping[str, str]

    def answer(self, request: Request) -> Response:
        """Answer the file, or 304 to a client that has it already (RFC 9110, section 13.1.2)."""
        known = request.headers.get("if-none-match", "")
        tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        if self.headers["etag"] in tags or known.strip() == "*":
            return Response(status_code=304, headers=self.headers)
        return Response(self.content, headers=self.headers)


def documentation_routes(document: Mapping[str, Json]) -> list[Route]:
    """List the addresses of the document, of the page, and of what the page is made of.

    Args:
        document: from `openapi.build_document`.
    """
    routes = [Route("/openapi.json", _serving(msgspec.json.encode(document), JSON_TYPE))]
    folder = files("earmark.web") / "docs"
    for address, (name, media_type) in _PAGE.items():
        endpoint = _serving((folder / name).read_bytes(), media_type)
        # Not in the document of the API: files of the page are no part of the API.
        routes.append(Route(address, endpoint, include_in_schema=address == "/docs"))
    return routes


def documentation_access_form(form: AccessForm) -> AccessForm:
    """Return another form with the page of the API open to everyone."""
    return replace(
        form,
        prefix="/docs",
        is_open=lambda scope: scope["method"] in _OPEN_METHODS and scope["path"] in _PAGE,
    )


def wants_page(scope: Scope) -> bool:
    """Return whether a person opens ``/``: browsers name HTML in `Accept`, and programs do not."""
    if scope["path"] != "/" or scope["method"] not in _OPEN_METHODS:
        return False
    accepted = Headers(scope=scope).get("accept", "").lower()
    ranges = (each.replace(" ", "").split(";") for each in accepted.split(","))
    return any(name == "text/html" and not _REFUSED.intersection(rest) for name, *rest in ranges)


@cache
def _welcome() -> _Handler:
    content = (files("earmark.web") / "docs" / "welcome.html").read_bytes()
    return _serving(content, _HTML_TYPE, {"vary": "Accept"})


async def welcome(request: Request) -> Response:
    """Answer the page for a person who opens ``/``."""
    return await _welcome()(request)


def documentation_operations(errors: Mapping[int, Answer]) -> tuple[Operation, ...]:
    """Describe these addresses themselves.

    Args:
        errors: that may come in place of their answers.
    """
    unchanged = Answer(description="The caller has it already.", headers=("etag",))
    group = Group(tag="documentation", errors={304: unchanged, **errors}, headers=("etag",))
    beginning = {"beginning": Example("Its beginning", {"openapi": "3.1.1"})}
    page = Content((str,), {"page": Example("Its beginning", "<!doctype html>")}, "text/html")
    shown = group.operation("/docs", "page", "A page made of this document", page)
    unasked = {status: answer for status, answer in shown.answers.items() if status != _NO_KEY}
    return (
        group.operation("/openapi.json", "document", "This document", Content((dict,), beginning)),
        replace(shown, answers=unasked, open=True),
    )


def _serving(content: bytes, media_type: str, more: Mapping[str, str] | None = None) -> _Handler:
    headers = {
        **(more or {}),
        "content-type": media_type,
        "etag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        # A browser asks each time, so that a new version is seen at once; a 304 costs little.
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
    }
    if media_type == _HTML_TYPE:
        headers |= {"content-security-policy": _POLICY, "referrer-policy": "no-referrer"}
    document = _Document(content, headers)

    async def endpoint(request: Request) -> Response:
        return document.answer(request)

    return endpoint
