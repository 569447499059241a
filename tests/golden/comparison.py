"""Whether the golden files still say what `transformers` says."""

import numpy as np
from golden.answers import Answer, GoldenFile
from numpy.typing import NDArray

RECOMPUTE_TOLERANCE = 1e-5
"""Greatest difference of a logit or score between two machines.

The matrix products of PyTorch add up in an order that depends on the processor and its threads:
one thread against two moved logits by 4e-7, an Intel Xeon with AMX against the AMD EPYC that wrote
the files by 3.7e-6, and ModernBERT's, whose heads normalise, by 5.5e-6. As much as earmark itself
is allowed.
"""


def compare(kept: GoldenFile, answered: GoldenFile) -> tuple[float, list[str]]:
    """Hold a case's file against the answers of today.

    Returns:
        The greatest difference of a number, and a line for everything that does not match.
    """
    problems = [
        f"{field} was {getattr(kept, field)}, is {getattr(answered, field)}"
        for field in ("weights_sha256", "max_tokens", "labels", "problem_type")
        if getattr(kept, field) != getattr(answered, field)
    ]
    if (kept.taggings, kept.sortings) != (answered.taggings, answered.sortings):
        return float("nan"), [*problems, "its questions have changed; run `make golden`"]
    if [one.text for one in kept.answers] != [one.text for one in answered.answers]:
        return float("nan"), [*problems, "its texts have changed; run `make golden`"]
    greatest = 0.0
    for index, (old, new) in enumerate(zip(kept.answers, answered.answers, strict=True)):
        if _exact(old) != _exact(new):
            problems.append(f"text {index}: token ids or labels differ")
            continue
        difference = float(np.abs(_numbers(old) - _numbers(new)).max())
        greatest = max(greatest, difference)
        if not difference <= RECOMPUTE_TOLERANCE:  # NaN is no match either
            problems.append(f"text {index}: differs by {difference:.2e} > {RECOMPUTE_TOLERANCE}")
    return greatest, problems


def _exact(answer: Answer) -> object:
    """Take what must be the same to the last bit."""
    shape = [len(row) for row in answer.logits]
    asked = [
        (one.function, one.top_k, [label for label, _ in one.scores]) for one in answer.pipeline
    ]
    tagged = [[(label, *place) for label, _, *place in pieces] for pieces in answer.tagged]
    ranked = [[label for label, _ in scores] for scores in answer.ranked]
    return answer.ids, answer.type_ids, answer.truncated_tokens, shape, asked, tagged, ranked


def _numbers(answer: Answer) -> NDArray[np.float64]:
    """Take what may differ by rounding."""
    logits = [value for row in answer.logits for value in row]
    scores = [score for one in answer.pipeline for _, score in one.scores]
    scores += [piece[1] for pieces in answer.tagged for piece in pieces]
    scores += [score for one in answer.ranked for _, score in one]
    return np.asarray(logits + scores, np.float64)
