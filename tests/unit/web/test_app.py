"""What the app does around its dialects."""

import asyncio

import pytest
from support.fake_engine import FakeEngine
from support.http_app import ask

from earmark.models.registry import Registry
from earmark.serving.service import Service
from earmark.web.app import create_app
from earmark.web.options import WebOptions

_ENGINES = (FakeEngine(),)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/model/foo", "did you mean POST /models/{id} or GET /models/{id}"),
        ("/predictions", "did you mean POST /predict? "),
        ("/acme/tc", "did you mean POST /models/acme/tc? "),
        ("/v1/embeddings", ""),
    ],
)
def test_an_unknown_address_is_told_the_nearest_and_where_all_stand(path: str, meant: str) -> None:
    """An unknown address gets a 404 with the nearest addresses and where all are listed."""
    answer = ask("POST", path, "{}", engines=_ENGINES)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert error.startswith(f"nothing is served at POST {path}; {meant}")
    assert error.endswith(
        "GET /docs shows every address, GET /openapi.json lists them for programs"
    )
    assert len(error) < 300


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/models/acme/tc", "GET, HEAD, POST"),
        ("DELETE", "/", "GET, HEAD, POST"),
        ("POST", "/health", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(method: str, path: str, allowed: str) -> None:
    """A wrong method gets a 405 with every method of the address."""
    answer = ask(method, path, engines=_ENGINES)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert answer.json() == {"error": f"{method} is not allowed here; expected {allowed}"}


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank/", "/predict"])
def test_a_wrong_method_of_a_reranker_is_refused_in_its_form(path: str) -> None:
    """A wrong method at an address of text-embeddings-inference has the form of its errors."""
    answer = ask("GET", path, engines=_ENGINES)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    text = "GET is not allowed here; expected POST"
    assert answer.json() == {"error": text, "error_type": "Validation", "message": text}


@pytest.mark.parametrize("tail", ["acme/tc", "run/acme/tc"])
def test_a_wrong_method_of_a_gateway_is_refused_in_its_form(tail: str) -> None:
    """A wrong method of a gateway's address has Cloudflare's form, and names each method once."""
    answer = ask("GET", f"/v1/account/gateway/workers-ai/{tail}", engines=_ENGINES)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["errors"][0]["code"] == 7001


def test_a_slash_too_many_is_no_redirect() -> None:
    """An address with a slash at its end is served without a redirect."""
    answer = ask("GET", "/health/", engines=_ENGINES, headers={"host": "evil.example"})
    assert answer.status_code == 200
    assert "location" not in answer.headers


def test_a_host_header_cannot_choose_the_route() -> None:
    """Only the path of the request line chooses the route, not the Host header."""
    answer = ask("GET", "/health", engines=_ENGINES, headers={"host": "x/models/nope?"})
    assert answer.status_code == 200


def test_any_page_may_ask_by_default() -> None:
    """The preflight allows what official clients send, and the answer shows its headers."""
    asked = {
        "origin": "https://page.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, x-hf-bill-to, x-use-cache",
    }
    preflight = ask("OPTIONS", "/models/acme/tc", engines=_ENGINES, headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    answer = ask(
        "POST", "/", '{"inputs": "x"}', engines=_ENGINES, headers={"origin": "https://a.b"}
    )
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = answer.headers["access-control-expose-headers"]
    assert {"x-request-id", "x-compute-time", "x-truncated-tokens"} <= set(exposed.split(", "))


@pytest.mark.parametrize(
    "asked", ["traceparent, baggage, sentry-trace", "x-stainless-lang, x-stainless-os", "x-any"]
)
@pytest.mark.parametrize("origins", [("*",), ("https://page.example",)])
def test_a_page_may_send_whatever_header(asked: str, origins: tuple[str, ...]) -> None:
    """A preflight allows any header that a page asks for."""
    headers = {
        "origin": "https://page.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": asked,
    }
    web = WebOptions(cors_origins=origins)
    answer = ask("OPTIONS", "/models/acme/tc", engines=_ENGINES, headers=headers, web=web)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-headers"] == asked


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://page.example", "true"), ("https://x.y", None)]
)
def test_a_page_of_the_web_may_ask_a_server_of_a_private_network(
    origin: str, allowed: str | None
) -> None:
    """A preflight for a private network passes where the page's origin is allowed."""
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-private-network": "true",
    }
    web = WebOptions(cors_origins=("https://page.example",))
    answer = ask("OPTIONS", "/", engines=_ENGINES, headers=headers, web=web)
    assert (answer.status_code == 200) == (allowed == "true")
    if allowed:
        assert answer.headers["access-control-allow-private-network"] == allowed
        assert answer.headers["access-control-allow-origin"] == origin
    else:
        assert "access-control-allow-origin" not in answer.headers


def test_only_the_named_pages_may_ask_where_some_are_named() -> None:
    """With named origins only their pages pass, and they may send credentials."""
    web = WebOptions(cors_origins=("https://good.example",))
    for origin, expected in (
        ("https://good.example", "https://good.example"),
        ("https://x.y", None),
    ):
        answer = ask("GET", "/", engines=_ENGINES, web=web, headers={"origin": origin})
        assert answer.headers.get("access-control-allow-origin") == expected


def test_an_error_can_be_read_by_a_page_as_well() -> None:
    """An error of the server has the CORS header, so that a page can read it."""
    engine = FakeEngine(failure=RuntimeError("a bug"))
    answer = ask(
        "POST", "/", '{"inputs": "x"}', engines=(engine,), headers={"origin": "https://a.b"}
    )
    assert answer.status_code == 500
    assert answer.headers["access-control-allow-origin"] == "*"


def test_the_end_of_the_app_closes_the_engines() -> None:
    """The end of the app's lifespan closes the engines exactly once."""

    async def scenario() -> None:
        engine = FakeEngine()
        app = create_app(Service(Registry([engine])))
        async with app.router.lifespan_context(app):
            assert engine.closed == 0
        assert engine.closed == 1

    asyncio.run(scenario())
