"""Every field of a config is obeyed, changes nothing, or is refused by its name."""

import json
from pathlib import Path

import pytest
from golden.config_fields import read_config_fields
from support.checkpoint_sessions import open_checkpoint
from support.checkpoint_spec import Architecture
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.config_fields_doc import DOC, config_fields_doc

from earmark.checkpoint.config import Config, read_config
from earmark.errors import InvalidCheckpoint, UnsupportedCheckpoint
from earmark.graph.architectures.registry import ARCHITECTURES
from earmark.graph.export import check_config

REFERENCE = read_config_fields()


@pytest.mark.parametrize("release", REFERENCE)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_no_field_that_transformers_reads_is_left_out(name: str, release: str) -> None:
    """The tables have every field of the config classes and of their code, in both releases."""
    assert set(REFERENCE[release][name]) <= set(ARCHITECTURES[name].fields)


def test_the_document_is_written_from_the_tables() -> None:
    """The document equals what `make config-fields` writes from the tables."""
    page = DOC.read_text("utf-8")
    assert config_fields_doc(page) == page


def _checked(folder: Path, architecture: Architecture, **fields: object) -> Config:
    path = write_checkpoint(folder, CheckpointSpec(architecture=architecture)) / "config.json"
    stated = json.loads(path.read_text(encoding="utf-8")) | fields
    path.write_text(json.dumps(stated), encoding="utf-8")
    config = read_config(path)
    check_config(config, ARCHITECTURES[architecture])
    return config


REFUSED: list[tuple[Architecture, str, object]] = [
    ("bert", "is_decoder", True),
    ("roberta", "add_cross_attention", True),
    ("electra", "is_causal", True),
    ("bert", "position_embedding_type", "alibi"),
    ("camembert", "position_embedding_type", "rotary"),
    ("distilbert", "position_embedding_type", "relative_key"),
    ("mpnet", "position_embedding_type", "relative_key_query"),
    ("bert", "alibi_starting_size", 512),
    ("bert", "feed_forward_type", "geglu"),
    ("bert", "directionality", "uni"),
    ("xlm-roberta", "normalize_before", True),
    ("bart", "normalize_before", True),
    ("bart", "normalize_embedding", False),
    ("bart", "add_final_layer_norm", True),
    ("bart", "extra_pos_embeddings", 0),
    ("bart", "static_position_embeddings", True),
    ("bart", "hidden_size", 64),
    ("distilbert", "hidden_size", 64),
    ("distilbert", "num_hidden_layers", 3),
    ("bert", "pruned_heads", {"0": [1]}),
    ("albert", "hidden_act", "prelu"),
    ("modernbert", "hidden_activation", "xielu"),
    ("modernbert", "classifier_activation", "no such"),
    ("modernbert", "classifier_pooling", "max"),
    ("modernbert", "head_dim", 8),
    ("modernbert", "sliding_window", 128),
    ("modernbert", "rope_theta", 3.0),
    ("deberta", "talking_head", True),
    ("deberta", "conv_kernel_size", 3),
    ("deberta", "pos_att_type", "c2p|p2p"),
    ("deberta-v2", "pos_att_type", ["p2p"]),
    ("deberta-v2", "norm_rel_ebd", "rms_norm"),
    ("deberta-v2", "pooler_hidden_size", 16),
    ("deberta-v2", "attention_head_size", 8),
    ("deberta-v2", "conv_act", "prelu"),
]


