"""The modules of a sentence-transformers folder, as `modules.json` lists them."""

from pathlib import Path

from earmark.checkpoint.files.json_file import load_json
from earmark.errors import InvalidCheckpoint

_TRANSFORMER = "Transformer"
"""Last part of the type of a module that is a checkpoint of `transformers`."""


def has_further_modules(path: Path) -> bool:
    """Return whether another module follows the checkpoint, such as pooling or a layer.

    Raises:
        InvalidCheckpoint: the file is no list of modules.
    """
    modules = load_json(path)
    if not isinstance(modules, list) or not all(isinstance(one, dict) for one in modules):
        raise InvalidCheckpoint(f"{path} is no list of modules, as sentence-transformers writes")
    types = [str(one.get("type", "")).rpartition(".")[2] for one in modules]
    return any(one != _TRANSFORMER for one in types)
