"""Every address but health and the pages demands an access key, once there is one."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs
from support.fake_engine import FakeEngine
from support.http_app import ask

from earmark.errors import EarmarkError, StateUnavailable
from earmark.models.registry import Registry
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.keys import new_key
from earmark.serving.access.store import KeysInMemory
from earmark.serving.service import Service
from earmark.web.access import AccessControl, AccessForm, read_bearer
from earmark.web.app import create_app
from earmark.web.options import WebOptions
from earmark.web.request_log import RequestLog, record_of

_ENGINES = (FakeEngine("acme/tc"), FakeEngine("acme/health"), FakeEngine("health"))
_OPEN = [
    "/health",
    "/health/",
    "/ping",
    "/readyz",
    "/livez",
    "/models/acme/tc/health",
    "/models/acme%2Ftc/health",
    "/models/acme/tc/health/",
]
_OPEN_PAGES = ["/docs", "/docs/", "/docs/page.js", "/docs/page.css", "/docs/rapidoc-min.js"]

_MADE = new_key("ci", now_s=0.0)
_ANOTHER = {"authorization": "Bearer of another key"}
_BEARER = {"authorization": f"Bearer {_MADE.secret}"}


def gate() -> AccessGate:
    """Return a gate that one key opens."""
    store = KeysInMemory()
    store.add(_MADE.kept)
    return AccessGate(store)


def addresses() -> Iterator[tuple[str, str]]:
    """List every route of the app with every method of it, its parameters filled in."""
    routes: list[BaseRoute] = create_app(Service(Registry(_ENGINES))).routes
    for route in routes:
        assert isinstance(route, Route), "teach this test what other kinds of routes answer"
        path = route.path.replace("{path:path}", "acme/tc").replace("{task}", "ner")
        path = path.replace("{name}", "transformers").replace("{model:name}", "acme/tc")
        path = path.replace("{account}", "mine").replace("{gateway}", "mine")
        assert "{" not in path, "teach this test the parameter"
        for method in sorted(route.methods or ()):
            yield method, path


@pytest.mark.parametrize(("method", "path"), list(addresses()))
def test_every_address_but_health_and_the_page_demands_a_key(method: str, path: str) -> None:
    """Every route of the app, except health and the pages, answers 401 without a key."""
    only = (FakeEngine("acme/tc"),)
    answer = ask(method, path, engines=only, gate=gate(), headers=_ANOTHER)
    with_key = ask(method, path, engines=only, gate=gate(), headers=_BEARER)
    assert (answer.status_code == 401) == (path not in (*_OPEN, *_OPEN_PAGES))
    assert with_key.status_code not in {401, 404, 405}


@pytest.mark.parametrize("path", _OPEN)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_is_told_to_everyone(method: str, path: str) -> None:
    """Health is answered without a key."""
    assert ask(method, path, engines=_ENGINES, gate=gate()).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/models/acme/health"),  # a model of that name
        ("GET", "/models/health"),  # another
        ("GET", "/models/nobody/health"),  # tells whether there is such a model
        ("GET", "/api/models/acme/tc/health"),
        ("GET", "//health"),
        ("POST", "/health"),
        ("POST", "/models/acme/health"),
        ("POST", "/models/acme/tc/health"),
        ("OPTIONS", "/health"),
        ("GET", "/nothing/here"),
        ("POST", "/docs"),
        ("GET", "/docs/nothing"),
        ("GET", "/"),
        ("GET", "/openapi.json"),
        ("GET", "/client/v4/accounts"),
        ("DELETE", "/models/acme/tc"),
    ],
)
def test_what_only_resembles_health_demands_a_key(method: str, path: str) -> None:
    """Addresses that resemble health, and unknown ones, answer 401 without a key."""
    answer = ask(method, path, engines=_ENGINES, gate=gate(), headers=_ANOTHER)
    assert answer.status_code == 401


@pytest.mark.parametrize("path", [*_OPEN_PAGES, "/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_pages_are_shown_to_everyone(method: str, path: str) -> None:
    """The documentation pages are answered without a key."""
    headers = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = ask(method, path, engines=_ENGINES, gate=gate(), headers=headers)
    assert answer.status_code == 200
    assert "acme" not in answer.text


def test_a_model_named_health_has_its_own_health() -> None:
    """The page of a model named `health` needs a key, and its health needs none."""
    answer = ask("GET", "/models/acme/health/health", engines=_ENGINES, gate=gate())
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


def test_without_keys_nobody_needs_one() -> None:
    """While there is no key, requests are answered, also with a credential for another server."""
    for headers in ({}, _BEARER, {"authorization": "Basic eDp5"}):
        assert ask("GET", "/models", engines=_ENGINES, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, "no access key was sent"),
        ({"authorization": ""}, "no access key was sent"),
        ({"authorization": "Bearer"}, "is not of the form Bearer KEY"),
        ({"authorization": "Bearer:"}, "is not of the form Bearer KEY"),
        ({"authorization": "Basic ZWs6ZWs="}, "is not of the form Bearer KEY"),
        ({"authorization": _MADE.secret}, "is not of the form Bearer KEY"),
        ({"authorization": f"Token {_MADE.secret}"}, "is not of the form Bearer KEY"),
        ({"authorization": f"Bearer Bearer {_MADE.secret}"}, "is not of the form Bearer KEY"),
        ({"authorization": f'Bearer "{_MADE.secret}"'}, "is not of the form Bearer KEY"),
        ({"authorization": f"Bearer <{_MADE.secret}>"}, "is not of the form Bearer KEY"),
        ({"authorization": "Bearer $HF_TOKEN"}, "is not of the form Bearer KEY"),
        ({"authorization": "Bearer hf_other"}, "unknown here, or has been revoked"),
        ({"authorization": f"Bearer {_MADE.secret}A"}, "unknown here, or has been revoked"),
        ({"authorization": f"Bearer {_MADE.secret[:-1]}"}, "unknown here, or has been revoked"),
        ({"x-auth-key": _MADE.secret}, "X-Auth-Key is read at addresses of Workers AI alone"),
        ({"x-api-key": _MADE.secret}, "X-Api-Key is not read here"),
        ({"api-key": _MADE.secret}, "Api-Key is not read here"),
    ],
)
def test_a_refusal_says_what_is_wrong(headers: dict[str, str], told: str) -> None:
    """A refusal is 401 with the Hub's words and the scheme to use."""
    answer = ask("POST", "/", '{"inputs": "x"}', engines=_ENGINES, gate=gate(), headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["x-error-message"] == "Invalid credentials in Authorization header"
    error = answer.json()["error"]
    assert error.startswith("Invalid credentials in Authorization header: ")
    assert told in error
    assert "hf_other" not in answer.text
    assert _MADE.secret not in answer.text
    assert ask("GET", "/models", engines=_ENGINES, headers=headers).status_code == 200


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "key"])
def test_a_key_in_the_address_is_told_to_be_read_nowhere(name: str) -> None:
    """A key in the address is refused with a hint; the hint does not repeat the key."""
    address = f"/models?{name}={_MADE.secret}"
    answer = ask("GET", address, engines=_ENGINES, gate=gate())
    assert answer.status_code == 401
    assert f"`{name}` in an address is not read" in answer.json()["error"]
    assert _MADE.secret not in answer.text


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER   {} "])
def test_the_schemes_case_and_spaces_are_free(form: str) -> None:
    """`Bearer` is read in any case and with several spaces (RFC 9110, section 11.1)."""
    header = {"authorization": form.format(_MADE.secret)}
    answer = ask("GET", "/models", engines=_ENGINES, gate=gate(), headers=header)
    assert answer.status_code == 200


