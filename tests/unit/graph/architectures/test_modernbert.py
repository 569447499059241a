"""Configs of ModernBERT that no graph is written for."""

import json
from pathlib import Path

import pytest
from support.checkpoint_sessions import open_checkpoint
from support.checkpoints import CheckpointSpec, write_checkpoint

from earmark.errors import CheckpointError, InvalidCheckpoint, UnsupportedCheckpoint

SCALED = {"rope_type": "yarn", "factor": 4.0}


@pytest.mark.parametrize(
    ("changes", "kind", "complaint"),
    [
        ({"layer_types": ["full_attention"]}, InvalidCheckpoint, "expected 2 times full_attention"),
        (
            {"layer_types": ["full_attention", "chunked_attention"]},
            InvalidCheckpoint,
            "'chunked_attention'.*or sliding_attention",
        ),
        ({"rope_scaling": SCALED}, UnsupportedCheckpoint, r"scaled \(rope_type is 'yarn'"),
        (
            {"rope_parameters": {"sliding_attention": SCALED}},
            UnsupportedCheckpoint,
            r"scaled \(rope_type is 'yarn'.*supported is rope_type 'default'",
        ),
        (
            {"classifier_pooling": "max"},
            UnsupportedCheckpoint,
            'is "max" .* supported: "cls", "mean"',
        ),
        ({"num_attention_heads": 32}, InvalidCheckpoint, "heads are 1 wide, expected an even"),
        ({"norm_bias": True}, InvalidCheckpoint, r"no tensor embeddings\.norm\.bias"),
    ],
)
def test_what_no_graph_is_written_for_is_named(
    tmp_path: Path, changes: dict[str, object], kind: type[CheckpointError], complaint: str
) -> None:
    """The error names what was found and expected in the config."""
    path = write_checkpoint(tmp_path, CheckpointSpec(architecture="modernbert")) / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(kind, match=complaint):
        open_checkpoint(tmp_path, runtime="openvino")
