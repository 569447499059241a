"""What a server prints or logs when it is ready."""

import io
import json
import shlex
import socket
from contextlib import closing

import pytest
from rich.console import Console
from structlog.testing import capture_logs
from support.fake_engine import FakeEngine, token_labeller, zero_shot_model
from support.http_app import ask

from earmark.cli.banner import address_of, announce, elsewhere_of, is_loopback, show_banner
from earmark.models.policy import ANY, DENY, HubRule

ADDRESS = "http://127.0.0.1:8080"


def banner(*engines: FakeEngine, width: int = 80, keyed: bool = False) -> str:
    """Show a banner on a terminal."""
    out = io.StringIO()
    models = tuple(one.info for one in engines)
    show_banner(Console(file=out, width=width), ADDRESS, models, keyed=keyed)
    return out.getvalue()


def pasted(*engines: FakeEngine, width: int = 80, keyed: bool = False) -> list[str]:
    """Take the example apart as a shell would."""
    shown = banner(*engines, width=width, keyed=keyed)
    [line] = [one for one in shown.splitlines() if "curl" in one]
    return shlex.split(line)


def test_the_banner_tells_the_address_and_each_model() -> None:
    """The banner has the address, each model, and how it runs."""
    shown = banner(FakeEngine("acme/one"), FakeEngine("two"))
    assert ADDRESS in shown
    for fact in ("acme/one", "two", "float32", "fake 1.0", "16", "0.5 s"):
        assert fact in shown


def test_the_banner_names_the_page_about_the_api() -> None:
    """On one line, to be clicked; where keys are demanded the page asks for one."""
    assert f"{ADDRESS}/docs" in banner(FakeEngine(), width=30)
    assert f"{ADDRESS}/docs" in banner(FakeEngine(), keyed=True)


@pytest.mark.parametrize("width", [30, 80])
def test_the_example_can_be_pasted_into_a_shell(width: int) -> None:
    """It stands on one line however narrow the terminal, and sends valid JSON to the model."""
    program, url, data_flag, body = pasted(FakeEngine("acme/one"), width=width)
    assert (program, url, data_flag) == ("curl", f"{ADDRESS}/models/acme/one", "-d")
    assert json.loads(body) == {"inputs": "I like it"}


def test_where_keys_are_demanded_the_example_sends_one() -> None:
    """Where keys are demanded, the example sends one from a variable, and the banner says so."""
    assert "Requests need an access key." in banner(FakeEngine(), keyed=True)
    assert "No access key is needed." in banner(FakeEngine())
    program, header_flag, header, url, *_ = pasted(FakeEngine("acme/one"), width=30, keyed=True)
    assert (program, header_flag) == ("curl", "-H")
    assert header == "Authorization: Bearer $EARMARK_KEY"
    assert url == f"{ADDRESS}/models/acme/one"


@pytest.mark.parametrize("keyed", [False, True])
def test_a_log_tells_whether_keys_are_demanded(
    keyed: bool,  # noqa: FBT001 - pytest passes by name
) -> None:
    """The log line says whether keys are demanded."""
    with capture_logs() as lines:
        announce(ADDRESS, [FakeEngine().info], keyed=keyed)
    [line] = [one for one in lines if one["event"] == "serving"]
    assert line["access"] == ("keys" if keyed else "open")
    assert ("$EARMARK_KEY" in line["example"]) == keyed


@pytest.mark.parametrize(
    "engine", [FakeEngine(), zero_shot_model(), token_labeller()], ids=lambda one: one.info.task
)
def test_the_example_is_answered_by_the_model_it_is_for(engine: FakeEngine) -> None:
    """The example of each task is answered by its model."""
    _, url, _, body = pasted(engine)
    answer = ask("POST", url.removeprefix(ADDRESS), body, engines=(engine,))
    assert answer.status_code == 200
    assert [request.task for request in engine.requests] == [engine.info.task]


