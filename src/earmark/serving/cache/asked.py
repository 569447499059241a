"""A request on its way through the cache: which of its texts have an outcome, and how they got it.

Pure: no loop, no store, no engine.
"""

from collections.abc import Sequence
from typing import Generic, Literal, TypeAlias, TypeVar, cast

from earmark.domain.timings import Timings
from earmark.engine.reply import Reply
from earmark.errors import EarmarkError
from earmark.serving.cache.use import CacheUse
from earmark.tasks.task import TaskRequest

Result = TypeVar("Result")

Outcome: TypeAlias = object | EarmarkError
"""A result, or the error of that text alone."""

How: TypeAlias = Literal["hit", "joined", "ran"]


class Asked(Generic[Result]):
    """The texts of one request, each of them once, however often the request repeats it."""

    def __init__(self, request: TaskRequest[Result], keys: Sequence[bytes]) -> None:
        """Start with no outcome for any text.

        Args:
            request: the request.
            keys: of its inputs, in order; equal inputs have equal keys.
        """
        self._request, self._keys = request, keys
        self._inputs: dict[bytes, int] = {}
        for item, key in enumerate(keys):
            self._inputs.setdefault(key, item)
        self._settled: dict[bytes, tuple[Outcome, How]] = {}
        self._runs: list[Timings] = []

    def open(self) -> list[bytes]:
        """List the texts without an outcome, in the order of the request."""
        return [key for key in self._inputs if key not in self._settled]

    def part(self, keys: Sequence[bytes]) -> TaskRequest[Result]:
        """Return the same request for some of its texts only."""
        if len(keys) == len(self._keys):
            return self._request
        return self._request.only([self._inputs[key] for key in keys])

    def settle(self, key: bytes, outcome: Outcome, how: How) -> None:
        """Note the outcome of a text."""
        self._settled[key] = (outcome, how)

    def ran(self, keys: Sequence[bytes], reply: Reply[object]) -> None:
        """Note the outcomes of texts that were run for this request, and where the time went."""
        self._settled |= {
            key: (outcome, "ran") for key, outcome in zip(keys, reply.outcomes, strict=True)
        }
        self._runs.append(reply.timings)

    def reply(self, elapsed_ms: float) -> tuple[Reply[Result], CacheUse]:
        """Return the outcomes in the order of the request, and how many inputs were not run.

        Of equal inputs, all but the first join it. A run of another request that was joined counts
        in the total time alone.

        Args:
            elapsed_ms: since the request came.
        """
        found = [self._settled[key] for key in self._keys]
        # The keys hold the task, and all results of a task are of one type.
        outcomes = cast("tuple[Result | EarmarkError, ...]", tuple(outcome for outcome, _ in found))
        ran = sum(how == "ran" for _, how in self._settled.values())
        hits = sum(how == "hit" for _, how in found)
        use = CacheUse(hits=hits, joined=len(found) - hits - ran)
        if ran == len(self._settled) and len(self._runs) == 1:
            return Reply(outcomes, self._runs[0]), use
        timings = Timings(
            tokenize_ms=sum(run.tokenize_ms for run in self._runs),
            queue_wait_ms=max((run.queue_wait_ms for run in self._runs), default=0.0),
            run_ms=max((run.run_ms for run in self._runs), default=0.0),
            total_ms=elapsed_ms,
        )
        return Reply(outcomes, timings), use
