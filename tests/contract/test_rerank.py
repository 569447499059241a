"""Reranking and classification in the forms of other servers."""

import json

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake_engine import FakeEngine, reranker, token_labeller, zero_shot_model
from support.http_app import ask

from earmark.domain.texts import TextInput
from earmark.errors import DeadlineExceeded, NonFiniteScore, QueueFull, ShuttingDown

LOGITS = {TextInput("q", text): [score] for text, score in (("a", -1), ("b", 3), ("c", 0))}
LOW, HIGH, MIDDLE = (pytest.approx(score) for score in (0.26894143, 0.9525741, 0.5))


def post(path: str, body: object, *engines: FakeEngine) -> httpx.Response:
    """Send a request to a reranker, or to the engines given."""
    served = engines or (FakeEngine(), reranker(logits=LOGITS))
    return ask("POST", path, json.dumps(body), engines=served)


def test_texts_are_ranked_as_text_embeddings_inference_does() -> None:
    """A flat list, the best first, of indices and scores."""
    answer = post("/rerank", {"query": "q", "texts": ["a", "b", "c"]})
    assert answer.status_code == 200
    assert answer.json() == [
        {"index": 1, "score": HIGH},
        {"index": 2, "score": MIDDLE},
        {"index": 0, "score": LOW},
    ]


def test_texts_come_back_and_scores_stay_raw_where_that_is_asked() -> None:
    """`return_text` returns the texts, and `raw_scores` the logits."""
    body = {"query": "q", "texts": ["a", "b"], "return_text": True, "raw_scores": True}
    assert post("/rerank", body).json() == [
        {"index": 1, "score": 3.0, "text": "b"},
        {"index": 0, "score": -1.0, "text": "a"},
    ]


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank"])
def test_documents_are_ranked_as_cohere_and_jina_do(path: str) -> None:
    """The answer is an object with results; documents are texts or objects."""
    body = {"model": "acme/rr", "query": "q", "documents": ["a", {"text": "b", "id": 7}, "c"]}
    answer = post(path, body)
    assert answer.status_code == 200
    version = "1" if path == "/v1/rerank" else "2"
    assert answer.json() == {
        "id": answer.headers["x-request-id"],
        "object": "rerank",
        "model": "acme/rr",
        "results": [
            {"index": 1, "relevance_score": HIGH},
            {"index": 2, "relevance_score": MIDDLE},
            {"index": 0, "relevance_score": LOW},
        ],
        "meta": {"api_version": {"version": version}, "billed_units": {"search_units": 1}},
        "usage": {"total_tokens": 12, "prompt_tokens": 12},
    }


@pytest.mark.parametrize(("documents", "units"), [(1, 1), (100, 1), (101, 2), (250, 3)])
def test_a_search_unit_is_a_query_with_up_to_a_hundred_documents(
    documents: int, units: int
) -> None:
    """As Cohere counts: docs.cohere.com, "How does Cohere's rerank pricing work"."""
    answer = post("/v2/rerank", {"query": "q", "documents": ["a"] * documents})
    assert answer.json()["meta"]["billed_units"] == {"search_units": units}


def test_the_best_documents_come_back_where_that_is_asked() -> None:
    """`top_n` limits the results, and `return_documents` returns the documents."""
    body = {"query": "q", "documents": ["a", "b", "c"], "top_n": 1, "return_documents": True}
    assert post("/rerank", body).json()["results"] == [
        {"index": 1, "relevance_score": HIGH, "document": {"text": "b"}}
    ]


@pytest.mark.parametrize(
    ("inputs", "asked", "single"),
    [
        ("a", [TextInput("a")], True),
        (["a", "b"], [TextInput("a", "b")], True),
        (["a"], [TextInput("a")], True),
        ([["a"], ["a", "b"]], [TextInput("a"), TextInput("a", "b")], False),
        ([["a"]], [TextInput("a")], False),
    ],
)
def test_predict_reads_a_list_of_two_texts_as_a_pair(
    inputs: object, asked: list[TextInput], *, single: bool
) -> None:
    """`/predict` reads a list of two texts as a pair, and its single answer is a flat list."""
    engine = FakeEngine()
    answer = post("/predict", {"inputs": inputs}, engine)
    assert answer.status_code == 200, answer.text
    (request,) = engine.requests
    assert [question.text for question in request.questions()] == asked
    found = [answer.json()] if single else answer.json()
    assert len(found) == len(asked)
    for scores in found:
        values = [each["score"] for each in scores]
        assert values == sorted(values, reverse=True)
        assert sum(values) == pytest.approx(1)


def test_predict_leaves_scores_raw_where_that_is_asked() -> None:
    """`raw_scores` of `/predict` gives the logits, best first."""
    engine = FakeEngine(logits={TextInput("a"): [-2.0, 5.0]})
    answer = post("/predict", {"inputs": "a", "raw_scores": True}, engine)
    assert answer.json() == [
        {"label": "POSITIVE", "score": 5.0},
        {"label": "NEGATIVE", "score": -2.0},
    ]


