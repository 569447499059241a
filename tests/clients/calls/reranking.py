"""What reranking clients are given, and what they have to find. Standard library alone."""

import json
import sys
from collections.abc import Iterable
from typing import Any

from clients.calls.checking import Checks, Seen, equal
from clients.calls.passages import pair_scores

_JOB: dict[str, Any] = json.load(sys.stdin)
URL: str = _JOB["url"]
KEY: str = _JOB["key"]
MODEL: str = _JOB["models"]["reranker"]
QUERY: str = _JOB["samples"]["query"]
PASSAGES: list[str] = _JOB["samples"]["passages"]

checks = Checks((0,))


def ranking(found: Iterable[tuple[int | str, float]]) -> Seen:
    """Demand every passage, best first, and return the scores.

    Args:
        found: the passage, or its place, with its score.
    """
    placed = [
        {"place": PASSAGES.index(each) if isinstance(each, str) else each, "score": float(score)}
        for each, score in found
    ]
    return pair_scores(placed, "place", "score")


def best_alone(found: Iterable[int | str], whole: Seen) -> None:
    """Demand the best passage of a whole ranking, and no other."""
    places = [PASSAGES.index(each) if isinstance(each, str) else each for each in found]
    scores = [whole[sample]["LABEL_0"] for sample in ("a pair", "a pair, 2")]
    equal(places, [scores.index(max(scores))], "the best passage alone")
