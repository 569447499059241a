"""Entities in events from `earmark serve`, with a real model behind it."""

import json
from pathlib import Path

import httpx
from e2e.processes import PATIENCE_S, running_server
from support.checkpoints import CheckpointSpec, write_checkpoint

TEXT = "the good film of New York and a walk in Paris, " * 40
"""Far more than the tiny model reads at once."""


def test_a_long_text_streams_what_a_plain_request_answers(tmp_path: Path) -> None:
    """Window by window through queue, thread and runtime: every entity, in order, then the end."""
    spec = CheckpointSpec(
        head="token", num_labels=5, label_names=("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    )
    tagger = str(write_checkpoint(tmp_path / "tagger", spec))
    body = {"inputs": TEXT, "parameters": {"stride": 8, "ignore_labels": []}}
    with running_server("--model", tagger, folder=tmp_path) as server:
        plain = httpx.post(server.address, json=body, timeout=PATIENCE_S).json()
        with httpx.stream(
            "POST", server.address, json={**body, "stream": True}, timeout=PATIENCE_S
        ) as answer:
            assert answer.headers["content-type"] == "text/event-stream"
            lines = [line for line in answer.iter_lines() if line]
        assert server.stop() == 0
    *events, done = lines
    assert done == "data: [DONE]"
    told = [json.loads(line.removeprefix("data:")) for line in events]
    # Scores may differ in their last digit: batches are packed as they come.
    assert [_without_score(one) for one in told] == [_without_score(one) for one in plain]
    assert len(told) > 10
    logged = [one for one in server.events if one.get("event") == "request"]
    assert [(one["status"], one["texts"]) for one in logged] == [(200, 1), (200, 1)]


def _without_score(item: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in item.items() if name != "score"}
