"""Writes log lines to standard error, for people or for a log collector."""

import io
import logging
import os
import re
import sys
from collections.abc import MutableMapping, Sequence
from typing import Any, Final, TextIO

import structlog
from rich.console import Console
from structlog.typing import ExcInfo, Processor

from earmark.settings import LogFormat, LogLevel

_CONTROLS: Final = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]"
)
"""Control characters of C0 and C1, line ends, characters that change the direction of a text, and
halves of surrogate pairs. In a path or a model's name they would reach the operator's terminal."""


def configure_logs(form: LogFormat, level: LogLevel = "info") -> None:
    """Set up structlog, and route the logs of libraries through it.

    Args:
        form: how lines look.
        level: the lowest level that is written; of libraries, no lower one than a warning.
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
    # Our own lines already report what libraries log at lower levels (uvicorn: started, stopped).
    logging.basicConfig(handlers=[handler], level=max(least, logging.WARNING), force=True)
    # The Hub's library writes its warnings in a form of its own, with addresses that may be signed.
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")


def _stamp(form: LogFormat) -> Processor:
    if form == "console" and sys.stderr.isatty():
        return structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
    return structlog.processors.TimeStamper(fmt="iso", utc=True)


def _renderers(form: LogFormat) -> tuple[Processor, ...]:
    """Choose the last steps; neither shows a traceback's local variables: they hold texts."""
    if form == "json":
        return (
            structlog.processors.format_exc_info,
            _escape_fields,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        )
    console = Console(stderr=True)
    return (
        _escape_fields,
        structlog.dev.ConsoleRenderer(
            colors=console.is_terminal and not console.no_color,
            exception_formatter=_traceback,
            pad_event_to=0,
            sort_keys=False,
        ),
    )


def _escaped(text: str, *, but: str = "") -> str:
    """Write control characters as Python writes them in a literal, but for those named."""
    return _CONTROLS.sub(lambda found: _written(found.group(), but), text)


def _written(character: str, but: str) -> str:
    return character if character in but else repr(character)[1:-1]


def _escape_fields(
    _: object,
    __: str,
    fields: MutableMapping[str, Any],  # as structlog types processors
) -> MutableMapping[str, Any]:
    """Escape the values of all fields, whether they come from outside or not."""
    for name, value in fields.items():
        if name == "exc_info":
            continue  # `_traceback` writes it
        fields[name] = _escaped_value(value, but="\n" if name == "exception" else "")
    return fields


def _escaped_value(value: object, *, but: str = "") -> object:
    if isinstance(value, str):
        return _escaped(value, but=but)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_escaped_value(one) for one in value]
    if isinstance(value, dict):
        return {_escaped(str(name)): _escaped_value(one) for name, one in value.items()}
    return _escaped(str(value), but=but)  # such as a path, as the renderers would


def _traceback(out: TextIO, error: ExcInfo) -> None:
    """Write a traceback, whose last line may quote what came from outside."""
    plain = io.StringIO()
    structlog.dev.plain_traceback(plain, error)
    out.write(_escaped(plain.getvalue(), but="\n"))
