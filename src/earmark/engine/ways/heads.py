"""Which head a file of weights has, and how its labels are called."""

import re
from collections.abc import Sequence

from earmark.checkpoint.config import PROBLEM_TYPES, Config
from earmark.checkpoint.weights.weights import Weights
from earmark.domain.head import HeadKind
from earmark.errors import UnsupportedCheckpoint
from earmark.graph.architectures.architecture import Architecture, HeadLayers

__all__ = ["head_of_weights", "likely_head", "rows_of_head", "with_labels"]

_MARKED = re.compile(r"[BIESLU][-_].+|.+[-_][BIESLU]")
"""A tag of a scheme such as BIO: its mark before or after the name of an entity."""
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
    """Tell the head from the config alone, where nothing names it and no file is at hand."""
    kind = config.fields.get("problem_type")
    if isinstance(kind, str) and kind in PROBLEM_TYPES:
        return "sequence"
    return "token" if _names_tags(config) else "sequence"


def head_of_weights(config: Config, architecture: Architecture, weights: Weights) -> HeadKind:
    """Tell the head from the tensors that are there, where the config does not name it.

    Where the tensors fit both heads, `problem_type` speaks for a sequence head, which alone has
    one, then labels that are tags for a token head; nothing of both is a sequence head.

    Raises:
        UnsupportedCheckpoint: there is no head that classifies.
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
    """Count the labels of a head by the rows of its last layer; None where it is not there."""
    layers = architecture.layers.get(head)
    shape = None if layers is None else weights.shape_of(_tensor(layers.own[-1]))
    return shape[0] if shape else None


def with_labels(config: Config, rows: int | None) -> tuple[Config, tuple[str, ...]]:
    """Settle the labels of a head.

    Args:
        config: may name them in several ways, or not at all.
        rows: how many the head has, as far as that is known.

    Returns:
        The config with a whole `id2label`; and what the operator should hear.

    Raises:
        InvalidCheckpoint: the config names other labels than the head has.
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
    """Say whether the labels that a config names are tags of words."""
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