@pytest.mark.parametrize(
    ("path", "body", "complaint"),
    [
        ("/rerank", {}, "the body: object missing required field `query`"),
        ("/rerank", {"query": "q"}, "object missing required field `texts`"),
        ("/rerank", {"query": "q", "documents": ["a"], "top_n": 0}, "`top_n`: expected `int` >= 1"),
        ("/rerank", {"query": "q", "texts": ["a"], "truncation_direction": "Left"}, "cut at their"),
        ("/rerank", {"query": "q " * 99, "texts": ["a"], "truncate": False}, "too long"),
        ("/predict", {"inputs": ["a", "b", "c"]}, "a list of 3 texts; here [text, text] is a pair"),
        ("/predict", {"inputs": ["a", ["b"]]}, "texts and lists stand side by side"),
        ("/predict", {"inputs": [["a", "b", "c"]]}, "`inputs[0]`: expected `array` of length <= 2"),
        ("/predict", {"inputs": "a", "truncation_direction": "left"}, "cut at their"),
    ],
)
def test_bad_input_is_told_to_the_clients_of_either(
    path: str, body: object, complaint: str
) -> None:
    """Bad input is a 422, with the text under `error` and `message`."""
    answer = post(path, body)
    assert answer.status_code == 422
    found = answer.json()
    assert complaint in found["error"]
    assert found == {
        "error": found["error"],
        "error_type": "Validation",
        "message": found["error"],
    }


@pytest.mark.parametrize(
    ("engines", "model", "status", "complaint"),
    [
        ((FakeEngine(), token_labeller()), None, 404, "no model named at the start does text-rank"),
        (
            (reranker("r/1"), reranker("r/2")),
            None,
            404,
            "2 models served here do text-ranking; name one of them in `model`: r/1, r/2",
        ),
        ((reranker(),), "rerank-v3.5", 404, "Model rerank-v3.5 does not exist"),
        ((FakeEngine(), reranker()), "acme/tc", 422, "not for text-ranking"),
    ],
)
def test_no_model_stands_in_for_another(
    engines: tuple[FakeEngine, ...], model: str | None, status: int, complaint: str
) -> None:
    """A request without a model is answered only where exactly one model fits."""
    body = {"query": "q", "documents": ["a"], "model": model}
    answer = post("/rerank", body, *engines)
    assert answer.status_code == status
    assert complaint in answer.json()["message"]


@pytest.mark.parametrize(
    ("path", "body"), [("/rerank", {"query": "q", "texts": []}), ("/predict", {"inputs": []})]
)
def test_an_empty_list_is_the_dialects_own_empty(path: str, body: object) -> None:
    """An empty list is 400 and `Empty`, as in ``router/src/http/server.rs`` of the reference."""
    answer = post(path, body)
    assert (answer.status_code, answer.json()["error_type"]) == (400, "Empty")


def test_predict_takes_the_model_that_is_made_for_it() -> None:
    """`/predict` prefers a classifier to a reranker and to a model of language inference."""
    engine, inference, ranker = FakeEngine(), zero_shot_model(), reranker("r")
    assert post("/predict", {"inputs": "a"}, ranker, inference, engine).status_code == 200
    assert post("/predict", {"inputs": "a"}, ranker, inference).status_code == 200
    assert post("/predict", {"inputs": "a"}, ranker).status_code == 200
    assert [len(each.requests) for each in (engine, inference, ranker)] == [1, 1, 1]
    assert post("/predict", {"inputs": "a"}, engine, FakeEngine("b")).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "fits"),
    [
        ("/rerank", {"query": "q", "texts": ["a"]}, "acme/rr"),
        ("/predict", {"inputs": "a"}, "acme/tc"),
    ],
)
def test_a_name_that_is_not_served_is_ignored_where_one_model_fits(
    path: str, body: dict[str, object], fits: str
) -> None:
    """An unknown name is ignored, with a warning, where exactly one model fits."""
    answer = post(path, {**body, "model": "tei"})
    assert answer.status_code == 200
    assert answer.headers["x-compute-model"] == fits
    assert answer.headers["x-hf-warning"].startswith("model; the one that the request names")
    assert "x-hf-warning" not in post(path, body).headers
    two = (reranker("r/1"), reranker("r/2"), FakeEngine("a"), FakeEngine("b"))
    refused = post(path, {**body, "model": "tei"}, *two)
    assert (refused.status_code, refused.json()["error_type"]) == (404, "Validation")


@pytest.mark.parametrize("direction", [None, "Right", "right", "RIGHT"])
def test_a_direction_is_read_in_any_case(direction: str | None) -> None:
    """`truncation_direction` is read as `Right` and as `right`."""
    body = {"query": "q", "texts": ["a"], "truncation_direction": direction}
    assert post("/rerank", body).status_code == 200


@pytest.mark.parametrize(
    ("failure", "status", "kind"),
    [
        (QueueFull("busy", retry_after_s=3), 429, "Overloaded"),
        (ShuttingDown("down"), 503, "Unhealthy"),
        (DeadlineExceeded("late"), 504, "Overloaded"),
        (NonFiniteScore("nan"), 500, "Backend"),
        (RuntimeError("secret"), 500, "Backend"),
    ],
)
def test_what_goes_wrong_has_a_status_and_a_kind(
    failure: Exception, status: int, kind: str
) -> None:
    """Each error has its status, `error_type` and, where waiting helps, `Retry-After`."""
    engine = reranker()
    engine.failure = failure
    answer = post("/rerank", {"query": "q", "texts": ["a"]}, engine)
    assert (answer.status_code, answer.json()["error_type"]) == (status, kind)
    assert ("retry-after" in answer.headers) == (status != 500)
    assert "secret" not in answer.text


_JSON: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
_BODIES = st.fixed_dictionaries(
    {},
    optional={
        name: _JSON | st.text() | st.lists(st.text(), max_size=3)
        for name in ("query", "texts", "documents", "inputs", "top_n", "truncate", "model")
    },
)


@settings(deadline=None)
@given(st.sampled_from(["/rerank", "/v2/rerank", "/predict"]), _BODIES | _JSON)
def test_whatever_is_sent_the_answer_is_json_and_never_our_fault(path: str, body: object) -> None:
    """Any body gets a JSON answer with a status below 500."""
    answer = post(path, body)
    assert answer.headers["content-type"] == "application/json"
    assert answer.status_code in (200, 400, 404, 422)
