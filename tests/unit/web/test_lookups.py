"""How often one request looks its model up, counted from outside."""

from collections import Counter
from collections.abc import Callable

import pytest
from support.fake_engine import FakeEngine, reranker
from support.http_app import ask
from support.workers_ai import AI

from earmark.models.names import Names
from earmark.models.pool import EnginePool
from earmark.models.registry import Registry
from earmark.serving.service import Service


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> "Counter[str]":
    """Count what finds a model."""
    counted: Counter[str] = Counter()

    def count(owner: type, name: str) -> None:
        usual: Callable[..., object] = getattr(owner, name)

        def counting(*given: object, **named: object) -> object:
            counted[name] += 1
            return usual(*given, **named)

        monkeypatch.setattr(owner, name, counting)

    count(Service, "open")
    count(Registry, "find")
    count(Names, "resolve")
    count(EnginePool, "lend")
    return counted


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/models/acme/tc", '{"inputs": "a"}'),
        ("/", '{"inputs": "a"}'),
        (f"{AI}/run/acme/tc", '{"text": "a"}'),
    ],
)
def test_a_request_finds_its_model_once(path: str, body: str, looked_up: "Counter[str]") -> None:
    """One call is opened, one model is found; an engine that stays in memory need not be lent."""
    assert ask("POST", path, body, engines=(FakeEngine(),)).status_code == 200
    assert (looked_up["open"], looked_up["find"], looked_up["lend"]) == (1, 1, 0)
    assert looked_up["resolve"] <= 1


@pytest.mark.parametrize(
    ("path", "body", "engine"),
    [
        ("/rerank", '{"query": "q", "texts": ["a"]}', reranker()),
        ("/predict", '{"inputs": "a"}', FakeEngine()),
    ],
)
def test_a_request_without_a_model_opens_one_call(
    path: str, body: str, engine: FakeEngine, looked_up: "Counter[str]"
) -> None:
    """The models that the operator named are looked through for one that fits, before that."""
    assert ask("POST", path, body, engines=(engine,)).status_code == 200
    assert (looked_up["open"], looked_up["find"], looked_up["lend"]) == (1, 1, 0)
