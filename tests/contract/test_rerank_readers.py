"""Members and types that strict readers of rerank answers demand, which no client here runs.

langchain4j (Java) reads with Jackson into classes: a member that is missing is null, and reading on
from it throws. Which members are read: its `CohereScoringModel`, `JinaScoringModel` and
`VoyageAiScoringModel`, method `scoreAll`, and the classes of their answers. Its client for Hugging
Face has no classification, and its client for Workers AI no reranking.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from support.fake_engine import FakeEngine, reranker
from support.http_app import ask

from earmark.domain.texts import TextInput

LOGITS = {TextInput("q", text): [score] for text, score in (("a", -1), ("b", 3))}
BEST, WORST = (1, pytest.approx(0.9525741)), (0, pytest.approx(0.26894143))


def post(path: str, body: Mapping[str, object]) -> bytes:
    """Send a request to a reranker that is served beside other models."""
    engines = (FakeEngine(), reranker(logits=LOGITS))
    answer = ask("POST", path, json.dumps(body), engines=engines)
    assert answer.status_code == 200
    return answer.content


class Scored(msgspec.Struct, rename={"score": "relevance_score"}):
    """One result; the names are those of every form."""

    index: int
    score: float


class BilledUnits(msgspec.Struct):
    """Cohere's."""

    search_units: int


class CohereMeta(msgspec.Struct):
    """Cohere's, whose `billed_units` is read without a check that it is there."""

    billed_units: BilledUnits


class CohereAnswer(msgspec.Struct):
    """`RerankResponse` of `langchain4j-cohere`."""

    results: list[Scored]
    meta: CohereMeta


class JinaUsage(msgspec.Struct):
    """Jina's, of which both members are read."""

    prompt_tokens: int
    total_tokens: int


class JinaAnswer(msgspec.Struct):
    """`JinaRerankingResponse` of `langchain4j-jina`."""

    model: str
    results: list[Scored]
    usage: JinaUsage


class VoyageUsage(msgspec.Struct):
    """Voyage's, of which the total is read."""

    total_tokens: int


class VoyageAnswer(msgspec.Struct):
    """`RerankResponse` of `langchain4j-voyage-ai`, and of the package `voyageai`."""

    object: str
    data: list[Scored]
    model: str
    usage: VoyageUsage


def pairs(scored: list[Scored]) -> list[tuple[int, Any]]:
    """Return the members that a client sorts by."""
    return [(each.index, each.score) for each in scored]


def test_coheres_scoring_model_of_langchain4j() -> None:
    """langchain4j's Cohere client gets every member that it reads, from `…/v1/rerank`."""
    body = {"model": "acme/rr", "query": "q", "documents": ["a", "b"]}
    found = msgspec.json.decode(post("/v1/rerank", body), type=CohereAnswer)
    assert pairs(found.results) == [BEST, WORST]
    assert found.meta.billed_units.search_units == 1


def test_jinas_scoring_model_of_langchain4j() -> None:
    """langchain4j's Jina client gets every member that it reads, without documents."""
    body = {"model": "acme/rr", "query": "q", "documents": ["a", "b"], "return_documents": False}
    found = msgspec.json.decode(post("/v1/rerank", body), type=JinaAnswer)
    assert pairs(found.results) == [BEST, WORST]
    assert found.usage == JinaUsage(8, 8)


@pytest.mark.parametrize(
    ("asked", "results"),
    [
        ({"top_k": None, "truncation": True}, [BEST, WORST]),
        ({"truncation": True, "return_documents": False}, [BEST, WORST]),
        ({"top_k": 1}, [BEST]),
        ({"top_k": "1", "truncation": "false"}, [BEST]),
    ],
)
def test_clients_of_voyage_find_data(asked: Mapping[str, object], results: list[object]) -> None:
    """Bodies of Voyage's clients, with `truncation` or `top_k`, get results under `data` too."""
    body = {"model": "acme/rr", "query": "q", "documents": ["a", "b"], **asked}
    found = msgspec.json.decode(post("/v1/rerank", body), type=VoyageAnswer)
    assert pairs(found.data) == results
    assert found.usage.total_tokens == 8


def test_truncation_refuses_a_long_text_where_it_is_false() -> None:
    """`truncation: false` refuses a text that is too long, like `truncate`."""
    body = json.dumps({"query": "q " * 99, "documents": ["a"], "truncation": False})
    answer = ask("POST", "/rerank", body, engines=(reranker(),))
    assert answer.status_code == 422
    assert "too long" in answer.json()["message"]


def test_other_callers_get_their_results_once() -> None:
    """Answers to other clients have no `data`."""
    assert b'"data"' not in post("/v2/rerank", {"query": "q", "documents": ["a", "b"]})


def test_litellms_client_for_text_embeddings_inference_gets_as_many_as_it_asks_for() -> None:
    """`top_n` beside `texts`, as litellm sends it, limits the answer."""
    found = json.loads(post("/rerank", {"query": "q", "texts": ["a", "b"], "top_n": 1}))
    assert [each["index"] for each in found] == [1]


def test_infinitys_client_without_a_model_and_with_raw_scores() -> None:
    """Infinity's default for `model` names none, and `raw_scores` gives logits."""
    body = {
        "model": "default/not-specified",
        "query": "q",
        "documents": ["a", "b"],
        "raw_scores": True,
        "return_documents": False,
    }
    found = msgspec.json.decode(post("/rerank", body), type=JinaAnswer)
    assert pairs(found.results) == [(1, 3.0), (0, -1.0)]
    assert found.model == "acme/rr"