@pytest.mark.parametrize("junk", ["Bearer \xff\xfe", "Bearer " + "x" * 20_000, "\x80"])
def test_whatever_is_presented_is_refused_as_any_other(junk: str) -> None:
    """A header of any bytes is refused like any wrong key."""
    header = httpx.Headers([(b"authorization", junk.encode("latin-1"))])
    answer = ask("GET", "/models", engines=_ENGINES, gate=gate(), headers=header)
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["", "*", "health", "models/acme/tc/health"])
def test_a_path_that_is_none_demands_a_key(path: str) -> None:
    """A request for `*`, or for no path, needs a key."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    app = create_app(Service(Registry(_ENGINES)), gate=gate())
    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 401


def test_an_engine_sees_nothing_of_a_refused_request() -> None:
    """A refused request does not reach the engine, and its body is not read."""
    engine = FakeEngine("acme/tc")
    ask("POST", "/", '{"inputs": "x"}', engines=(engine,), gate=gate())
    assert engine.requests == []


def test_the_log_names_the_key_by_its_id_and_never_the_key() -> None:
    """The log has the key's id and never the key; a refused request has a line too."""
    with capture_logs() as lines:
        ask("POST", "/", '{"inputs": "x"}', engines=_ENGINES[:1], gate=gate(), headers=_BEARER)
        wrong = {"authorization": f"Bearer {_MADE.secret}A"}
        refused = ask("GET", "/", engines=_ENGINES, gate=gate(), headers=wrong)
    assert refused.headers["x-request-id"]
    assert [line["event"] for line in lines] == ["request", "request"]
    assert [line["status"] for line in lines] == [200, 401]
    assert [line.get("key") for line in lines] == [_MADE.kept.key_id, None]
    assert _MADE.secret not in repr(lines)


