"""What happens inside an engine, told to whoever counts."""

import threading
from dataclasses import dataclass, replace

import structlog

from earmark.batching.splitting import BatchReport

__all__ = ["Tally", "Totals"]

log = structlog.get_logger("earmark.engine")


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts since the engine was loaded.

    Attributes:
        batches: runs of the model that succeeded.
        texts: texts in them.
        tokens: their tokens.
        cells: rows times width of the batches; ``tokens / cells`` is how well they were packed.
        failed_runs: runs that raised.
        run_s: seconds inside the runtime.
    """

    batches: int = 0
    texts: int = 0
    tokens: int = 0
    cells: int = 0
    failed_runs: int = 0
    run_s: float = 0.0


class Tally:
    """Counts runs, and logs those that failed."""

    def __init__(self, model_id: str) -> None:
        """Start from nothing."""
        self._model_id = model_id
        self._lock = threading.Lock()
        self._totals = Totals()

    def __call__(self, report: BatchReport) -> None:
        """Count one run; called by the worker."""
        with self._lock:
            before = self._totals
            if report.error is not None:
                self._totals = replace(before, failed_runs=before.failed_runs + 1)
            else:
                self._totals = Totals(
                    batches=before.batches + 1,
                    texts=before.texts + report.texts,
                    tokens=before.tokens + report.tokens,
                    cells=before.cells + report.cells,
                    failed_runs=before.failed_runs,
                    run_s=before.run_s + report.run_s,
                )
        if report.error is not None:
            log.error(
                "batch failed",
                model=self._model_id,
                texts=report.texts,
                tokens=report.tokens,
                error=repr(report.error),
            )

    def totals(self) -> Totals:
        """Return the counts of this moment."""
        with self._lock:
            return self._totals
