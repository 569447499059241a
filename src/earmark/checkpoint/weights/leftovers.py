"""Decides whether tensors that a graph did not read matter to the model.

Such a tensor may belong to a head of another task, or to a part that the graph lacks. Its place
decides, not a list of names:

* in a module that the graph has (a layer, a head, the encoder itself): the model computes with it;
* in a layer beyond those that the config counts: it does not;
* in a module of the base model that the graph has not: it does, the pooler and heads excepted;
* beside the base model: it does if its name is that of a classifier or an adapter.
"""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from earmark.errors import UnsupportedCheckpoint

SHOWN = 8
BUFFERS = ("inv_freq", "num_batches_tracked", "position_ids", "token_type_ids")
"""Last parts of the names of tensors that follow from the config."""
IDLE = re.compile(r"pooler|cls|.*head|.*predictions?|vocab_.*|.*_outputs|decoder|final_logits_bias")
"""Modules of other tasks and of pretraining, as `transformers` names them."""
OTHER_TASKS = {"lm", "mlm", "nsp", "qa", "rtd", "sequence", "sop", "token"}
"""Words in the name of a classifier that is not this head's."""
COMPUTING = re.compile(
    r".*(classif|adapter|lora_|prompt|prefix).*|crf|dense|fc|gru|linear|lstm|mlp|out_proj|score"
)
"""Modules between an encoder and its labels; a number at the end is left out."""


def is_buffer(name: str) -> bool:
    """Return whether a tensor follows from the config, so that the file's is not needed."""
    return name.rpartition(".")[2] in BUFFERS


def refuse_computing(
    path: Path, read: Collection[str], unread: Collection[str], of_base: Collection[str]
) -> None:
    """Raise an error if the graph leaves out tensors that the model computes with.

    Args:
        path: the file, for the message.
        read: names of the tensors that the graph took, without the base model's prefix.
        unread: names of those that it did not.
        of_base: those of `unread` that carry the prefix in the file.

    Raises:
        UnsupportedCheckpoint: there are such tensors.
    """
    found = computing(read, unread, of_base)
    if found:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise UnsupportedCheckpoint(
            f"{path} holds tensors that the model computes with and that its class has no place "
            f"for: {', '.join(found[:SHOWN])}{more}; expected only those that config.json calls "
            "for. If they are of an adapter, merge it into its base (peft: `merge_and_unload()`); "
            "if config.json lost a field, put it back; if the class is one of your own, export the "
            "model to onnx/model.onnx"
        )


def computing(
    read: Collection[str], unread: Collection[str], of_base: Collection[str]
) -> tuple[str, ...]:
    """List, sorted, the tensors that the model computes with; arguments as `refuse_computing`."""
    modules: dict[str, set[str]] = {}
    for name in read:
        parts = name.split(".")
        for depth in range(len(parts)):
            modules.setdefault(".".join(parts[:depth]), set()).add(parts[depth])
    return tuple(
        name
        for name in sorted(unread)
        if not is_buffer(name) and _computes(name.split("."), modules, name in of_base)
    )


def _computes(parts: Sequence[str], modules: dict[str, set[str]], of_base: bool) -> bool:  # noqa: FBT001 - private
    depth = len(parts) - 1
    while depth and ".".join(parts[:depth]) not in modules:
        depth -= 1
    if depth:
        counted = any(child.isdigit() for child in modules[".".join(parts[:depth])])
        return not (counted and parts[depth].isdigit())
    module = parts[0]
    if of_base:
        return not IDLE.fullmatch(module)
    if OTHER_TASKS & set(module.split("_")):
        return False
    return COMPUTING.fullmatch(module.rstrip("0123456789").rstrip("_")) is not None
