"""Finds the head of a checkpoint and the names of its labels."""

import re
from collections.abc import Sequence

from earmark.checkpoint.config import PROBLEM_TYPES, Config
from earmark.checkpoint.weights.weights import Weights
from earmark.domain.head import HeadKind
from earmark.errors import UnsupportedCheckpoint
from earmark.graph.architectures.architecture import Architecture, HeadLayers

_MARKED = re.compile(r"[BIESLU][-_].+|.+[-_][BIESLU]")
"""A tag of a scheme such as BIO: a mark before or after the name of an entity."""
_OUTSIDE = "O"
_WORD_CLASSES = frozenset(
    {
        *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "CONJ", "DET", "INTJ", "NOUN"),
        *("NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"),
    }
)
"""Universal part-of-speech tags (https://universaldependencies.org/u/pos)."""
_FEWEST_WORD_CLASSES = 5


def likely_head(config: Config) -> HeadKind:
    """Return the likely head from the config alone, if it is not named and there are no weights."""
    kind = config.fields.get("problem_type")
    if isinstance(kind, str) and kind in PROBLEM_TYPES:
        return "sequence"
    return "token" if _names_tags(config) else "sequence"


def head_of_weights(config: Config, architecture: Architecture, weights: Weights) -> HeadKind:
    """Return the head from the tensors of a checkpoint whose config does not name it.

    If the tensors fit both heads, a `problem_type` means a sequence head, since only those have
    one; else labels that are tags mean a token head; else it is a sequence head.

    Raises:
        UnsupportedCheckpoint: there is no classification head.
    """
    found = {
        head: layers for head, layers in architecture.layers.items() if _is_there(weights, layers)
    }
    if not found:
        named = ", ".join(config.class_names) or "not named"
        looked_for = " or ".join(
            f"{' and '.join(map(_tensor, (*layers.beside, *layers.own)))} of a {head} head"
            for head, layers in architecture.layers.items()
        )
        raise UnsupportedCheckpoint(
            f"{weights.path} holds an encoder without a head that classifies (the model class is "
            f"{named}): looked for were {looked_for}. A model answers with labels once such a head "
            "was trained; take a checkpoint that was"
        )
    most = max(len(layers.own) for layers in found.values())
    fitting: list[HeadKind] = [head for head, one in found.items() if len(one.own) == most]
    return fitting[0] if len(fitting) == 1 else likely_head(config)


def rows_of_head(architecture: Architecture, head: HeadKind, weights: Weights) -> int | None:
    """Return the number of rows of a head's last layer, one a label; None if it is missing."""
    layers = architecture.layers.get(head)
    shape = None if layers is None else weights.shape_of(_tensor(layers.own[-1]))
    return shape[0] if shape else None


def with_labels(config: Config, rows: int | None) -> tuple[Config, tuple[str, ...]]:
    """Complete the labels of a head.

    Args:
        config: may name them in several ways, or not at all.
        rows: how many the head has; None if that is not known.

    Returns:
        The config with a complete `id2label`, and messages for the operator.

    Raises:
        InvalidCheckpoint: the labels of the config do not match the head.
    """
    labels = config.labels(rows)
    notes: list[str] = []
    stated = config.fields.get("id2label")
    by_id = {str(index): name for index, name in enumerate(labels.names)}
    if stated and stated != by_id and not _same_names(stated, labels.names):
        notes.append(
            f'"id2label" does not name the {len(labels)} labels of the head; they are called '
            f"{', '.join(labels.names[:4])}{', …' if len(labels) > 4 else ''}"  # noqa: PLR2004
        )
    kind = config.fields.get("problem_type")
    if kind is not None and labels.problem_type is None:
        notes.append(
            f'"problem_type" is {kind!r}, which is none of {", ".join(PROBLEM_TYPES)}: the number '
            "of labels decides which function is applied"
        )
    return config.but(id2label=by_id, problem_type=labels.problem_type), tuple(notes)


def _same_names(stated: object, names: Sequence[str]) -> bool:
    return isinstance(stated, dict) and sorted(map(str, stated.values())) == sorted(names)


def _names_tags(config: Config) -> bool:
    """Return whether the labels of a config are tags of words."""
    names = {
        str(name)
        for field, of in (("id2label", "values"), ("label2id", "keys"))
        if isinstance(found := config.fields.get(field), dict)
        for name in (found.values() if of == "values" else found)
    }
    marked = {name for name in names if _MARKED.fullmatch(name)}
    if marked and (_OUTSIDE in names or marked == names):
        return True
    return len(names & _WORD_CLASSES) >= _FEWEST_WORD_CLASSES


def _is_there(weights: Weights, layers: HeadLayers) -> bool:
    return all(weights.has(_tensor(one)) for one in (*layers.own, *layers.beside))


def _tensor(layer: str) -> str:
    return f"{layer}.weight"
