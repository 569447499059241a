"""What log lines look like, and what never stands in one."""

import json
import logging
from pathlib import Path
from typing import get_args

import pytest
import structlog

from earmark.cli.logs import configure_logs
from earmark.settings import LogFormat, LogLevel

WRITTEN_BY_A_USER = "what a user wrote"


def fail() -> None:
    """Raise with a text in a local variable."""
    text = WRITTEN_BY_A_USER
    raise ValueError(len(text))


def log_everything() -> None:
    """Log in our way and in the ordinary one, with a traceback each."""
    log = structlog.get_logger("earmark.test")
    try:
        fail()
    except ValueError:
        log.exception("ours", model="m")
        logging.getLogger("library").exception("theirs")


def test_json_lines_hold_an_object_each(capsys: pytest.CaptureFixture[str]) -> None:
    """A collector reads every line, those of libraries too, on standard error alone."""
    configure_logs("json")
    log_everything()
    out, err = capsys.readouterr()
    ours, theirs = (json.loads(line) for line in err.splitlines())
    assert (ours["event"], ours["level"], ours["model"]) == ("ours", "error", "m")
    assert theirs["event"] == "theirs"
    assert "ValueError" in ours["exception"]
    assert out == ""


@pytest.mark.parametrize("form", get_args(LogFormat))
def test_a_traceback_never_shows_local_variables(
    form: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    """A traceback in the log does not show local variables."""
    configure_logs(form)
    log_everything()
    err = capsys.readouterr().err
    assert err.count("ValueError") >= 2
    assert WRITTEN_BY_A_USER not in err


def test_what_libraries_say_below_a_warning_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Libraries' lines below a warning are not written."""
    configure_logs("console")
    logging.getLogger("uvicorn.error").info("Started server process")
    structlog.get_logger("earmark.test").info("ours")
    err = capsys.readouterr().err
    assert "Started" not in err
    assert "ours" in err


@pytest.mark.parametrize(
    ("level", "told"),
    [("debug", "diwe"), ("info", "iwe"), ("warning", "we"), ("error", "e")],
)
def test_only_lines_that_are_grave_enough_are_written(
    level: LogLevel, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines below the chosen level are not written."""
    configure_logs("json", level)
    log, library = structlog.get_logger("earmark.test"), logging.getLogger("library")
    for name in ("debug", "info", "warning", "error"):
        getattr(log, name)(name)
        getattr(library, name)(f"library {name}")
    events = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert "".join(one[0] for one in events if not one.startswith("library")) == told
    theirs = [one.removeprefix("library ") for one in events if one.startswith("library")]
    assert theirs == [one for one in ("warning", "error") if one[0] in told]


@pytest.mark.parametrize("form", get_args(LogFormat))
def test_control_characters_reach_no_terminal(
    form: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    """In no field, no traceback and no library's line; a new line would forge an entry."""
    hostile = "a\x1b[2J\x9b31m\r\n\u2028\u202eb\ud800"
    configure_logs(form)
    log = structlog.get_logger("earmark.test")
    log.info("request", path=f"/{hostile}", each=[hostile], by_name={hostile: hostile})
    log.info(
        "more", tensors=(hostile,), file=Path(hostile), error=ValueError(hostile), set={hostile}
    )
    logging.getLogger("library").warning("no %s", hostile)
    try:
        int(hostile)
    except ValueError as error:
        error.add_note(hostile)
        log.exception("fault")
    err = capsys.readouterr().err
    assert not set(err) & set("\x1b\x9b\r\u2028\u202e\ud800")
    assert "/a\\x1b[2J" in err.replace("\\\\", "\\")
    if form == "json":
        started = ["req", "mor", "no ", "fau"]
        assert [json.loads(line)["event"][:3] for line in err.splitlines()] == started
        assert json.loads(err.splitlines()[0])["path"].startswith("/a\\x1b[2J")
