"""How a download looks, on a terminal and elsewhere."""

import io

import structlog
from rich.console import Console

from earmark.cli.download import Download


def follow(console: Console) -> Download:
    """Follow a model of 3 MB, a third of which was there."""
    download = Download(console)
    download.begin("org/name@0123", total_bytes=3_000_000, there_bytes=1_000_000)
    download.advance(1_500_000)
    download.advance(500_000)
    download.finish()
    return download


def test_a_terminal_shows_the_model_and_all_of_its_bytes() -> None:
    """What was there is part of the bar, and not of what was fetched."""
    shown = io.StringIO()
    download = follow(Console(file=shown, force_terminal=True, width=100))
    assert download.fetched_bytes == 2_000_000
    assert "org/name@0123" in shown.getvalue()
    assert "3.0/3.0 MB" in shown.getvalue()


def test_elsewhere_there_is_one_line_of_the_log() -> None:
    """Also on a terminal that is to be left alone, as for JSON logs."""
    shown = io.StringIO()
    quiet = Console(file=shown, force_terminal=True, quiet=True)
    for console in (Console(file=shown), quiet):
        with structlog.testing.capture_logs() as logs:
            follow(console)
        assert [(one["model"], one["total_mb"], one["there_mb"]) for one in logs] == [
            ("org/name@0123", 3.0, 1.0)
        ]
    assert shown.getvalue() == ""
