"""Whether the model computes with a tensor that the graph did not read."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from support.checkpoint_sessions import open_checkpoint
from support.checkpoints import CheckpointSpec, write_checkpoint

from earmark.checkpoint.weights.leftovers import computing
from earmark.errors import UnsupportedCheckpoint

READ = (
    "embeddings.word_embeddings.weight",
    "embeddings.LayerNorm.weight",
    "encoder.layer.0.attention.self.query.weight",
    "encoder.layer.0.output.LayerNorm.weight",
    "encoder.layer.1.attention.self.query.weight",
    "classifier.weight",
    "head.dense.weight",
)

COMPUTES = (
    "encoder.layer.0.attention.self.distance_embedding.weight",
    "encoder.layer.1.attention.self.query.weight_zero_point",
    "encoder.layer.1.attention.self.query.weight_g_idx",
    "encoder.layer.0.attention.self.query.lora_A.default.weight",
    "encoder.layer.0.attention.self.query.bias",
    "encoder.layer.1.output.adapters.one.adapter_down.0.weight",
    "encoder.layer.0.output.LayerNormBefore.weight",
    "encoder.layer_norm.weight",
    "encoder.conv.conv.weight",
    "embeddings.token_type_embeddings.weight",
    "classifier.1.weight",
    "classifier.hidden.weight",
    "head.norm.weight",
    "pre_classifier.weight",
    "classifier_2.weight",
    "classifier2.weight",
    "dense.weight",
    "fc1.weight",
    "crf.transitions",
    "prompt_encoder.embedding.weight",
)
DOES_NOT = (
    "encoder.layer.2.attention.self.query.weight",
    "encoder.layer.11.attention.self.distance_embedding.weight",
    "pooler.dense.weight",
    "cls.predictions.transform.dense.weight",
    "cls.seq_relationship.weight",
    "lm_head.decoder.weight",
    "lm_predictions.lm_head.dense.weight",
    "mask_predictions.classifier.weight",
    "discriminator_predictions.dense.weight",
    "generator_predictions.dense.weight",
    "predictions.dense.weight",
    "sop_classifier.classifier.weight",
    "token_classifier.weight",
    "qa_outputs.weight",
    "vocab_transform.weight",
    "vocab_layer_norm.weight",
    "decoder.weight",
    "final_logits_bias",
    "loss_fct.weight",
)


@pytest.mark.parametrize("name", COMPUTES)
def test_a_tensor_inside_what_the_graph_has_is_computed_with(name: str) -> None:
    """An unread tensor inside a layer, the head or the encoder counts as computed with."""
    assert computing(READ, [name], []) == (name,)


@pytest.mark.parametrize("name", DOES_NOT)
def test_layers_beyond_the_last_and_heads_of_other_tasks_are_not(name: str) -> None:
    """Unread layers beyond the last, and heads of other tasks, do not count as computed with."""
    assert computing(READ, [name], []) == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("embeddings_project.weight", True),
        ("invertible_adapters.one.F.weight", True),
        ("pooler.dense.weight", False),
        ("lm_head.dense.weight", False),
    ],
)
def test_a_module_of_the_base_model_is_computed_with_unless_it_is_a_head(
    name: str,
    expected: bool,  # noqa: FBT001 - a row of the table above
) -> None:
    """An unread module with the base model's prefix counts so too, unless it is a head."""
    assert bool(computing(READ, [name], [name])) == expected


def test_a_list_in_the_head_is_no_list_of_layers() -> None:
    """Where the graph reads the first of them, it still misses the second."""
    assert computing(("classifier.weight",), ["classifier.2.weight"], []) != ()


@pytest.mark.parametrize(
    "extra",
    [
        "bert.encoder.layer.0.attention.self.distance_embedding.weight",
        "bert.encoder.layer.1.intermediate.dense.lora_B.weight",
        "classifier.out_proj.weight",
    ],
)
def test_such_a_checkpoint_is_refused_by_the_names_of_its_tensors(
    tmp_path: Path, extra: str
) -> None:
    """A checkpoint with an unread tensor that is computed with is refused by its name."""
    path = write_checkpoint(tmp_path, CheckpointSpec()) / "model.safetensors"
    save_file({**load_file(path), extra: np.ones((3, 4), np.float32)}, path)
    with pytest.raises(UnsupportedCheckpoint, match=extra.removeprefix("bert.")):
        open_checkpoint(tmp_path, runtime="onnxruntime")


@pytest.mark.parametrize(
    "extra", ["cls.predictions.bias", "bert.encoder.layer.2.output.dense.bias", "lm_head.bias"]
)
def test_other_tensors_keep_nobody_from_loading(tmp_path: Path, extra: str) -> None:
    """A checkpoint with other unread tensors is loaded."""
    path = write_checkpoint(tmp_path, CheckpointSpec()) / "model.safetensors"
    save_file({**load_file(path), extra: np.ones(4, np.float32)}, path)
    open_checkpoint(tmp_path, runtime="onnxruntime").session.close()
