"""Settings that are read anew on SIGHUP, while the server runs."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import structlog

from earmark.cli.logs import configure_logs
from earmark.errors import EarmarkError
from earmark.settings import Settings, values_of

_APPLIED: Final = ("log_format", "log_level")
"""Settings that take effect while the server runs; access keys always do, without a signal."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.cli")


class Reload:
    """Reads the settings anew, applies what can be applied, and names what needs a restart."""

    def __init__(
        self, settings: Settings, read: Callable[[], Settings], done: Callable[[], None]
    ) -> None:
        """Begin with the settings of the start.

        Args:
            settings: those.
            read: reads them again.
            done: called once they are read, whatever came of it.
        """
        self._settings, self._read, self._done = settings, read, done

    def __call__(self) -> None:
        """Read the settings; those that are wrong change nothing."""
        try:
            found = self._read()
        except EarmarkError as error:
            _log.error("the settings are not read anew", error=str(error))
        else:
            self._apply(found)
        finally:
            self._done()

    def _apply(self, found: Settings) -> None:
        before, after = values_of(self._settings), values_of(found)
        changed = [name for name, value in after.items() if value != before[name]]
        applied = [name for name in changed if name in _APPLIED]
        if applied:
            configure_logs(found.log_format, found.log_level)
        self._settings = found
        _log.info(
            "the settings are read anew",
            applied=applied,
            need_a_restart=[name for name in changed if name not in _APPLIED],
        )


@contextmanager
def reload_on_hangup(*steps: Callable[[], None]) -> Iterator[None]:
    """Call functions on SIGHUP while the context lasts.

    Not where a terminal is attached: there the signal says that it is closed, and ends the program.
    """
    if sys.platform == "win32" or sys.stdin is None or sys.stdin.isatty():
        yield
        return

    def take(_number: int, _frame: FrameType | None) -> None:
        for step in steps:
            step()

    before = signal.signal(signal.SIGHUP, take)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
