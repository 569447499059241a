"""Tiny Hugging Face checkpoints, built from a seed: no PyTorch, no `transformers`, no network."""

import json
from pathlib import Path

from support.checkpoint_spec import Architecture, CheckpointSpec, TokenizerSpec
from support.checkpoint_storage import store_tensors, write_safetensors
from support.checkpoint_tokenizer import write_tokenizer

__all__ = ["CheckpointSpec", "TokenizerSpec", "write_checkpoint"]

DEFAULT_NUM_LABELS = 2
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
    fields |= _distilbert_sizes(spec) if spec.architecture == "distilbert" else _bert_sizes(spec)
    if spec.embedding is not None or spec.architecture in {"albert", "electra"}:
        fields["embedding_size"] = spec.embedding or spec.hidden
    if spec.architecture == "albert":
        fields["num_hidden_groups"] = spec.layer_groups
        fields["inner_group_num"] = spec.group_layers
    if spec.architecture == "mpnet":
        del fields["type_vocab_size"]
    if spec.architecture in {"deberta", "deberta-v2"}:
        fields |= spec.deberta.fields()
    if spec.label_names is not None or spec.num_labels != DEFAULT_NUM_LABELS:
        fields["id2label"] = {str(index): name for index, name in enumerate(spec.labels)}
        fields["label2id"] = {name: index for index, name in enumerate(spec.labels)}
    if spec.problem_type is not None:
        fields["problem_type"] = spec.problem_type
    if spec.storage == "int8":
        fields["quantization_config"] = QUANTIZATION_CONFIG
    return fields


def _bert_sizes(spec: CheckpointSpec) -> dict[str, object]:
    return {
        "hidden_size": spec.hidden,
        "num_hidden_layers": spec.layers,
        "num_attention_heads": spec.heads,
        "intermediate_size": spec.intermediate,
        "hidden_act": spec.hidden_act,
        "layer_norm_eps": spec.layer_norm_eps,
        "type_vocab_size": spec.type_vocab_size,
    }


def _distilbert_sizes(spec: CheckpointSpec) -> dict[str, object]:
    return {
        "dim": spec.hidden,
        "n_layers": spec.layers,
        "n_heads": spec.heads,
        "hidden_dim": spec.intermediate,
        "activation": spec.hidden_act,
        "sinusoidal_pos_embds": False,
    }
