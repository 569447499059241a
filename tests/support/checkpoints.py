"""Tiny Hugging Face checkpoints, built from a seed: no PyTorch, no `transformers`, no network."""

import json
from pathlib import Path

from support.checkpoint_spec import (
    Architecture,
    BartSpec,
    CheckpointSpec,
    ModernBertSpec,
    TokenizerSpec,
)
from support.checkpoint_storage import store_tensors, write_safetensors
from support.checkpoint_tokenizer import write_tokenizer

__all__ = [
    "BartSpec",
    "CheckpointSpec",
    "ModernBertSpec",
    "TokenizerSpec",
    "write_checkpoint",
]

USUAL_LABELS = 2
MORE_LABELS: dict[Architecture, int] = {"bart": 3}
"""Left out of the config by `transformers`, names and all, unless they were named."""

CLASSES: dict[Architecture, str] = {
    "bert": "Bert",
    "distilbert": "DistilBert",
    "roberta": "Roberta",
    "xlm-roberta": "XLMRoberta",
    "camembert": "Camembert",
    "electra": "Electra",
    "albert": "Albert",
    "mpnet": "MPNet",
    "deberta": "Deberta",
    "deberta-v2": "DebertaV2",
    "modernbert": "ModernBert",
    "bart": "Bart",
}
"""What the names of an architecture's classes begin with."""

QUANTIZATION_CONFIG = {
    "quant_method": "compressed-tensors",
    "format": "int-quantized",
    "quantization_status": "compressed",
    "config_groups": {
        "group_0": {
            "targets": ["Linear", "re:.*word_embeddings$"],
            "format": "int-quantized",
            "weights": {
                "num_bits": 8,
                "type": "int",
                "symmetric": True,
                "strategy": "channel",
                "dynamic": False,
            },
            "input_activations": None,
            "output_activations": None,
        }
    },
    "ignore": [],
}
"""What compressed-tensors writes for weights of eight bits with a scale for each row."""


def write_checkpoint(folder: Path, spec: CheckpointSpec) -> Path:
    """Write `config.json`, `model.safetensors` and the tokenizer's files.

    Args:
        folder: made if missing; files of the same names are replaced.
        spec: what the checkpoint is to look like; the same spec gives the same bytes.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = json.dumps(_config(spec), indent=2)
    (folder / "config.json").write_text(config, encoding="utf-8")
    write_safetensors(folder / "model.safetensors", store_tensors(spec))
    write_tokenizer(folder, spec)
    return folder


def _config(spec: CheckpointSpec) -> dict[str, object]:
    heads = {"sequence": "ForSequenceClassification", "token": "ForTokenClassification"}
    fields: dict[str, object] = {
        "architectures": [CLASSES[spec.architecture] + heads[spec.head]],
        "model_type": spec.architecture,
        "vocab_size": spec.vocab_size,
        "max_position_embeddings": spec.max_positions,
        "pad_token_id": spec.pad_id,
        "torch_dtype": "float32" if spec.storage == "int8" else spec.storage,
    }
    fields |= _sizes(spec)
    usual = MORE_LABELS.get(spec.architecture, USUAL_LABELS)
    if spec.label_names is not None or spec.num_labels != usual:
        fields["id2label"] = {str(index): name for index, name in enumerate(spec.labels)}
        fields["label2id"] = {name: index for index, name in enumerate(spec.labels)}
    if spec.problem_type is not None:
        fields["problem_type"] = spec.problem_type
    if spec.storage == "int8":
        fields["quantization_config"] = QUANTIZATION_CONFIG
    return fields


def _sizes(spec: CheckpointSpec) -> dict[str, object]:
    match spec.architecture:
        case "distilbert":
            return _distilbert_sizes(spec)
        case "modernbert":
            return _modernbert_sizes(spec)
        case "bart":
            return _bart_sizes(spec)
        case _:
            return _bert_sizes(spec) | _sizes_of_kin(spec)


def _bert_sizes(spec: CheckpointSpec) -> dict[str, object]:
    return {
        "hidden_size": spec.hidden,
        "num_hidden_layers": spec.layers,
        "num_attention_heads": spec.heads,
        "intermediate_size": spec.intermediate,
        "hidden_act": spec.hidden_act,
        "layer_norm_eps": spec.layer_norm_eps,
    }


def _sizes_of_kin(spec: CheckpointSpec) -> dict[str, object]:
    """Give the fields that only some of BERT's kin have."""
    fields: dict[str, object] = {}
    if spec.architecture != "mpnet":
        fields["type_vocab_size"] = spec.type_vocab_size
    if spec.position_type != "absolute":
        fields["position_embedding_type"] = spec.position_type
    if spec.embedding is not None or spec.architecture in {"albert", "electra"}:
        fields["embedding_size"] = spec.embedding or spec.hidden
    if spec.architecture == "albert":
        fields["num_hidden_groups"] = spec.layer_groups
        fields["inner_group_num"] = spec.group_layers
    if spec.architecture in {"deberta", "deberta-v2"}:
        fields |= spec.deberta.fields()
    return fields