def test_a_page_can_ask_with_a_key_and_read_a_refusal() -> None:
    """A preflight passes without a key, and a 401 has the header that lets a page read it."""
    origin = {"origin": "https://page.example"}
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    preflight = ask("OPTIONS", "/", engines=_ENGINES, gate=gate(), headers=origin | asked)
    assert preflight.status_code == 200
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    refused = ask("POST", "/", engines=_ENGINES, gate=gate(), headers=origin)
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "*"


class _Unreadable(KeysInMemory):
    """A store whose file cannot be read."""

    def version(self) -> object:
        """Fail."""
        raise StateUnavailable("the disk is gone")


def test_where_the_keys_cannot_be_read_nobody_is_let_in() -> None:
    """With an unreadable store requests get 500 and a log line; health is still answered."""
    shut = AccessGate(_Unreadable())
    with capture_logs() as lines:
        answer = ask("GET", "/models", engines=_ENGINES, gate=shut, headers=_BEARER)
    assert answer.status_code == 500
    assert "disk" not in answer.text
    assert [line["event"] for line in lines] == ["fault", "request"]
    assert ask("GET", "/health", engines=_ENGINES, gate=shut).status_code == 200


def test_each_prefix_has_its_own_way_to_present_a_key_and_to_be_refused() -> None:
    """The first form that covers the path, by whole segments, reads the key and refuses."""

    def refuse(_: Exception, scope: Scope) -> PlainTextResponse:
        return PlainTextResponse(f"not you, {bool(record_of(scope).request_id)}", 403)

    def refuse_elsewhere(error: Exception, _: Scope) -> PlainTextResponse:
        assert isinstance(error, EarmarkError)
        return PlainTextResponse("elsewhere", 401)

    special = AccessForm(
        prefix="/special/v4",
        read=lambda headers: headers.get("x-auth-key"),
        is_open=lambda scope: scope["path"] == "/special/v4/open",
        refuse=refuse,
    )
    rest = AccessForm(prefix="", read=read_bearer, is_open=lambda _: False, refuse=refuse_elsewhere)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("in")(scope, receive, send)

    guarded = RequestLog(AccessControl(app, gate=gate(), forms=(special, rest)))
    key = {"x-auth-key": _MADE.secret}

    def get(path: str, headers: dict[str, str]) -> str:
        async def scenario() -> str:
            transport = httpx.ASGITransport(guarded)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                return (await client.get(path, headers=headers)).text

        return asyncio.run(scenario())

    assert get("/special/v4/a", key) == "in"
    assert get("/special/v4", key) == "in"
    assert get("/special/v4/open", {}) == "in"
    assert get("/special/v4/a", _BEARER) == "not you, True"
    assert get("/special/v41", key) == "elsewhere"
    assert get("/", key) == "elsewhere"
    assert get("/", _BEARER) == "in"


def test_the_lifespan_of_the_server_needs_no_key() -> None:
    """The lifespan messages of the server pass without a key."""
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(_: Message) -> None:
        return

    asyncio.run(AccessControl(app, gate=gate(), forms=())({"type": "lifespan"}, receive, send))
    assert seen == ["lifespan"]


def test_an_absent_header_is_no_credential() -> None:
    """An absent or empty header counts as no key."""
    assert read_bearer(Headers({})) is None
    assert read_bearer(Headers({"authorization": "Bearer   "})) is None


@pytest.mark.parametrize(
    ("host", "open_status"),
    [
        ("localhost:8080", 200),
        ("127.0.0.1", 200),
        ("[::1]:8080", 200),
        ("MY-BOX.lan:8080", 200),
        ("attacker.example", 400),
        ("attacker.example:8080", 400),
        ("127.0.0.1.attacker.example", 400),
    ],
)
def test_an_open_server_of_this_machine_goes_by_no_other_name(host: str, open_status: int) -> None:
    """An open server on loopback refuses other host names; one with keys accepts any."""
    rebound = WebOptions(hosts=("my-box.lan",))
    headers, engines = {"host": host}, (FakeEngine(),)
    for path in ("/models/acme/tc", "/client/v4/accounts/a/ai/models/search", "/health"):
        answer = ask("GET", path, web=rebound, headers=headers, engines=engines)
        assert answer.status_code == open_status
        assert ("EARMARK_HOSTS" in answer.text) == (open_status == 400)
    assert ask("GET", "/health", headers=headers, engines=engines).status_code == 200
    keyed = ask("GET", "/health", web=rebound, headers=headers, engines=engines, gate=gate())
    assert keyed.status_code == 200
