"""MPNet's distances, and configs that do not fit its tables."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.checkpoint_sessions import open_checkpoint
from support.checkpoints import CheckpointSpec, write_checkpoint

from earmark.checkpoint.config import read_config
from earmark.errors import InvalidCheckpoint
from earmark.graph.architectures.mpnet import MPNET, distance_buckets

SPEC = CheckpointSpec(architecture="mpnet")


def test_buckets_are_those_of_the_reference() -> None:
    """What `relative_position_bucket` gives: each side apart, far ones together."""
    distances = [0, 1, -7, 8, -8, 11, 12, 15, 16, -31, 32, 63, 64, -90, 91, 127, 128, -500]
    expected = [0, 17, 7, 24, 8, 24, 25, 25, 26, 11, 28, 29, 30, 14, 31, 31, 31, 15]
    assert distance_buckets(np.asarray(distances)).tolist() == expected


def test_two_rows_of_the_position_table_are_no_places(tmp_path: Path) -> None:
    """514 rows of positions hold 512 tokens, and two rows hold none."""
    config = read_config(write_checkpoint(tmp_path, SPEC) / "config.json")
    assert MPNET.positions(config) == SPEC.max_positions - 2
    write_checkpoint(tmp_path, replace(SPEC, max_positions=2))
    with pytest.raises(InvalidCheckpoint, match='"max_position_embeddings" is 2, but positions'):
        MPNET.positions(read_config(tmp_path / "config.json"))


def test_fewer_buckets_than_distances_fall_into_are_refused(tmp_path: Path) -> None:
    """A table with fewer buckets than the distances need is refused."""
    path = write_checkpoint(tmp_path, SPEC) / "config.json"
    fields = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(fields | {"relative_attention_num_buckets": 16}), encoding="utf-8")
    with pytest.raises(InvalidCheckpoint, match='"relative_attention_num_buckets" is 16, but'):
        open_checkpoint(tmp_path, runtime="onnxruntime")