@pytest.mark.parametrize(("architecture", "field", "value"), REFUSED)
def test_what_no_graph_computes_is_refused_by_name(
    tmp_path: Path, architecture: Architecture, field: str, value: object
) -> None:
    """The error names the field, what was found and supported, and what would help."""
    with pytest.raises(UnsupportedCheckpoint) as refusal:
        _checked(tmp_path, architecture, **{field: value})
    message = str(refusal.value)
    assert f'"{field}" is {json.dumps(value)} (' in message
    assert "supported: " in message
    assert "onnx/model.onnx" in message


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("rope_scaling", {"rope_type": "linear", "factor": 2.0}, "rope_type is 'linear'"),
        ("rope_scaling", {"type": "dynamic", "factor": 2.0}, "type is 'dynamic'"),
        ("rope_scaling", {"rope_theta": 5.0}, "rope_theta is 5.0"),
        ("rope_parameters", {"full_attention": {"rope_type": "yarn"}}, "rope_type is 'yarn'"),
        (
            "rope_parameters",
            {"sliding_attention": {"partial_rotary_factor": 0.5}},
            "partial_rotary_factor is 0.5",
        ),
        ("rope_parameters", {"rope_theta": 10.0}, "rope_theta is 10.0"),
    ],
)
def test_rotary_angles_that_are_scaled_are_refused(
    tmp_path: Path, field: str, value: object, named: str
) -> None:
    """Scaled rotary angles are refused before any weight is read."""
    with pytest.raises(UnsupportedCheckpoint, match=named):
        _checked(tmp_path, "modernbert", **{field: value})


ALLOWED: list[tuple[Architecture, str, object]] = [
    ("bert", "is_decoder", False),
    ("bert", "is_decoder", None),
    ("bert", "position_embedding_type", "absolute"),
    ("bert", "position_embedding_type", None),
    ("bert", "chunk_size_feed_forward", 2),
    ("bert", "directionality", "bidi"),
    ("bert", "pooler_type", "first_token_transform"),
    ("bert", "pruned_heads", {}),
    ("bert", "classifier_dropout", 0.5),
    ("bert", "use_cache", False),
    ("bert", "hidden_act", "gelu_python"),
    ("bert", "some_field_of_a_trainer", {"a": 1}),
    ("modernbert", "position_embedding_type", "absolute"),
    ("modernbert", "position_embedding_type", "sans_pos"),
    ("modernbert", "rope_scaling", None),
    ("modernbert", "layer_norm_eps", 1e-5),
    ("bart", "normalize_before", False),
    ("bart", "num_hidden_layers", 7),
    ("distilbert", "hidden_size", 32),
    ("distilbert", "sinusoidal_pos_embds", True),
    ("deberta-v2", "pos_att_type", "P2C|c2p"),
    ("deberta-v2", "attention_head_size", 16),
    ("deberta", "position_buckets", 256),
]


@pytest.mark.parametrize(("architecture", "field", "value"), ALLOWED)
def test_what_the_graph_computes_anyway_is_no_reason(
    tmp_path: Path, architecture: Architecture, field: str, value: object
) -> None:
    """Values that the graph computes anyway, and unread fields, are accepted."""
    _checked(tmp_path, architecture, **{field: value})


def test_a_refused_config_is_refused_when_its_graph_is_written(tmp_path: Path) -> None:
    """Writing the graph of a refused config raises the same error."""
    with pytest.raises(UnsupportedCheckpoint, match="is_decoder"):
        _checked(tmp_path, "bert", is_decoder=True)
    with pytest.raises(UnsupportedCheckpoint, match="is_decoder"):
        open_checkpoint(tmp_path, runtime="onnxruntime")


def test_words_that_are_none_are_malformed(tmp_path: Path) -> None:
    """A field of a wrong type is a malformed file, not an unsupported one."""
    with pytest.raises(InvalidCheckpoint, match="pos_att_type"):
        _checked(tmp_path, "deberta", pos_att_type=3)


