"""A checkpoint of more than 2 GB, made from a seed."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from bench.checkpoint import SeededTensors, write_distilbert

HIDDEN, LAYERS, HEADS, INTERMEDIATE = 1024, 24, 16, 4096
VOCABULARY, POSITIONS = 250_002, 514
"""The shape of ``xlm-roberta-large``: 560 million weights."""


def write_large(folder: Path, *, seed: int) -> Path:
    """Write a BERT checkpoint of the shape of ``xlm-roberta-large``, with weights from a seed."""
    write_distilbert(folder, seed=seed)  # for its tokenizer
    config = json.loads((folder / "config.json").read_text("utf-8"))
    for name in ("dim", "hidden_dim", "n_heads", "n_layers", "activation", "sinusoidal_pos_embds"):
        config.pop(name)
    config |= {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": INTERMEDIATE,
        "hidden_act": "gelu",
        "vocab_size": VOCABULARY,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    save_file(_large_tensors(seed), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _large_tensors(seed: int) -> dict[str, NDArray[np.float32]]:
    drawn = SeededTensors(np.random.default_rng(seed), HIDDEN)
    for table, rows in {"word": VOCABULARY, "position": POSITIONS, "token_type": 2}.items():
        drawn.matrix(f"bert.embeddings.{table}_embeddings", rows, HIDDEN)
    drawn.norm("bert.embeddings.LayerNorm")
    for layer in range(LAYERS):
        base = f"bert.encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            drawn.linear(f"{base}.attention.{part}", HIDDEN, HIDDEN)
        drawn.norm(f"{base}.attention.output.LayerNorm")
        drawn.linear(f"{base}.intermediate.dense", INTERMEDIATE, HIDDEN)
        drawn.linear(f"{base}.output.dense", HIDDEN, INTERMEDIATE)
        drawn.norm(f"{base}.output.LayerNorm")
    drawn.linear("bert.pooler.dense", HIDDEN, HIDDEN)
    drawn.linear("classifier", 2, HIDDEN)
    return drawn.tensors
