"""Access in the form of Workers AI: keys in any of its headers, and accounts."""

import pytest
from support.fake_engine import FakeEngine, reranker
from support.http_app import ask
from support.workers_ai import ACCOUNT, AI, CLASSIFIER, workers_ai

from earmark.serving.access.gate import AccessGate
from earmark.serving.access.keys import new_key
from earmark.serving.access.store import KeysInMemory
from earmark.web.options import WebOptions

_MADE = new_key("ci", now_s=0.0)
_KEY = _MADE.secret
RUN = f"{AI}/run/{CLASSIFIER}"
GATEWAY = f"/v1/account/gateway/workers-ai/{CLASSIFIER}"
TEXT = '{"text": "hello"}'


def gate() -> AccessGate:
    """Return a gate that one key opens."""
    store = KeysInMemory()
    store.add(_MADE.kept)
    return AccessGate(store)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {_KEY}"},
        {"x-auth-email": "anyone@example.org", "x-auth-key": _KEY},
        {"x-auth-email": "a@b.co", "x-auth-key": _KEY, "authorization": f"Bearer {_KEY}"},
        {"x-auth-user-service-key": _KEY},
    ],
)
def test_a_key_opens_in_any_header_that_clients_have_for_it(headers: dict[str, str]) -> None:
    """8. A key is accepted as a bearer's and in the pair of headers, which Python sends alone."""
    answer = ask("POST", RUN, TEXT, engines=workers_ai(), gate=gate(), headers=headers)
    assert answer.status_code == 200, answer.text


def test_a_gateways_own_header_opens_a_gateways_address() -> None:
    """A gateway's address accepts a key in the gateway's header too."""
    for headers in (
        {"cf-aig-authorization": f"Bearer {_KEY}"},
        {"authorization": f"Bearer {_KEY}"},
    ):
        answer = ask("POST", GATEWAY, TEXT, engines=workers_ai(), gate=gate(), headers=headers)
        assert answer.status_code == 200
    assert ask("POST", GATEWAY, TEXT, engines=workers_ai(), gate=gate()).status_code == 400


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 400, 9106),
        ({"x-auth-email": "a@b.co"}, 400, 9106),
        ({"x-auth-key": _KEY}, 400, 9106),
        ({"authorization": _KEY}, 400, 6003),
        ({"authorization": "Basic eDp5"}, 400, 6003),
        ({"authorization": "Bearer another"}, 401, 10000),
        ({"x-auth-email": "a@b.co", "x-auth-key": "another"}, 401, 10000),
        # The pair counts where both are there, as in the SDKs.
        (
            {"x-auth-email": "a", "x-auth-key": "another", "authorization": f"Bearer {_KEY}"},
            401,
            10000,
        ),
    ],
)
@pytest.mark.parametrize("path", [RUN, f"{AI}/models/search", f"{AI}/nothing"])
def test_what_is_no_key_is_told_in_cloudflares_codes(
    path: str, headers: dict[str, str], status: int, code: int
) -> None:
    """A missing or wrong key gets Cloudflare's status and code, and no result."""
    method = "POST" if path == RUN else "GET"
    answer = ask(method, path, TEXT, engines=workers_ai(), gate=gate(), headers=headers)
    assert answer.status_code == status
    (error,) = answer.json()["errors"]
    assert error["code"] == code
    assert answer.json()["result"] is None
    assert ("error_chain" in error) == (code == 6003)


def test_a_key_without_its_address_is_told_as_that() -> None:
    """`X-Auth-Key` without `X-Auth-Email` gets Cloudflare's code for it."""
    answer = ask("POST", RUN, TEXT, engines=workers_ai(), gate=gate(), headers={"x-auth-key": _KEY})
    (error,) = answer.json()["errors"]
    assert error == {"code": 9106, "message": "Missing X-Auth-Email header"}


