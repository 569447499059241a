"""The database file that outlives a run."""

import sqlite3
import stat
from pathlib import Path

import pytest

from earmark.database import open_database
from earmark.errors import StateUnavailable

SCHEMA = "CREATE TABLE IF NOT EXISTS things (name TEXT PRIMARY KEY) STRICT"


def test_what_is_written_is_there_for_the_next_who_opens_it(tmp_path: Path) -> None:
    """A second connection reads what the first wrote, though the first is still open."""
    file = tmp_path / "below" / "state.sqlite"
    first = open_database(file, SCHEMA)
    first.execute("INSERT INTO things VALUES ('a')")
    second = open_database(file, SCHEMA)
    assert second.execute("SELECT name FROM things").fetchall() == [("a",)]
    first.close()
    second.close()


def test_nobody_else_on_the_machine_may_read_it(tmp_path: Path) -> None:
    """Only its owner may read the file."""
    file = tmp_path / "below" / "state.sqlite"
    open_database(file, SCHEMA).close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    """A copy from a backup may have lost its mode; the files beside it get that of the file."""
    file = tmp_path / "state.sqlite"
    open_database(file, SCHEMA).close()
    file.chmod(0o664)
    connection = open_database(file, SCHEMA)
    try:
        modes = {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    finally:
        connection.close()
    assert modes == {0o600}


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """The error for a file that is no database names it and says what to do."""
    file = tmp_path / "notes.txt"
    file.write_text("no database at all, but longer than the header of one would have to be" * 9)
    with pytest.raises(StateUnavailable, match=r"notes\.txt cannot be used: .* --state-folder"):
        open_database(file, SCHEMA)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The error for a folder that cannot be made, as a file is in its place, names it."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(StateUnavailable, match="taken"):
        open_database(tmp_path / "taken" / "state.sqlite", SCHEMA)


def test_tables_that_do_not_fit_close_the_file_again(tmp_path: Path) -> None:
    """A schema that fails leaves no open connection behind."""
    with pytest.raises(StateUnavailable):
        open_database(tmp_path / "state.sqlite", "CREATE TABLE (")
    sqlite3.connect(tmp_path / "state.sqlite").close()
