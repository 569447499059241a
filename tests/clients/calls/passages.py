"""Rankings of the sample passages, whatever their members are called. Standard library alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from clients.calls.checking import Seen, equal


def pair_scores(ranked: Sequence[Mapping[str, Any]], place: str, score: str) -> Seen:
    """Demand both passages, best first; their scores, as whoever asks for pairs gets them.

    Args:
        ranked: an entry for each passage.
        place: the member that says which passage it is.
        score: the member that says how well it answers.
    """
    scores = [each[score] for each in ranked]
    equal(scores, sorted(scores, reverse=True), "the order of scores")
    by_place = {each[place]: {"LABEL_0": each[score]} for each in ranked}
    equal(sorted(by_place), [0, 1], "the passages")
    return {"a pair": by_place[0], "a pair, 2": by_place[1]}