def test_an_email_without_a_key_is_told_as_that() -> None:
    """`X-Auth-Email` alone and a malformed key get Cloudflare's errors, without the key."""
    for headers, told in (
        ({"x-auth-email": "a@b.co"}, "Missing X-Auth-Key header"),
        (
            {"x-auth-email": "a@b.co", "x-auth-key": f"Bearer {_KEY}"},
            "Invalid format for X-Auth-Key header",
        ),
    ):
        answer = ask("POST", RUN, TEXT, engines=workers_ai(), gate=gate(), headers=headers)
        assert answer.status_code == 400
        assert told in answer.text
        assert _KEY not in answer.text


@pytest.mark.parametrize("path", ["/client/v4/user/tokens/verify", f"{ACCOUNT}/tokens/verify"])
def test_a_key_is_verified_by_its_id(path: str) -> None:
    """Verifying a key answers the id of `earmark keys list`, with message 10000."""
    headers = {"authorization": f"Bearer {_KEY}"}
    answer = ask("GET", path, engines=workers_ai(), gate=gate(), headers=headers).json()
    assert answer["result"] == {"id": _MADE.kept.key_id, "status": "active"}
    assert answer["messages"] == [
        {"code": 10000, "message": "This API Token is valid and active", "type": None}
    ]
    open_door = ask("GET", path, engines=workers_ai()).json()
    assert open_door["result"] == {"id": "0" * 32, "status": "active"}


def test_a_wrong_account_looks_like_a_wrong_key() -> None:
    """A wrong account gets the answer of a wrong key."""
    web = WebOptions(accounts=("mine", "yours"))
    for account, status in (("mine", 200), ("yours", 200), ("theirs", 401)):
        path = f"/client/v4/accounts/{account}/ai/run/{CLASSIFIER}"
        answer = ask("POST", path, TEXT, engines=workers_ai(), web=web)
        assert answer.status_code == status
    assert answer.json()["errors"] == [{"code": 10000, "message": "Authentication error"}]
    assert ask("POST", GATEWAY, TEXT, engines=workers_ai(), web=web).status_code == 401
    assert (
        ask("GET", "/client/v4/user/tokens/verify", engines=workers_ai(), web=web).status_code
        == 200
    )


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank", "/predict"])
def test_reranking_elsewhere_demands_a_bearer(path: str) -> None:
    """`/rerank` without a bearer's key gets a 401 that clients of both servers read."""
    body = '{"query": "q", "texts": ["a"], "inputs": "a"}'
    engines: tuple[FakeEngine, ...] = (reranker(),)
    refused = ask("POST", path, body, engines=engines, gate=gate())
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert refused.json()["error_type"] == "Unauthorized"
    headers = {"authorization": f"Bearer {_KEY}"}
    assert ask("POST", path, body, engines=engines, gate=gate(), headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", RUN, {}),
        ("POST", RUN, {"authorization": "Bearer ek_nobody"}),
        ("GET", "/client/v4/nowhere", {"authorization": f"Bearer {_KEY}"}),
        ("DELETE", RUN, {"authorization": f"Bearer {_KEY}"}),
    ],
    ids=["no key", "wrong key", "no such address", "wrong method"],
)
def test_a_refusal_before_any_handler_is_marked_like_every_answer(
    method: str, path: str, headers: dict[str, str]
) -> None:
    """A refusal has `cf-ray` and may not be cached."""
    answer = ask(method, path, TEXT, engines=workers_ai(), gate=gate(), headers=headers)
    assert answer.status_code in (400, 401, 405)
    assert answer.headers["cf-ray"].endswith("-LCL")
    assert answer.headers["cache-control"] == "no-store"


def test_a_page_may_send_the_pair_and_read_the_ids() -> None:
    """A preflight allows the pair of headers, and the answer shows the ids to the page."""
    asked = {
        "origin": "https://page.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-auth-email, x-auth-key, content-type",
    }
    assert ask("OPTIONS", RUN, engines=workers_ai(), headers=asked).status_code == 200
    answer = ask("POST", RUN, TEXT, engines=workers_ai(), headers={"origin": "https://a.example"})
    shown = answer.headers["access-control-expose-headers"]
    assert {"cf-ai-req-id", "cf-ray", "x-compute-model"} <= set(shown.split(", "))
