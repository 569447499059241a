"""A request on its way through the cache: which of its texts have an outcome, and how they got it.

Pure: no loop, no store, no engine.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from earmark.domain.timings import Timings
from earmark.errors import EarmarkError
from earmark.serving.cache.use import CacheUse

Outcome: TypeAlias = object | EarmarkError
"""A result, or the error of that text alone."""

How: TypeAlias = Literal["hit", "joined", "ran"]


class Asked:
    """The texts of one request, each of them once, however often the request repeats it."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Start with no outcome for any text.

        Args:
            keys: of the inputs, in order; equal inputs have equal keys.
        """
        self._keys = keys
        self._inputs: dict[bytes, int] = {}
        for item, key in enumerate(keys):
            self._inputs.setdefault(key, item)
        self._settled: dict[bytes, tuple[Outcome, How]] = {}
        self._runs: list[Timings] = []

    def open(self) -> list[bytes]:
        """List the texts without an outcome, in the order of the request."""
        return [key for key in self._inputs if key not in self._settled]

    def inputs(self, keys: Sequence[bytes]) -> list[int]:
        """Find an input for each text."""
        return [self._inputs[key] for key in keys]

    def settle(self, key: bytes, outcome: Outcome, how: How) -> None:
        """Note the outcome of a text."""
        self._settled[key] = (outcome, how)

    def ran(self, timings: Timings) -> None:
        """Note where the time of the request's own run went."""
        self._runs.append(timings)

    def outcomes(self) -> tuple[Outcome, ...]:
        """List the outcome of each input, in the order of the request."""
        return tuple(self._settled[key][0] for key in self._keys)

    def use(self) -> CacheUse:
        """Count the inputs that were not run; of equal ones, all but the first join it."""
        hows = [self._settled[key][1] for key in self._keys]
        ran = sum(how == "ran" for _, how in self._settled.values())
        hits = hows.count("hit")
        return CacheUse(hits=hits, joined=len(hows) - hits - ran)

    def timings(self, elapsed_ms: float) -> Timings:
        """Return where the time went; a run that was joined counts in the total alone.

        Args:
            elapsed_ms: since the request came.
        """
        alone = all(how == "ran" for _, how in self._settled.values())
        if alone and len(self._runs) == 1:
            return self._runs[0]
        return Timings(
            tokenize_ms=sum(run.tokenize_ms for run in self._runs),
            queue_wait_ms=max((run.queue_wait_ms for run in self._runs), default=0.0),
            run_ms=max((run.run_ms for run in self._runs), default=0.0),
            total_ms=elapsed_ms,
        )
