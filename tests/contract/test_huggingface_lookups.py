"""What clients look up about models."""

import pytest
from support.fake_engine import FakeEngine, token_labeller, zero_shot_model
from support.http_app import ask

_THREE = (FakeEngine("org/text"), zero_shot_model("org/zero-shot"), token_labeller("ner"))


@pytest.mark.parametrize("path", ["/status/org/text", "/status/org%2Ftext", "/status/org/text/"])
def test_a_models_status_has_the_four_keys_that_clients_read(path: str) -> None:
    """The status has the four keys that `get_model_status` needs."""
    answer = ask("GET", path, engines=_THREE)
    assert answer.status_code == 200
    assert answer.json() == {
        "loaded": True,
        "state": "Loaded",
        "compute_type": {"cpu": {"precision": "float32"}},
        "framework": "transformers",
    }


def test_a_model_that_cannot_answer_is_not_loaded() -> None:
    """The status of a failing model has an error as its state, and is no error itself."""
    answer = ask("GET", "/status/acme/tc", engines=(FakeEngine(state="stalled"),))
    assert answer.status_code == 200
    assert (answer.json()["loaded"], answer.json()["state"]) == (False, "error")


def test_the_models_of_a_framework_are_listed_with_their_tasks() -> None:
    """A framework's models are listed with their tasks, in the order in which they are served."""
    assert ask("GET", "/framework/transformers", engines=_THREE).json() == [
        {"model_id": "org/text", "task": "text-classification"},
        {"model_id": "org/zero-shot", "task": "zero-shot-classification"},
        {"model_id": "ner", "task": "token-classification"},
    ]


@pytest.mark.parametrize("name", ["diffusers", "sentence-transformers", "nobody-knows"])
def test_a_framework_that_is_not_there_is_an_empty_list(name: str) -> None:
    """An unknown framework is an empty list, so that `list_deployed_models` does not fail."""
    answer = ask("GET", f"/framework/{name}", engines=_THREE)
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize(
    "query",
    ["", "?expand=inferenceProviderMapping", "?expand[]=inferenceProviderMapping"],
    ids=["plain", "python", "javascript"],
)
@pytest.mark.parametrize(
    ("model_id", "task"),
    [
        ("org/text", "text-classification"),
        ("org/zero-shot", "zero-shot-classification"),
        ("ner", "token-classification"),
    ],
)
def test_the_hubs_page_of_a_model_has_what_clients_of_all_ages_read(
    model_id: str, task: str, query: str
) -> None:
    """The model's page has `pipeline_tag`, and what 0.23 needs: private, downloads and likes."""
    assert ask("GET", f"/api/models/{model_id}{query}", engines=_THREE).json() == {
        "_id": model_id,
        "id": model_id,
        "modelId": model_id,
        "private": False,
        "downloads": 0,
        "likes": 0,
        "pipeline_tag": task,
        "tags": [task],
        "inferenceProviderMapping": {
            "hf-inference": {"status": "live", "providerId": model_id, "task": task}
        },
    }


def test_the_hubs_page_of_tasks_recommends_what_is_served() -> None:
    """Each task lists the served models for Python and JavaScript; others are left out."""
    engines = (FakeEngine("a"), FakeEngine("b"), token_labeller("ner"))
    assert ask("GET", "/api/tasks", engines=engines).json() == {
        "text-classification": {
            "models": [{"id": "a"}, {"id": "b"}],
            "widgetModels": ["a", "b"],
        },
        "token-classification": {"models": [{"id": "ner"}], "widgetModels": ["ner"]},
    }


def test_the_models_are_listed() -> None:
    """`GET /models` lists each model with task, labels and state."""
    engines = (FakeEngine("a"), token_labeller("ner"), FakeEngine("ill", state="stalled"))
    listed = ask("GET", "/models", engines=engines).json()
    assert listed[1] == {
        "model_id": "ner",
        "pipeline_tag": "token-classification",
        "labels": ["O", "B-PER", "I-PER"],
        "status": "ready",
        "aliases": [],
    }
    assert [(each["model_id"], each["status"]) for each in listed] == [
        ("a", "ready"),
        ("ner", "ready"),
        ("ill", "stalled"),
    ]
