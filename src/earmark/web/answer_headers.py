"""Headers of an answer in any dialect: what it cost, and what was left out.

Beside those of the Hub's servers: ``x-truncated-tokens`` and ``x-truncated-inputs`` (what the model
did not read; absent when it read everything), ``x-compute-model``, ``x-compute-precision`` and
``x-cache-hits``.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from earmark.domain.timings import Timings
from earmark.engine.info import EngineInfo
from earmark.serving.cache.use import CacheUse

EXPOSED_HEADERS: Final = (
    "x-compute-type",
    "x-compute-time",
    "x-compute-characters",
    "x-compute-tokens",
    "x-compute-model",
    "x-compute-precision",
    "x-total-time",
    "x-tokenization-time",
    "x-queue-time",
    "x-inference-time",
    "x-cache-hits",
    "x-truncated-tokens",
    "x-truncated-inputs",
    "x-error-message",
    "x-hf-warning",
)
"""What a browser may show to the page that asked."""

_MOST_TRUNCATED_LISTED = 32
"""Beyond this ``x-truncated-inputs`` is left out: a header is no place for a long list."""


class Counted(Protocol):
    """An input, encoded or answered."""

    @property
    def tokens(self) -> int:
        """Tokens the model read."""
        ...

    @property
    def truncated_tokens(self) -> int:
        """Tokens it did not read."""
        ...


def answer_headers(
    results: Sequence[Counted],
    *,
    characters: int,
    timings: Timings,
    info: EngineInfo,
    cached: CacheUse,
) -> dict[str, str]:
    """Return the headers on what an answer cost.

    Args:
        results: one per input.
        characters: Unicode code points that came in.
        timings: where the time went.
        info: of the model that answered.
        cached: how many inputs were answered without running them.
    """
    read = reading_headers(results, characters=characters, info=info)
    if cached.hits == len(results):
        read["x-compute-type"] = "cache"
    return {
        **read,
        "x-cache-hits": str(cached.hits + cached.joined),
        # Some in seconds, some in milliseconds, as of the Hub's servers.
        "x-compute-time": f"{timings.total_ms / 1000:.3f}",
        "x-total-time": f"{timings.total_ms:.1f}",
        "x-tokenization-time": f"{timings.tokenize_ms:.1f}",
        "x-queue-time": f"{timings.queue_wait_ms:.1f}",
        "x-inference-time": f"{timings.run_ms:.1f}",
    }


def reading_headers(
    inputs: Sequence[Counted], *, characters: int, info: EngineInfo
) -> dict[str, str]:
    """Return the headers that are known once the texts are encoded, before the model has run.

    Args:
        inputs: what is read of each.
        characters: Unicode code points that came in.
        info: of the model that answers.
    """
    headers = {
        "x-compute-type": "cpu",
        "x-compute-characters": str(characters),
        "x-compute-tokens": str(sum(each.tokens for each in inputs)),
        "x-compute-model": info.model_id,
        "x-compute-precision": info.precision,
    }
    cut = [index for index, each in enumerate(inputs) if each.truncated_tokens]
    if cut:
        headers["x-truncated-tokens"] = str(sum(each.truncated_tokens for each in inputs))
        if len(cut) <= _MOST_TRUNCATED_LISTED:
            headers["x-truncated-inputs"] = ",".join(map(str, cut))
    return headers