@pytest.mark.parametrize("key", ["quantization_config", "compression_config"])
@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"quant_method": "gptq", "bits": 8}, "by GPTQ"),
        ({"quant_method": "awq", "bits": 4}, "by AWQ"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "by bitsandbytes"),
        ({"load_in_4bit": True}, "by bitsandbytes"),
        ({"quant_method": "fp8"}, "by FP8"),
        ({"quant_method": "eetq"}, "by EETQ"),
        ({"quant_method": "hqq"}, "by HQQ"),
        ({"quant_method": "something_new"}, "by something_new"),
    ],
)
def test_other_methods_of_quantisation_are_refused_by_name(
    tmp_path: Path, key: str, section: dict[str, object], named: str
) -> None:
    """The error names the method of quantisation, what is supported and what to use instead."""
    with pytest.raises(UnsupportedCheckpoint, match=f'"{key}".*{named}.*compressed-tensors'):
        _checked(tmp_path, "bert", **{key: section})


def _scheme(weights: object, **more: object) -> dict[str, object]:
    group: dict[str, object] = {"targets": ["Linear"], "weights": weights}
    kept = {key: value for key, value in more.items() if key not in GROUP}
    group |= {key: value for key, value in more.items() if key in GROUP}
    return {
        "quant_method": "compressed-tensors",
        "format": "int-quantized",
        "config_groups": {"group_0": group},
        **kept,
    }


GROUP = {"input_activations", "output_activations"}
BYTES: dict[str, object] = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel"}
DYNAMIC = {"num_bits": 8, "type": "int", "strategy": "token", "dynamic": True}


@pytest.mark.parametrize(
    ("section", "named"),
    [
        (_scheme(BYTES | {"num_bits": 4}), "group_0: weights.num_bits is 4"),
        (_scheme(BYTES | {"type": "float"}), "group_0: weights.type is 'float'"),
        (_scheme(BYTES | {"strategy": "block"}), "group_0: weights.strategy is 'block'"),
        (_scheme(BYTES | {"actorder": "group"}), "group_0: weights.actorder is 'group'"),
        (_scheme(BYTES | {"dynamic": True}), "group_0: weights.dynamic is True"),
        (_scheme(BYTES, format="pack-quantized"), "format is 'pack-quantized'"),
        (_scheme(BYTES, format="float-quantized"), "format is 'float-quantized'"),
        (_scheme(BYTES, kv_cache_scheme={"num_bits": 8}), "kv_cache_scheme is"),
        (_scheme(BYTES, sparsity_config={"format": "sparse-24-bitmask"}), "sparsity_config is"),
        (_scheme(BYTES, transform_config={"config_groups": {"u": {}}}), "transform_config is"),
        (
            _scheme(BYTES, input_activations=DYNAMIC | {"dynamic": False}),
            "group_0: input_activations.dynamic is False",
        ),
        (
            _scheme(BYTES, input_activations=DYNAMIC | {"type": "float"}),
            "group_0: input_activations.type is 'float'",
        ),
        (_scheme(BYTES, output_activations=DYNAMIC), "group_0: output_activations is"),
        ({"quant_method": "compressed-tensors", "config_groups": {"W8A8": ["Linear"]}}, "W8A8: "),
    ],
)
def test_schemes_that_no_graph_computes_are_refused_by_name(
    tmp_path: Path, section: dict[str, object], named: str
) -> None:
    """Each unsupported part of a scheme is named in the error."""
    with pytest.raises(UnsupportedCheckpoint) as refusal:
        _checked(tmp_path, "bert", quantization_config=section)
    assert named in str(refusal.value)


@pytest.mark.parametrize(
    "section",
    [
        None,
        {},
        _scheme(BYTES),
        _scheme(BYTES | {"symmetric": False, "strategy": "group", "group_size": 8}),
        _scheme(BYTES | {"strategy": "tensor", "actorder": "static"}),
        _scheme(BYTES, input_activations=DYNAMIC, kv_cache_scheme=None),
        _scheme(BYTES, sparsity_config={"format": "dense"}, format="naive-quantized"),
    ],
)
def test_integers_of_eight_bits_are_ours(tmp_path: Path, section: object) -> None:
    """Int8 by row, by group or by tensor is accepted, with and without zero points."""
    _checked(tmp_path, "bert", quantization_config=section)
