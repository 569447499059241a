"""`x-use-cache`, and the headers of an answer from the cache."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence

import httpx
import pytest
from support.fake_engine import FakeEngine, token_labeller, zero_shot_model
from support.http_app import asking

_LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
_BODIES = {
    "text": {"inputs": ["a", {"text": "b", "text_pair": "c"}, _LONG]},
    "zero-shot": {"inputs": ["a", _LONG], "parameters": {"candidate_labels": ["x", "y"]}},
    "tokens": {"inputs": ["Sarah Jessica", _LONG], "parameters": {"ignore_labels": []}},
}
_ENGINES: Mapping[str, Callable[[], FakeEngine]] = {
    "text": FakeEngine,
    "zero-shot": zero_shot_model,
    "tokens": token_labeller,
}


def _ask_in_turn(
    engine: FakeEngine, *asked: tuple[object, Mapping[str, str]]
) -> Sequence[httpx.Response]:
    """Post bodies with headers to one app, one after the other."""

    async def scenario() -> list[httpx.Response]:
        async with asking(engine) as client:
            return [
                await client.post("/", content=json.dumps(body), headers=headers)
                for body, headers in asked
            ]

    return asyncio.run(scenario())


def _kind(answer: httpx.Response) -> tuple[str, str]:
    assert answer.status_code == 200
    return answer.headers["x-compute-type"], answer.headers["x-cache-hits"]


@pytest.mark.parametrize("kind", _BODIES)
def test_the_second_answer_is_the_first_one_from_the_cache(kind: str) -> None:
    """The second answer has the same bytes and counts of tokens, and no time of a run."""
    engine, body = _ENGINES[kind](), _BODIES[kind]
    first, second = _ask_in_turn(engine, (body, {}), (body, {}))
    texts = str(len(first.json()))
    assert (_kind(first), _kind(second)) == (("cpu", "0"), ("cache", texts))
    assert second.content == first.content
    assert len(engine.requests) == 1
    for name in ("x-compute-tokens", "x-compute-characters", "x-truncated-tokens"):
        assert second.headers[name] == first.headers[name]
    assert int(first.headers["x-truncated-tokens"]) > 0
    for name in ("x-tokenization-time", "x-queue-time", "x-inference-time"):
        assert second.headers[name] == "0.0"
    assert float(second.headers["x-compute-time"]) < 1


def test_one_new_text_makes_a_computed_answer() -> None:
    """With one new text the answer is computed, and `x-cache-hits` counts the others."""
    bodies = [{"inputs": ["a", "b"]}, {"inputs": ["b", "c", "b", "a"]}]
    first, second = _ask_in_turn(FakeEngine(), *((body, {}) for body in bodies))
    assert (_kind(first), _kind(second)) == (("cpu", "0"), ("cpu", "3"))


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        ({}, {"x-use-cache": "false"}),
        ({}, {"x-use-cache": "0"}),
        ({"options": {"use_cache": False}}, {}),
        ({"options": {"use_cache": True}}, {"x-use-cache": "false"}),
    ],
)
def test_a_caller_may_have_it_computed_anew(options: object, headers: Mapping[str, str]) -> None:
    """A header, or the body's option, turns the cache off; the header wins."""
    body = {"inputs": "a"}
    engine = FakeEngine()
    asked = body | options if isinstance(options, dict) else body
    _, second = _ask_in_turn(engine, (body, {}), (asked, headers))
    assert _kind(second) == ("cpu", "0")
    assert len(engine.requests) == 2


def test_neither_options_nor_who_asks_is_part_of_the_question() -> None:
    """Other options and another client get the cached result, in the client's form."""
    body = {"inputs": "a", "parameters": {"candidate_labels": "x,y"}}
    listed = {"inputs": "a", "parameters": {"candidate_labels": ["x", "y"], "multi_label": False}}
    waiting = {**listed, "options": {"wait_for_model": True, "use_cache": True}}
    old = {"user-agent": "unknown/None; hf_hub/0.36.0", "authorization": "Bearer hf_xxx"}
    answers = _ask_in_turn(zero_shot_model(), (body, {}), (listed, {}), (waiting, old))
    assert [_kind(one)[0] for one in answers] == ["cpu", "cache", "cache"]
    assert answers[1].json() == answers[0].json()
    assert answers[2].json()["sequence"] == "a"
    assert answers[2].json()["labels"] == [one["label"] for one in answers[0].json()]


def test_another_parameter_is_another_question() -> None:
    """A request with other parameters does not get the first one's result."""
    parameters: list[dict[str, object]] = [
        {},
        {"top_k": 1},
        {"top_k": 1, "function_to_apply": "none"},
    ]
    bodies = [{"inputs": "a", "parameters": one} for one in parameters]
    answers = _ask_in_turn(FakeEngine(), *((body, {}) for body in bodies))
    assert [_kind(one)[0] for one in answers] == ["cpu"] * 3
    assert [len(one.json()[0]) for one in answers] == [2, 1, 1]


def test_a_refusal_is_never_kept() -> None:
    """A refused text is run, and counted, again the next time."""
    engine = FakeEngine()
    body = {"inputs": _LONG, "parameters": {"truncation": False}}
    answers = _ask_in_turn(engine, (body, {}), (body, {}))
    assert [one.status_code for one in answers] == [400, 400]
    assert len(engine.requests) == 2


def test_the_hit_rate_is_told() -> None:
    """A model's facts include the hit rate."""

    async def scenario() -> None:
        async with asking(FakeEngine("one"), FakeEngine("other")) as client:
            for _ in range(4):
                await client.post("/models/one", content='{"inputs": "a"}')
            facts = (await client.get("/models/one/info")).json()["cache"]
            others = (await client.get("/models/other/info")).json()["cache"]
        assert (facts["hits"], facts["joined"], facts["misses"]) == (3, 0, 1)
        assert (facts["hit_rate"], facts["entries"]) == (0.75, 1)
        assert 0 < facts["bytes"] < facts["limit_bytes"]
        assert (others["hits"], others["misses"], others["bytes"]) == (0, 0, facts["bytes"])

    asyncio.run(scenario())
