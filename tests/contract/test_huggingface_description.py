"""Health is true, and a model's facts have the members that clients look for."""

import os

import pytest
from support.fake_engine import FakeEngine, token_labeller, zero_shot_model
from support.http_app import ask

from earmark.engine.info import EngineState


@pytest.mark.parametrize("path", ["/health", "/models/acme/tc/health", "/models/acme%2Ftc/health"])
def test_a_ready_model_is_healthy(path: str) -> None:
    """The health of a ready model is 200."""
    answer = ask("GET", path, engines=(FakeEngine(),))
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "models": {"acme/tc": "ready"}}


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("stalled", "model acme/tc is stalled: the run in progress has taken 75 s"),
        ("closed", "model acme/tc is closed"),
    ],
)
def test_a_model_that_cannot_answer_is_not(state: EngineState, text: str) -> None:
    """The health of a model that cannot answer is 503 with the reason."""
    answer = ask("GET", "/models/acme/tc/health", engines=(FakeEngine(state=state),))
    assert answer.status_code == 503
    assert answer.json() == {"status": state, "models": {"acme/tc": state}, "error": text}


def test_the_server_is_as_healthy_as_its_sickest_model() -> None:
    """The server's health is 503 if any model's is; each model has its own."""
    engines = (FakeEngine("well"), FakeEngine("ill", state="stalled"))
    assert ask("GET", "/models/well/health", engines=engines).status_code == 200
    assert ask("GET", "/models/ill/health", engines=engines).status_code == 503
    answer = ask("GET", "/health", engines=engines)
    assert answer.status_code == 503
    assert answer.json()["models"] == {"well": "ready", "ill": "stalled"}


@pytest.mark.parametrize("path", ["/info", "/models/acme/tc/info"])
def test_a_models_facts_are_told(path: str) -> None:
    """The facts have the precision, the longest text and what is done with longer ones."""
    facts = ask("GET", path, engines=(FakeEngine(),)).json()
    assert "x-truncated-tokens" in facts.pop("truncation")
    assert facts.pop("version")
    assert facts == {
        "model_id": "acme/tc",
        "served_model_name": "acme/tc",
        "model_type": {
            "classifier": {
                "id2label": {"0": "NEGATIVE", "1": "POSITIVE"},
                "label2id": {"NEGATIVE": 0, "POSITIVE": 1},
            }
        },
        "model_dtype": "float32",
        "max_concurrent_requests": 1024,
        "max_batch_requests": None,
        "tokenization_workers": os.cpu_count(),
        "auto_truncate": True,
        "sha": None,
        "docker_label": None,
        "aliases": [],
        "model_sha": None,
        "task": "text-classification",
        "pipeline_tag": "text-classification",
        "tasks": ["text-classification", "zero-shot-classification"],
        "architecture": "distilbert",
        "labels": ["NEGATIVE", "POSITIVE"],
        "problem_type": None,
        "parameters": 66_955_010,
        "precision": "float32",
        "requested_precision": "auto",
        "stored_precision": "float32",
        "compute_note": "",
        "certificate": {
            "precision": "float32",
            "runtime": "fake 1.0",
            "device": "a processor",
            "reference": "a reference",
            "texts": 2,
            "answers": 2,
            "greatest_difference": 0.0005,
            "mean_difference": 0.0003,
            "disagreements": 0,
            "close_calls": 1,
            "tolerance": 0.001,
            "holds": True,
        },
        "passed_over": [],
        "runtime": "fake 1.0",
        "device": "a processor",
        "max_input_length": 16,
        "max_batch_tokens": 1024,
        "max_client_batch_size": 1024,
        "load_s": 0.5,
        "queue": {
            "state": "ready",
            "waiting_texts": 0,
            "waiting_tokens": 0,
            "running_s": 0.0,
            "totals": {
                "batches": 0,
                "texts": 0,
                "tokens": 0,
                "cells": 0,
                "failed_runs": 0,
                "run_s": 0.0,
            },
        },
        "cache": {
            "hits": 0,
            "joined": 0,
            "misses": 0,
            "hit_rate": 0.0,
            "entries": 0,
            "bytes": 0,
            "limit_bytes": 64 * 1024 * 1024,
        },
    }


@pytest.mark.parametrize(
    "path", ["/", "/info", "/health", "/models/acme/tc", "/models/acme/tc/info"]
)
def test_where_the_files_lie_is_nobodys_business(path: str) -> None:
    """No answer contains the folder that the model was loaded from."""
    engine = FakeEngine()
    assert engine.info.source not in ask("GET", path, engines=(engine,)).text


def test_the_root_lists_what_is_served_and_how_to_ask() -> None:
    """The root lists the models in the order given, and the addresses."""
    answer = ask("GET", "/", engines=(FakeEngine("org/b"), FakeEngine("a"))).json()
    assert [model["model_id"] for model in answer["models"]] == ["org/b", "a"]
    assert "POST /models/{id}" in answer["addresses"]
    assert answer["server"] == "earmark"


@pytest.mark.parametrize(
    ("engine", "text"),
    [
        (FakeEngine(), "of a pair the longer half first"),
        (zero_shot_model(), "the hypothesis never"),
        (token_labeller(), '"stride"'),
    ],
    ids=["text", "zero-shot", "tokens"],
)
def test_info_says_what_becomes_of_a_long_text(engine: FakeEngine, text: str) -> None:
    """The info of each task has its own rule for a long text, and names the headers."""
    facts = ask("GET", "/info", engines=(engine,)).json()
    assert text in facts["truncation"]
    assert "x-truncated-tokens" in facts["truncation"]


@pytest.mark.parametrize(
    ("engine", "tasks"),
    [
        (zero_shot_model(), ["zero-shot-classification", "text-classification"]),
        (token_labeller(), ["token-classification"]),
    ],
    ids=["zero-shot", "tokens"],
)
def test_info_lists_what_a_model_can_do(engine: FakeEngine, tasks: list[str]) -> None:
    """The info lists the model's tasks; the first is its pipeline tag."""
    facts = ask("GET", "/info", engines=(engine,)).json()
    assert facts["tasks"] == tasks
    assert facts["task"] == facts["pipeline_tag"] == tasks[0]


def test_a_models_own_address_says_what_it_is_for() -> None:
    """`GET` of a model's address answers its task, in short."""
    assert ask("GET", "/models/acme/tc", engines=(FakeEngine(),)).json() == {
        "model_id": "acme/tc",
        "pipeline_tag": "text-classification",
        "labels": ["NEGATIVE", "POSITIVE"],
        "status": "ready",
        "aliases": [],
    }


def test_a_model_may_be_called_info() -> None:
    """A model with `info` in its id is found: the longest served id wins over the action."""
    engines = (FakeEngine("foo"), FakeEngine("foo/info"))
    assert ask("GET", "/models/foo/info", engines=engines).json()["model_id"] == "foo/info"
    facts = ask("GET", "/models/foo/info/info", engines=engines).json()
    assert (facts["model_id"], facts["max_input_length"]) == ("foo/info", 16)


def test_head_answers_like_get_without_a_body() -> None:
    """HEAD has the status and headers of GET and no body."""
    answer = ask("HEAD", "/health", engines=(FakeEngine(),))
    assert answer.status_code == 200