@pytest.mark.parametrize(
    ("host", "shown", "loopback"),
    [("127.0.0.1", "127.0.0.1", True), ("0.0.0.0", "127.0.0.1", False)],  # noqa: S104 - under test
)
def test_the_address_is_one_that_a_client_here_can_use(
    host: str,
    shown: str,
    loopback: bool,  # noqa: FBT001 - pytest passes by name
) -> None:
    """For a server on every interface the address is loopback's."""
    with closing(socket.socket()) as listener:
        listener.bind((host, 0))
        port = listener.getsockname()[1]
        assert address_of(listener) == f"http://{shown}:{port}"
        assert is_loopback(listener) is loopback


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_an_ipv6_address_stands_in_brackets() -> None:
    """An IPv6 address is in brackets (RFC 3986, section 3.2.2)."""
    with closing(socket.socket(socket.AF_INET6)) as listener:
        try:
            listener.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6 loopback")
        assert address_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"
        assert is_loopback(listener)


def test_models_that_are_loaded_when_asked_for_are_named() -> None:
    """The first of them, and how many more; with nothing loaded there is no example."""
    loadable = tuple(f"org/m{index}" for index in range(10))
    out = io.StringIO()
    show_banner(Console(file=out, width=200), ADDRESS, (), keyed=False, loadable=loadable)
    assert "loaded when asked for: org/m0, " in out.getvalue()
    assert "org/m7 and 2 more" in out.getvalue()
    assert "curl" not in out.getvalue()


@pytest.mark.parametrize(
    ("engines", "loadable", "told"),
    [
        ((), ("org/a", "org/b"), {"loadable": "org/a, org/b"}),
        ((FakeEngine("acme/one"),), (), {"example"}),
    ],
)
def test_a_log_is_told_the_same(
    engines: tuple[FakeEngine, ...], loadable: tuple[str, ...], told: object
) -> None:
    """The log line has the address and the models."""
    with capture_logs() as logs:
        infos = tuple(one.info for one in engines)
        announce(ADDRESS, infos, keyed=False, loadable=loadable)
    facts = {key: logs[-1].get(key) for key in logs[-1].keys() & {"loadable", "example"}}
    assert logs[-1]["address"] == ADDRESS
    assert facts == told if isinstance(told, dict) else facts.keys() == told


@pytest.mark.parametrize(
    ("rule", "shown", "logged"),
    [
        (DENY, None, "deny"),
        (ANY, "when asked for: any model", "any"),
        (HubRule(("dslim/*", "org/name")), "asked for: dslim/*, org/name", "dslim/*, org/name"),
    ],
    ids=["deny", "any", "patterns"],
)
def test_what_may_be_fetched_from_the_hub_is_told(
    rule: HubRule, shown: str | None, logged: str
) -> None:
    """The banner says which models of the Hub may be fetched and by which flag; so does the log."""
    out = io.StringIO()
    show_banner(Console(file=out, width=40), ADDRESS, (), keyed=False, hub=rule)
    assert ("--hub-models" in out.getvalue()) == (shown is not None)
    assert (shown or "") in out.getvalue()
    with capture_logs() as logs:
        announce(ADDRESS, (), keyed=False, hub=rule)
    assert logs[-1]["hub_models"] == logged


@pytest.mark.parametrize(("host", "other"), [("127.0.0.1", False), ("0.0.0.0", True)])  # noqa: S104 - under test
def test_a_server_on_every_address_names_one_that_others_can_use(host: str, *, other: bool) -> None:
    """Never loopback, which is another machine to each of them."""
    with closing(socket.create_server((host, 0))) as listener:
        elsewhere = elsewhere_of(listener)
        port = listener.getsockname()[1]
        assert address_of(listener) == f"http://127.0.0.1:{port}"
        assert (elsewhere is not None) == other
        if elsewhere is not None:
            assert elsewhere.endswith(f":{port}")
            assert "127.0.0.1" not in elsewhere
            assert "0.0.0.0" not in elsewhere  # noqa: S104 - under test


def test_the_banner_shows_the_address_for_others() -> None:
    """On one line, to be copied; so does the log."""
    out = io.StringIO()
    elsewhere = "http://a-machine-with-quite-a-long-name:8080"
    show_banner(Console(file=out, width=30), ADDRESS, (), keyed=True, elsewhere=elsewhere)
    assert f"and for other machines at {elsewhere}\n" in out.getvalue()
    with capture_logs() as told:
        announce(ADDRESS, (), keyed=True, elsewhere=elsewhere)
    assert told[-1]["elsewhere"] == elsewhere
