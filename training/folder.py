"""Writing a checkpoint folder: weights, config, tokenizer, card and metrics, all or nothing."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from training.quantize import QUANTIZATION_CONFIG

_SPECIAL_TOKENS = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}


def write_weights(
    folder: Path, model: PreTrainedModel, tensors: Mapping[str, torch.Tensor]
) -> None:
    """Write ``model.safetensors`` and the ``config.json`` that says how to read it."""
    save_file(dict(tensors), folder / "model.safetensors", metadata={"format": "pt"})
    config = model.config.to_dict()
    for transient in (
        "_name_or_path",
        "transformers_version",
        "output_hidden_states",
        "output_attentions",
        "return_dict",
        "gradient_checkpointing",
    ):
        config.pop(transient, None)
    config["architectures"] = [type(model).__name__]
    config["model_type"] = model.config.model_type
    config["quantization_config"] = QUANTIZATION_CONFIG
    write_json(folder / "config.json", config)


def write_tokenizer(
    folder: Path,
    tokenizer: Tokenizer,
    *,
    max_tokens: int,
    kind: str = "BertTokenizer",
) -> None:
    """Write the three tokenizer files; padding and truncation are left to whoever serves.

    Args:
        folder: where to.
        tokenizer: an uncased BERT's, or one like it.
        max_tokens: the most tokens of a text.
        kind: the class that `transformers` is to use. ``BertTokenizer`` takes the vocabulary alone
            and makes the rest anew; ``PreTrainedTokenizerFast`` reads ``tokenizer.json`` whole.
    """
    plain = Tokenizer.from_str(tokenizer.to_str())
    plain.no_padding()
    plain.no_truncation()
    plain.save(str(folder / "tokenizer.json"), pretty=False)
    fields: dict[str, object] = {"tokenizer_class": kind}
    if kind == "BertTokenizer":
        fields |= {"do_lower_case": True, "strip_accents": None, "tokenize_chinese_chars": True}
    write_json(
        folder / "tokenizer_config.json",
        {**fields, "model_max_length": max_tokens, **_SPECIAL_TOKENS},
    )
    write_json(folder / "special_tokens_map.json", _SPECIAL_TOKENS)


def write_json(path: Path, value: object) -> None:
    """Write JSON for people: indented, one final line break, and no escapes."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def folder_bytes(folder: Path) -> int:
    """Add up the sizes of the files right in `folder`, in bytes."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def draft_folder(out: Path) -> Path:
    """Make an empty folder beside `out`, on the same file system, to build the checkpoint in."""
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    draft.chmod(0o755)  # mkdtemp makes it private
    return draft


def publish(draft: Path, out: Path) -> None:
    """Move a finished draft to `out`, so that whoever reads it sees the old folder or the new."""
    for path in draft.iterdir():
        path.chmod(0o644)  # safetensors writes files that only their owner may read
    old = draft.with_name(draft.name + "-old")
    if out.exists():
        out.rename(old)
    draft.rename(out)
    shutil.rmtree(old, ignore_errors=True)
