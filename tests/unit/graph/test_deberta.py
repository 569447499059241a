"""DeBERTa's distances, and configs that do not fit its tables."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.checkpoint_sessions import open_checkpoint
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.deberta_spec import DebertaSpec

from earmark.errors import InvalidCheckpoint, UnsupportedCheckpoint
from earmark.graph.architectures.deberta_v2 import log_buckets

V3 = CheckpointSpec(architecture="deberta-v2")


def test_buckets_of_the_published_models_are_those_of_the_reference() -> None:
    """256 buckets for distances below 512: what `make_log_bucket_position` gives."""
    distances = [0, 1, -127, 128, 129, -130, 131, 132, 200, 256, -300, 400, 510, 511, -511]
    expected = [0, 1, -127, 128, 129, -130, 131, 131, 169, 192, -207, 233, 255, 255, -255]
    assert log_buckets(np.asarray(distances), 256, 512).tolist() == expected


def test_few_buckets_are_those_of_the_reference() -> None:
    """With few buckets the distances fall into the reference's buckets."""
    expected = [0, 1, 2, 3, 4, 5, 6, 6, 7, 7, 7, 7, 8]
    assert log_buckets(np.arange(13), 8, 12).tolist() == expected
    assert log_buckets(-np.arange(13), 8, 12).tolist() == [-bucket for bucket in expected]


@pytest.mark.parametrize(
    ("deberta", "complaint"),
    [
        (DebertaSpec(buckets=1), '"position_buckets" 1 does not divide distances of up to 48'),
        (DebertaSpec(buckets=20, longest=11), "20 does not divide distances of up to 11"),
        (DebertaSpec(convolution=2), "a convolution over 2 tokens"),
        (DebertaSpec(convolution=3, groups=5), "in 5 groups of 32 channels"),
    ],
)
def test_what_the_reference_cannot_run_is_refused(
    deberta: DebertaSpec, complaint: str, tmp_path: Path
) -> None:
    """A config that fails in the reference is refused."""
    write_checkpoint(tmp_path, replace(V3, deberta=deberta))
    with pytest.raises(InvalidCheckpoint, match=complaint):
        open_checkpoint(tmp_path, runtime="onnxruntime")


def test_heads_that_are_mixed_are_not_supported(tmp_path: Path) -> None:
    """Talking heads, which no published checkpoint has, are refused."""
    path = write_checkpoint(tmp_path, CheckpointSpec(architecture="deberta")) / "config.json"
    fields = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(fields | {"talking_head": True}), encoding="utf-8")
    with pytest.raises(UnsupportedCheckpoint, match='"talking_head" is true'):
        open_checkpoint(tmp_path, runtime="onnxruntime")
