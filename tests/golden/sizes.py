"""The three shapes that every architecture and head is built in."""

from collections.abc import Mapping
from dataclasses import replace

from support.checkpoints import CheckpointSpec

SENTIMENT = ("NEGATIVE", "POSITIVE")
TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def in_three_sizes(
    base: CheckpointSpec, seeds: tuple[int, int, int]
) -> Mapping[str, CheckpointSpec]:
    """Build a model of two labels in three shapes, the last one odd in every size that may be odd.

    Args:
        base: what all three have in common; its sizes are those of the small one.
        seeds: of each, such that the texts do not all get the same label.
    """
    small = replace(base, seed=seeds[0], label_names=SENTIMENT)
    medium = replace(
        small,
        seed=seeds[1],
        layers=4,
        hidden=64,
        heads=4,
        intermediate=256,
        vocab_size=512,
        max_positions=64,
    )
    odd = replace(
        small,
        seed=seeds[2],
        layers=1,
        hidden=48,
        heads=3,
        intermediate=90,
        vocab_size=211,
        max_positions=37,
        num_labels=3,
        label_names=("negative", "neutral", "positive"),
    )
    return {"small": small, "medium": medium, "odd": odd}


def as_tagger(model: CheckpointSpec) -> CheckpointSpec:
    """Give a model a token head in place of its own."""
    return replace(model, head="token", num_labels=len(TAGS), label_names=TAGS)
