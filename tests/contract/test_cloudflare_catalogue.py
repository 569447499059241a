"""The lists of models, as SDKs and wrangler read them."""

import pytest
from support.fake_engine import FakeEngine, reranker, token_labeller, zero_shot_model
from support.http_app import ask
from support.workers_ai import AI, CLASSIFIER, RERANKER, workers_ai


def names(query: str, *engines: FakeEngine) -> list[str]:
    """Search, and return the names found."""
    answer = ask("GET", f"{AI}/models/search?{query}", engines=engines or workers_ai())
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()["result"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [CLASSIFIER, RERANKER]),
        ("task=Text+Classification", [CLASSIFIER, RERANKER]),
        ("task=Text%20Classification&search=RERANK", [RERANKER]),
        ("task=Text+Generation", []),
        ("search=distilbert", [CLASSIFIER, RERANKER]),
        ("search=sst", [CLASSIFIER]),
        ("author=baai", [RERANKER]),
        ("author=nobody", []),
        (
            "hide_experimental=true&include_deprecated=true&source=1&format=x",
            [CLASSIFIER, RERANKER],
        ),
        ("per_page=1", [CLASSIFIER]),
        ("per_page=1&page=2", [RERANKER]),
        ("page=9", []),
    ],
)
def test_a_search_narrows_the_list(query: str, found: list[str]) -> None:
    """Author, words and task narrow the list; other parameters do not."""
    assert names(query) == found


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=x", "per_page=101", "page=99999999999"]
)
def test_a_page_that_is_none_is_refused(query: str) -> None:
    """A page number that is out of range is an error that names the range."""
    answer = ask("GET", f"{AI}/models/search?{query}", engines=workers_ai())
    assert answer.status_code == 400
    assert "expected a number from 1 to" in answer.json()["errors"][0]["message"]
    assert answer.json()["result"] is None


def test_a_model_is_listed_with_what_clients_need() -> None:
    """A model is listed with the members that clients need, and with its real properties."""
    answer = ask("GET", f"{AI}/models/search", engines=(FakeEngine("me/mine"),)).json()
    ((model),) = answer["result"]
    assert model["id"].count("-") == 4
    assert model["task"]["id"] == "19606750-23ed-4371-aab2-c20349b53a60"
    facts = {each["property_id"]: each["value"] for each in model["properties"]}
    assert facts == {
        "runs": "me/mine",
        "labels": ["NEGATIVE", "POSITIVE"],
        "state": "ready",
        "precision": "float32",
        "max_input_tokens": "16",
    }
    assert answer["result_info"] == {"count": 1, "page": 1, "per_page": 50, "total_count": 1}


def test_a_model_for_another_task_has_no_place() -> None:
    """A model that labels tokens is not listed."""
    assert names("", token_labeller("ner"), zero_shot_model("nli"), FakeEngine("mine")) == ["mine"]


@pytest.mark.parametrize(
    ("name", "required", "output"),
    [(CLASSIFIER, ["text"], "array"), (RERANKER, ["query", "contexts"], "object")],
)
def test_a_schema_is_that_of_the_models_kind(name: str, required: list[str], output: str) -> None:
    """A schema is that of the model's kind, without references."""
    query = name.replace("@", "%40").replace("/", "%2F")
    answer = ask("GET", f"{AI}/models/schema?model={query}", engines=workers_ai())
    found = answer.json()["result"]
    assert found["input"]["required"] == required
    assert (found["output"]["type"], found["output"]["contentType"]) == (output, "application/json")
    assert "$ref" not in answer.text


def test_the_schema_of_an_unknown_model_is_refused() -> None:
    """The schema of an unknown model is error 5007, like a run."""
    answer = ask("GET", f"{AI}/models/schema?model=nobody", engines=workers_ai())
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == 5007


def test_tasks_authors_and_finetunes_are_lists() -> None:
    """There is one task, each author once, and no finetune."""
    engines = (*workers_ai(), reranker("@cf/baai/another"), FakeEngine("alone"))
    found = {
        each: ask("GET", f"{AI}/{each}", engines=engines).json()["result"]
        for each in ("tasks/search", "authors/search", "finetunes", "finetunes/public?limit=2")
    }
    assert [task["name"] for task in found["tasks/search"]] == ["Text Classification"]
    assert [author["name"] for author in found["authors/search"]] == ["huggingface", "baai"]
    assert found["finetunes"] == found["finetunes/public?limit=2"] == []
