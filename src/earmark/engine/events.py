"""What happens inside an engine, told to whoever counts."""

import threading
from dataclasses import replace

import structlog

from earmark.batching.splitting import BatchReport
from earmark.engine.info import Totals

__all__ = ["Tally"]

log = structlog.get_logger("earmark.engine")


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
