"""Encodings made up for tests of the queue and the packer."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from earmark.batching.splitting import BatchRun
from earmark.domain.encoding import Encoding


def encoding(tokens: int, first_id: int = 1) -> Encoding:
    """Make an encoding whose ids count up from `first_id`."""
    ids = tuple(range(first_id, first_id + tokens))
    return Encoding(ids, tuple(index % 2 for index in range(tokens)))


def lengths(longest: int, most: int = 40) -> st.SearchStrategy[list[int]]:
    """Draw lengths of texts: mixed, often short, at least one text."""
    short = st.integers(1, min(16, longest))
    return st.lists(short | st.integers(1, longest), min_size=1, max_size=most)


class SumRunner:
    """Stands in for a model: a text's one logit is the sum of its ids.

    Attributes:
        poison: texts that hold this id break every batch they are in; None for none.
        batches: the encodings of each run, also of those that broke.
    """

    def __init__(self, poison: int | None = None) -> None:
        """Remember what breaks."""
        self.poison = poison
        self.batches: list[list[Encoding]] = []

    def __call__(self, encodings: Sequence[Encoding]) -> BatchRun:
        """Answer a batch.

        Raises:
            RuntimeError: a text in it is poisonous.
        """
        self.batches.append(list(encodings))
        if any(self.poison in one.ids for one in encodings):
            raise RuntimeError("poison")
        logits = [np.asarray([sum(one.ids)], np.float32) for one in encodings]
        return BatchRun(logits, sum(len(one) for one in encodings))
