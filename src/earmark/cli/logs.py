"""Where log lines go and how they look: standard error, for people or for a log collector."""

import logging
import sys
from collections.abc import Sequence

import structlog
from rich.console import Console
from structlog.typing import Processor

from earmark.settings import LogFormat, LogLevel

__all__ = ["configure_logs"]


def configure_logs(form: LogFormat, level: LogLevel = "info") -> None:
    """Set up structlog, and route through it what libraries log the ordinary way.

    Args:
        form: how lines look.
        level: the least grave ones that are written; of libraries nothing below a warning.
    """
    least = logging.getLevelNamesMapping()[level.upper()]
    shared: Sequence[Processor] = (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _stamp(form),
    )
    render = _renderers(form)
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    # What libraries say at lower levels (uvicorn: started, stopped) our own lines say.
    logging.basicConfig(handlers=[handler], level=max(least, logging.WARNING), force=True)


def _stamp(form: LogFormat) -> Processor:
    if form == "console" and sys.stderr.isatty():
        return structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
    return structlog.processors.TimeStamper(fmt="iso", utc=True)


def _renderers(form: LogFormat) -> tuple[Processor, ...]:
    """Choose the last steps; neither shows a traceback's local variables: they hold texts."""
    if form == "json":
        return (
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        )
    console = Console(stderr=True)
    return (
        structlog.dev.ConsoleRenderer(
            colors=console.is_terminal and not console.no_color,
            exception_formatter=structlog.dev.plain_traceback,
            pad_event_to=0,
            sort_keys=False,
        ),
    )
