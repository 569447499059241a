"""Folders of architectures that earmark writes no graph for: config, labels and a tokenizer."""

import json
from collections.abc import Mapping
from pathlib import Path

from support.checkpoint_spec import CheckpointSpec, Head
from support.checkpoints import write_checkpoint

LONGEST = 48


def write_foreign_folder(
    folder: Path,
    *,
    head: Head = "sequence",
    model_type: str = "convbert",
    class_prefix: str = "ConvBert",
    fields: Mapping[str, object] | None = None,
    num_labels: int = 3,
) -> Path:
    """Write everything but weights or a graph; the tokenizer is the tiny BERT checkpoint's.

    Args:
        folder: where.
        head: what the class's name ends in.
        model_type: as the config names the architecture.
        class_prefix: what the class's name begins with.
        fields: put over those of the config; None leaves one out.
        num_labels: how many labels.
    """
    spec = CheckpointSpec(head=head, num_labels=num_labels, max_positions=LONGEST)
    write_checkpoint(folder, spec)
    (folder / "model.safetensors").unlink()
    ending = "ForSequenceClassification" if head == "sequence" else "ForTokenClassification"
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {"model_type": model_type, "architectures": [class_prefix + ending]}
    config |= dict(fields or {})
    kept = {key: value for key, value in config.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(kept), "utf-8")
    return folder
