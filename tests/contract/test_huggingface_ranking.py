"""Text ranking by task name, by the body and at the root, and what `/info` and `/ping` answer."""

import json

import httpx
import pytest
from support.fake_engine import FakeEngine, reranker, token_labeller, zero_shot_model
from support.fake_loader import FakeLoader
from support.http_app import ask

from earmark.checkpoint.ref import BundledRef
from earmark.domain.texts import TextInput
from earmark.models.catalogue import Catalogue
from earmark.models.on_demand import OnDemand
from earmark.models.registry import Registry

LOGITS = {TextInput("q", text): [score] for text, score in (("a", -1.0), ("b", 3.0), ("c", 0.0))}
LOW, HIGH, MIDDLE = (pytest.approx(score) for score in (0.26894143, 0.9525741, 0.5))
INPUTS = {"query": "q", "texts": ["a", "b", "c"]}
RANKED = [
    {"index": 1, "score": HIGH},
    {"index": 2, "score": MIDDLE},
    {"index": 0, "score": LOW},
]


def _post(path: str, body: object, *engines: FakeEngine) -> httpx.Response:
    served = engines or (FakeEngine(), zero_shot_model(), reranker(logits=LOGITS))
    return ask("POST", path, json.dumps(body), engines=served)


@pytest.mark.parametrize(
    "path",
    [
        "/models/acme/rr",
        "/models/acme/rr/pipeline/text-ranking",
        "/pipeline/text-ranking/acme/rr",
        "/hf-inference/models/acme/rr",
        "/hf-inference/models/acme/rr/pipeline/text-ranking",
        "/hf-inference/pipeline/text-ranking/acme/rr",
        "/api/inference-proxy/hf-inference/models/acme/rr",
        "/",
    ],
)
@pytest.mark.parametrize("body", [{"inputs": INPUTS}, INPUTS])
def test_texts_are_ranked_at_every_address(path: str, body: object) -> None:
    """Texts are ranked best first at every address; at the root by the only reranker named."""
    answer = _post(path, body)
    assert answer.status_code == 200, answer.text
    assert answer.json() == RANKED


def test_parameters_say_how() -> None:
    """Parameters limit the ranking, return the texts and give logits."""
    parameters = {"top_k": 1, "return_text": True, "raw_scores": True}
    answer = _post("/models/acme/rr", {"inputs": INPUTS, "parameters": parameters})
    assert answer.json() == [{"index": 1, "score": 3.0, "text": "b"}]


@pytest.mark.parametrize(
    ("path", "body", "status", "complaint"),
    [
        ("/models/acme/tc", {"inputs": INPUTS}, 400, "not for text-ranking"),
        ("/", {"query": "q", "texts": []}, 400, "`texts` is an empty list"),
        ("/", {"query": "q", "texts": "a"}, 400, "`texts`: expected `array`"),
        ("/models/acme/rr", {"inputs": {"query": 1, "texts": []}}, 400, "`inputs.query`: expected"),
    ],
)
def test_what_cannot_be_ranked_is_told(
    path: str, body: object, status: int, complaint: str
) -> None:
    """Requests that cannot be ranked get an error in this dialect's form."""
    answer = _post(path, body)
    assert answer.status_code == status
    assert complaint in answer.json()["error"]


def test_no_texts_at_the_root_are_told_as_text_embeddings_inference_does() -> None:
    """An empty list at the root gets the `error_type` of text-embeddings-inference."""
    answer = _post("/", {"query": "q", "texts": []})
    assert answer.status_code == 400
    assert answer.json()["error_type"] == "Empty"


def test_the_root_is_nobody_where_several_models_rank() -> None:
    """At the root, with several rerankers named, the error names them."""
    answer = _post("/", INPUTS, reranker("r/1"), reranker("r/2"))
    assert answer.status_code == 404
    assert "r/1, r/2" in answer.json()["error"]


def _info(*engines: FakeEngine) -> dict[str, object]:
    answer = ask("GET", "/info", engines=engines)
    assert answer.status_code == 200
    found: dict[str, object] = answer.json()
    return found


def test_info_has_every_member_of_text_embeddings_inference() -> None:
    """`/info` has every member of ``Info`` in ``router/src/lib.rs`` there, of the same type."""
    found = _info(FakeEngine("a"), zero_shot_model(), reranker(), token_labeller())
    assert found["model_type"] == {
        "reranker": {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}
    }
    assert found["model_id"] == found["served_model_name"] == "acme/rr"
    for name in ("max_concurrent_requests", "max_input_length", "max_batch_tokens"):
        assert isinstance(found[name], int), name
    for name in ("max_client_batch_size", "tokenization_workers"):
        assert isinstance(found[name], int), name
    assert (found["model_dtype"], found["auto_truncate"]) == ("float32", True)
    for name in ("model_sha", "max_batch_requests", "sha", "docker_label"):
        assert found[name] is None, name
    assert isinstance(found["version"], str)


@pytest.mark.parametrize(
    ("engines", "model_id", "kind"),
    [
        ((FakeEngine("a"),), "a", "classifier"),
        ((reranker("a"),), "a", "reranker"),
        ((token_labeller("a"), zero_shot_model("b"), FakeEngine("c")), "c", "classifier"),
        ((FakeEngine("a"), FakeEngine("b")), "a", "classifier"),
        ((FakeEngine("a"), reranker("b"), reranker("c")), "a", "classifier"),
        ((token_labeller("a"), token_labeller("b")), "a", "classifier"),
    ],
)
def test_info_is_of_the_model_that_needs_no_name(
    engines: tuple[FakeEngine, ...], model_id: str, kind: str
) -> None:
    """`/info` describes the only reranker, else the only classifier, else the first named."""
    found = _info(*engines)
    assert found["model_id"] == model_id
    assert isinstance(found["model_type"], dict)
    assert [*found["model_type"]] == [kind]


def test_ping_is_health() -> None:
    """`GET /ping` answers like `GET /health`."""
    assert ask("GET", "/ping", engines=(FakeEngine(),)).status_code == 200
    assert ask("GET", "/ping", engines=(FakeEngine(state="stalled"),)).status_code == 503


def test_a_model_that_could_be_loaded_never_competes() -> None:
    """An address without a name means the named model, whatever else can be loaded."""
    on_demand = OnDemand(
        Catalogue({"loadable": BundledRef("earmark/sentiment")}), FakeLoader.open()
    )
    models = Registry([FakeEngine("named")], on_demand=on_demand)
    answer = ask("POST", "/predict", json.dumps({"inputs": "a"}), models=models)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-compute-model"] == "named"
