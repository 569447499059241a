"""Answers to text classification: the body, and headers that say what it cost.

Headers beside those of the Hub's servers: ``x-truncated-tokens`` and ``x-truncated-inputs`` (what
the model did not read; absent when it read everything) and ``x-compute-precision``.
"""

import math
from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from earmark.domain.results import Classification
from earmark.domain.texts import TextInput
from earmark.domain.timings import Timings
from earmark.engine.info import EngineInfo
from earmark.errors import NonFiniteScore
from earmark.web.responses import json_response

__all__ = ["EXPOSED_HEADERS", "render_text_classification"]

EXPOSED_HEADERS: Final = (
    "x-compute-type",
    "x-compute-time",
    "x-compute-characters",
    "x-compute-tokens",
    "x-compute-precision",
    "x-total-time",
    "x-tokenization-time",
    "x-queue-time",
    "x-inference-time",
    "x-truncated-tokens",
    "x-truncated-inputs",
    "x-error-message",
)
"""What a browser may show to the page that asked."""

_MOST_TRUNCATED_LISTED = 32
"""Beyond this ``x-truncated-inputs`` is left out: a header is no place for a long list."""


def render_text_classification(
    results: Sequence[Classification],
    inputs: Sequence[TextInput],
    timings: Timings,
    info: EngineInfo,
) -> Response:
    """Answer ``[[{"label", "score"}, ...], ...]``: one list per input, also for a single one.

    Official clients take the first list of a list; a flat one breaks every JavaScript client.

    Raises:
        NonFiniteScore: JSON has no number for a score.
    """
    if not all(math.isfinite(each.score) for result in results for each in result.scores):
        raise NonFiniteScore("the model answered a score that is NaN or infinity")
    headers = {
        "x-compute-type": "cpu",
        "x-compute-characters": str(sum(each.characters for each in inputs)),
        "x-compute-tokens": str(sum(each.tokens for each in results)),
        "x-compute-precision": info.precision,
        **_time_headers(timings),
        **_truncation_headers(results),
    }
    return json_response([result.scores for result in results], headers=headers)


def _time_headers(timings: Timings) -> dict[str, str]:
    """Seconds where the Hub's servers have seconds, milliseconds where they have those."""
    return {
        "x-compute-time": f"{timings.total_ms / 1000:.3f}",
        "x-total-time": f"{timings.total_ms:.1f}",
        "x-tokenization-time": f"{timings.tokenize_ms:.1f}",
        "x-queue-time": f"{timings.queue_wait_ms:.1f}",
        "x-inference-time": f"{timings.run_ms:.1f}",
    }


def _truncation_headers(results: Sequence[Classification]) -> dict[str, str]:
    cut = [index for index, result in enumerate(results) if result.truncated_tokens]
    if not cut:
        return {}
    headers = {"x-truncated-tokens": str(sum(results[index].truncated_tokens for index in cut))}
    if len(cut) <= _MOST_TRUNCATED_LISTED:
        headers["x-truncated-inputs"] = ",".join(map(str, cut))
    return headers
