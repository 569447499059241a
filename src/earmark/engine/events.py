"""Counts and logs the runs of an engine."""

import threading
from collections.abc import Callable
from dataclasses import replace

import structlog

from earmark.batching.splitting import BatchReport
from earmark.engine.info import Totals

FAILING_AFTER = 16
"""A model is failing after this many failed runs in a row. A text that breaks a batch of a thousand
is isolated after eleven at most; only a broken model or machine fails more."""

log = structlog.get_logger("earmark.engine")


class Tally:
    """Counts runs, and logs those that fail."""

    def __init__(self, model_id: str) -> None:
        """Start with all counts at 0."""
        self._model_id = model_id
        self._lock = threading.Lock()
        self._totals = Totals()
        self._failed_in_a_row = 0
        self._on_failing: Callable[[], None] = lambda: None

    def when_failing(self, callback: Callable[[], None]) -> None:
        """Register a callback for each failed run while the model is failing."""
        self._on_failing = callback

    @property
    def failing(self) -> bool:
        """Whether so many runs in a row have failed that the next will probably fail too."""
        return self._failed_in_a_row >= FAILING_AFTER

    def __call__(self, report: BatchReport) -> None:
        """Count one run; the worker calls this."""
        with self._lock:
            before = self._totals
            self._failed_in_a_row = 0 if report.error is None else self._failed_in_a_row + 1
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
        if self.failing:
            self._on_failing()
        if report.error is not None:
            log.error(
                "batch failed",
                model=self._model_id,
                texts=report.texts,
                tokens=report.tokens,
                error=repr(report.error),
            )

    def totals(self) -> Totals:
        """Return the counts at this moment."""
        with self._lock:
            return self._totals