def _distilbert_sizes(spec: CheckpointSpec) -> dict[str, object]:
    return {
        "dim": spec.hidden,
        "n_layers": spec.layers,
        "n_heads": spec.heads,
        "hidden_dim": spec.intermediate,
        "activation": spec.hidden_act,
        "sinusoidal_pos_embds": False,
    }


def _modernbert_sizes(spec: CheckpointSpec) -> dict[str, object]:
    own = spec.modernbert
    return {
        "hidden_size": spec.hidden,
        "num_hidden_layers": spec.layers,
        "num_attention_heads": spec.heads,
        "intermediate_size": spec.intermediate,
        "hidden_activation": spec.hidden_act,
        "norm_eps": spec.layer_norm_eps,
        "norm_bias": own.biases,
        "attention_bias": own.biases,
        "mlp_bias": own.biases,
        "classifier_bias": own.biases,
        "classifier_pooling": own.pooling,
        "classifier_activation": own.classifier_activation,
        "local_attention": own.local_attention,
        "bos_token_id": 2,
        "cls_token_id": 2,
        "eos_token_id": 3,
        "sep_token_id": 3,
        **(_newer_layers(spec) if own.newer_config else _older_layers(spec)),
    }


def _older_layers(spec: CheckpointSpec) -> dict[str, object]:
    return {
        "global_attn_every_n_layers": spec.modernbert.global_every,
        "global_rope_theta": spec.modernbert.thetas[0],
        "local_rope_theta": spec.modernbert.thetas[1],
    }


def _newer_layers(spec: CheckpointSpec) -> dict[str, object]:
    kinds = ("full_attention", "sliding_attention")
    every = spec.modernbert.global_every
    return {
        "layer_types": [kinds[bool(index % every)] for index in range(spec.layers)],
        "rope_parameters": {
            kind: {"rope_type": "default", "rope_theta": theta}
            for kind, theta in zip(kinds, spec.modernbert.thetas, strict=True)
        },
    }


def _bart_sizes(spec: CheckpointSpec) -> dict[str, object]:
    own = spec.bart
    fields: dict[str, object] = {
        "d_model": spec.hidden,
        "encoder_layers": spec.layers,
        "encoder_attention_heads": spec.heads,
        "encoder_ffn_dim": spec.intermediate,
        "decoder_layers": own.decoder_layers,
        "decoder_attention_heads": own.decoder_heads,
        "decoder_ffn_dim": own.decoder_intermediate,
        "activation_function": spec.hidden_act,
        "scale_embedding": own.scale_embedding,
        "is_encoder_decoder": True,
        "bos_token_id": 2,
        "eos_token_id": 3,
        "decoder_start_token_id": own.start_token,
    }
    if own.stated_layers is not None:
        fields["num_hidden_layers"] = own.stated_layers
    if own.tables == "untied":
        fields["tie_word_embeddings"] = False
    return fields
