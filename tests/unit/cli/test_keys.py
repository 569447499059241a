"""`earmark keys`, in this process."""

import json
import re
from contextlib import closing
from pathlib import Path

import pytest

from earmark.cli import main
from earmark.errors import AccessDenied
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.store import SqliteKeys


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the state of this machine out of the test."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "state"
    monkeypatch.setenv("EARMARK_STATE_FOLDER", str(folder))
    return folder


def created(name: str, capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    """Create a key and return what was printed."""
    capsys.readouterr()
    assert main(["keys", "create", name, *flags]) == 0
    return capsys.readouterr().out


def listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str | None]]:
    """Return the keys as a program reads them."""
    capsys.readouterr()
    assert main(["keys", "list", "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_created_key_stands_alone_on_standard_output_and_opens(
    state_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`earmark keys create` prints nothing but the key, and the gate accepts it."""
    assert main(["keys", "create", "ci"]) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(r"ek_\S{43}\n", out)
    assert "only this once" in err
    assert out.strip() not in err
    with closing(SqliteKeys(state_folder / "earmark.sqlite")) as store:
        key = AccessGate(store).admit(out.strip())
    assert key is not None
    assert key.name == "ci"


def test_a_name_that_is_taken_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Creating a key with a taken name is an error, and the first key stays as it was."""
    created("ci", capsys)
    assert main(["keys", "create", "ci"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    [line] = err.splitlines()
    assert line.startswith("earmark: error: there is an access key named ci already")
    assert len(listed(capsys)) == 1


def test_the_list_shows_what_is_kept_and_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    """Keys are listed as a table or as JSON, without the keys themselves."""
    secrets = [created(name, capsys).strip() for name in ("laptop", "ci")]
    assert main(["keys", "revoke", "laptop"]) == 0
    rows = listed(capsys)
    assert [row["name"] for row in rows] == ["laptop", "ci"]
    assert [row["key"] for row in rows] == [f"ek_…{secret[-4:]}" for secret in secrets]
    assert rows[0]["revoked"]
    assert rows[1]["revoked"] is None
    assert main(["keys", "list"]) == 0
    out, err = capsys.readouterr()
    header, first, second = out.splitlines()
    assert header.split() == ["id", "name", "key", "created", "(UTC)", "state"]
    assert first.startswith(f"{rows[0]['id']}  laptop")
    assert "revoked 20" in first
    assert second.split()[-1] == "active"
    assert err == ""
    assert not any(secret in out for secret in secrets)


@pytest.mark.parametrize("by", ["name", "id"])
def test_a_key_is_revoked_by_its_name_or_its_id(
    by: str, state_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key that is revoked by name or id is refused; revoking it again is an error."""
    secret = created("ci", capsys).strip()
    wanted = str(listed(capsys)[0][by])
    assert main(["keys", "revoke", wanted]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "ci (" in err
    assert "a server lets nobody in" in err
    assert main(["keys", "revoke", wanted]) == 2
    assert "is revoked already" in capsys.readouterr().err
    with (
        closing(SqliteKeys(state_folder / "earmark.sqlite")) as store,
        pytest.raises(AccessDenied),
    ):
        AccessGate(store).admit(secret)


def test_an_empty_list_says_what_it_means_and_makes_no_file(
    state_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty list is a note for a person, no line for a program, and makes no file."""
    assert listed(capsys) == []
    assert main(["keys", "list"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "no key was ever created" in err
    assert not state_folder.exists()


def test_where_every_key_is_revoked_the_list_says_what_follows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With every key revoked, a note says that a server lets nobody in."""
    created("ci", capsys)
    main(["keys", "revoke", "ci"])
    capsys.readouterr()
    assert main(["keys", "list"]) == 0
    assert "lets nobody in until another is created" in capsys.readouterr().err


def test_the_state_folder_is_a_setting_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The state folder is set by a flag, a variable or the settings file."""
    created("by-flag", capsys, "--state-folder", "one")
    monkeypatch.delenv("EARMARK_STATE_FOLDER")
    (tmp_path / "mine.toml").write_text('state_folder = "two"', "utf-8")
    created("by-file", capsys, "--config", "mine.toml")
    for folder, name in (("one", "by-flag"), ("two", "by-file")):
        with closing(SqliteKeys(tmp_path / folder / "earmark.sqlite")) as store:
            assert [key.name for key in store.all_keys()] == [name]
