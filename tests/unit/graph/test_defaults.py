"""What a config leaves out has the value that `transformers` gives it (configuration_NAME.py)."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.checkpoint_sessions import open_checkpoint
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.deberta_spec import DebertaSpec

from earmark.domain.encoding import Encoding

DEBERTA = DebertaSpec(buckets=-1, longest=-1, shared=False, normed=False, placed=True, types=0)
DEBERTA_FIELDS = (
    "hidden_act",
    "layer_norm_eps",
    "max_relative_positions",
    "norm_rel_ebd",
    "pooler_hidden_act",
    "position_biased_input",
    "position_buckets",
    "share_att_key",
    "type_vocab_size",
)
ALBERT = CheckpointSpec(architecture="albert", embedding=128, hidden_act="gelu_new")
ALBERT_FIELDS = (
    "embedding_size",
    "hidden_act",
    "inner_group_num",
    "layer_norm_eps",
    "num_hidden_groups",
    "type_vocab_size",
)
TEXT = Encoding(tuple(range(2, 42)), (0,) * 20 + (1,) * 20)


@pytest.mark.parametrize(
    ("spec", "left_out"),
    [
        (ALBERT, ALBERT_FIELDS),
        (CheckpointSpec(architecture="mpnet"), ("hidden_act", "layer_norm_eps", "pad_token_id")),
        (
            CheckpointSpec(architecture="deberta", layer_norm_eps=1e-7, deberta=DEBERTA),
            DEBERTA_FIELDS,
        ),
        (
            CheckpointSpec(architecture="deberta-v2", layer_norm_eps=1e-7, deberta=DEBERTA),
            DEBERTA_FIELDS,
        ),
        (
            CheckpointSpec(architecture="deberta-v2", deberta=DebertaSpec(relative=False)),
            ("relative_attention",),
        ),
    ],
    ids=["albert", "mpnet", "deberta", "deberta-v2", "deberta-v2, no distances"],
)
def test_a_field_left_out_is_as_good_as_its_default(
    spec: CheckpointSpec, left_out: tuple[str, ...], tmp_path: Path
) -> None:
    """The same answers, to the last bit, with the defaults stated and without."""
    path = write_checkpoint(tmp_path, spec) / "config.json"
    stated = open_checkpoint(tmp_path, runtime="onnxruntime").logits([TEXT])
    fields = json.loads(path.read_text(encoding="utf-8"))
    kept = {name: value for name, value in fields.items() if name not in left_out}
    assert len(kept) == len(fields) - len(left_out)
    path.write_text(json.dumps(kept), encoding="utf-8")
    silent = open_checkpoint(tmp_path, runtime="onnxruntime").logits([TEXT])
    np.testing.assert_array_equal(silent, stated)
