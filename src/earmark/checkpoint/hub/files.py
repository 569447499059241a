"""Chooses the files of a repository on the Hub that a load reads, by their names alone."""

from collections.abc import Collection

from earmark.checkpoint.files.names import (
    ADAPTER_FILE,
    CONFIG_FILE,
    MODULES_FILE,
    ONNX_FILES,
    SETTINGS_FILES,
    TOKENIZER_FILE,
    VOCABULARY_FILES,
)
from earmark.checkpoint.weights.files import INDEX_SUFFIX, WEIGHT_FILES

_ONNX_DATA = (".onnx_data", ".onnx.data")
"""Endings of the files in which a graph keeps its large tensors."""


def small_files(names: Collection[str]) -> tuple[str, ...]:
    """Choose the config, the files that change what the weights mean, and the tokenizer's."""
    vocabulary = (TOKENIZER_FILE,) if TOKENIZER_FILE in names else VOCABULARY_FILES
    wanted = (CONFIG_FILE, ADAPTER_FILE, MODULES_FILE, *SETTINGS_FILES, *vocabulary)
    return tuple(one for one in wanted if one in names)


def weights_file(names: Collection[str]) -> str | None:
    """Choose the weights file that a load would read; it may be an index."""
    return next((one for one in WEIGHT_FILES if one in names), None)


def exported_graph(names: Collection[str]) -> str | None:
    """Choose the exported graph of a checkpoint."""
    return next((one for one in ONNX_FILES if one in names), None)


def needed_files(names: Collection[str]) -> tuple[str, ...]:
    """Choose the files that a load reads, small files first.

    For weights in several files only the index is named: it lists the others.

    Args:
        names: every file of the repository, with its folders.
    """
    weights = weights_file(names)
    heavy = (weights,) if weights is not None else _onnx_files(names)
    return (*small_files(names), *heavy)


def graph_data(names: Collection[str]) -> tuple[str, ...]:
    """Choose the files in which the exported graph of a checkpoint keeps its large tensors."""
    return _onnx_files(names)[1:]


def is_index(name: str) -> bool:
    """Return whether a weights file is an index of others."""
    return name.endswith(INDEX_SUFFIX)


def _onnx_files(names: Collection[str]) -> tuple[str, ...]:
    graph = exported_graph(names)
    if graph is None:
        return ()
    stem = graph.removesuffix(".onnx")
    data = (
        one
        for one in names
        if one.startswith(tuple(stem + end for end in _ONNX_DATA)) and "/" not in one[len(stem) :]
    )
    return (graph, *sorted(data))
