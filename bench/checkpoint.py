"""The checkpoints that are measured: one made from a seed, and the model in the box as float32."""

import json
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from earmark.checkpoint.bundled import DEFAULT_MODEL, bundled_folder

DIM, LAYERS, HEADS, HIDDEN = 768, 6, 12, 3072
VOCABULARY, POSITIONS = 30_522, 512
"""The shape of ``distilbert-base-uncased``: 67 million weights with the head."""
WEIGHT_SPREAD = 0.02
"""Standard deviation of fresh weights, as `transformers` draws them."""
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
SCALE_SUFFIX = "_scale"
LABELS = {"0": "NEGATIVE", "1": "POSITIVE"}


class SeededTensors:
    """Tensors of an encoder with weights drawn from a seed, by name."""

    def __init__(self, random: np.random.Generator, hidden: int) -> None:
        """Begin with none.

        Args:
            random: draws the weights; the order of the calls decides on them.
            hidden: width of the norms.
        """
        self.tensors: dict[str, NDArray[np.float32]] = {}
        self._random, self._hidden = random, hidden

    def matrix(self, name: str, rows: int, columns: int) -> None:
        """Draw a matrix."""
        drawn = self._random.standard_normal((rows, columns), dtype=np.float32)
        drawn *= np.float32(WEIGHT_SPREAD)
        self.tensors[f"{name}.weight"] = drawn

    def linear(self, name: str, rows: int, columns: int) -> None:
        """Draw a matrix, with a bias of zeros."""
        self.matrix(name, rows, columns)
        self.tensors[f"{name}.bias"] = np.zeros(rows, np.float32)

    def norm(self, name: str) -> None:
        """Make a norm that changes nothing."""
        self.tensors[f"{name}.weight"] = np.ones(self._hidden, np.float32)
        self.tensors[f"{name}.bias"] = np.zeros(self._hidden, np.float32)


def write_distilbert(folder: Path, *, seed: int) -> Path:
    """Write a checkpoint of DistilBERT-base's shape, with weights drawn from a seed.

    What the weights say matters to no timing; the tokenizer is that of the model in the box.

    Args:
        folder: made here.
        seed: the same one gives the same weights.

    Returns:
        The folder.
    """
    folder.mkdir()
    random = np.random.default_rng(seed)
    save_file(_distilbert_tensors(random), folder / "model.safetensors", metadata={"format": "pt"})
    _write_json(
        folder / "config.json",
        {
            "architectures": ["DistilBertForSequenceClassification"],
            "model_type": "distilbert",
            "activation": "gelu",
            "dim": DIM,
            "hidden_dim": HIDDEN,
            "n_heads": HEADS,
            "n_layers": LAYERS,
            "vocab_size": VOCABULARY,
            "max_position_embeddings": POSITIONS,
            "sinusoidal_pos_embds": False,
            "pad_token_id": 0,
            "id2label": LABELS,
            "label2id": {name: int(index) for index, name in LABELS.items()},
            "problem_type": "single_label_classification",
            "dtype": "float32",
        },
    )
    source = bundled_folder(DEFAULT_MODEL)
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    settings = json.loads((source / "tokenizer_config.json").read_text("utf-8"))
    # The class matters to `transformers` alone: DistilBERT takes no token types.
    settings["tokenizer_class"] = "DistilBertTokenizer"
    settings["model_max_length"] = POSITIONS
    _write_json(folder / "tokenizer_config.json", settings)
    return folder


def write_float32_sentiment(folder: Path) -> Path:
    """Write the model in the box with its int8 weights multiplied out, for PyTorch to read.

    Args:
        folder: made here.

    Returns:
        The folder.
    """
    folder.mkdir()
    source = bundled_folder(DEFAULT_MODEL)
    for name in TOKENIZER_FILES:
        shutil.copyfile(source / name, folder / name)
    config = json.loads((source / "config.json").read_text("utf-8"))
    config.pop("quantization_config")
    _write_json(folder / "config.json", config)
    stored = load_file(source / "model.safetensors")
    tensors = {
        name: tensor * stored[name + SCALE_SUFFIX].reshape(-1, 1)
        if tensor.dtype == np.int8
        else tensor
        for name, tensor in stored.items()
        if not name.endswith(SCALE_SUFFIX)
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _distilbert_tensors(random: np.random.Generator) -> dict[str, NDArray[np.float32]]:
    drawn = SeededTensors(random, DIM)
    drawn.matrix("distilbert.embeddings.word_embeddings", VOCABULARY, DIM)
    drawn.matrix("distilbert.embeddings.position_embeddings", POSITIONS, DIM)
    drawn.norm("distilbert.embeddings.LayerNorm")
    for layer in range(LAYERS):
        name = f"distilbert.transformer.layer.{layer}"
        for part in ("q_lin", "k_lin", "v_lin", "out_lin"):
            drawn.linear(f"{name}.attention.{part}", DIM, DIM)
        drawn.norm(f"{name}.sa_layer_norm")
        drawn.linear(f"{name}.ffn.lin1", HIDDEN, DIM)
        drawn.linear(f"{name}.ffn.lin2", DIM, HIDDEN)
        drawn.norm(f"{name}.output_layer_norm")
    drawn.linear("pre_classifier", DIM, DIM)
    drawn.linear("classifier", len(LABELS), DIM)
    return drawn.tensors


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
