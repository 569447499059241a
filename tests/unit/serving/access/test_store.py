"""Both stores of access keys, in memory and in the database."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from earmark.database import open_database
from earmark.errors import SettingsError, StateUnavailable
from earmark.serving.access.keys import new_key
from earmark.serving.access.store import KeysInMemory, KeyStore, SqliteKeys


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyStore]:
    """Open an empty store of each kind."""
    made: dict[str, Callable[[], KeyStore]] = {
        "memory": KeysInMemory,
        "sqlite": lambda: SqliteKeys(tmp_path / "state" / "earmark.sqlite"),
    }
    with closing(made[request.param]()) as one:
        yield one


def test_keys_are_listed_as_they_were_added(store: KeyStore) -> None:
    """Keys are listed with all of their fields, the oldest first."""
    assert store.all_keys() == ()
    added = tuple(new_key(f"k{moment}", now_s=moment).kept for moment in (1.0, 2.0, 3.0))
    for key in added:
        store.add(key)
    assert store.all_keys() == added


def test_a_revoked_key_is_kept_with_the_moment_of_it(store: KeyStore) -> None:
    """A revoked key keeps its first time of revocation; revoking it again changes nothing."""
    key = new_key("ci", now_s=1.0).kept
    store.add(key)
    store.revoke(key.key_id, now_s=5.0)
    store.revoke(key.key_id, now_s=9.0)
    assert [one.revoked_s for one in store.all_keys()] == [5.0]


def test_two_keys_that_open_cannot_have_one_name(store: KeyStore) -> None:
    """A name in use is refused; the name of a revoked key can be used again."""
    first = new_key("ci", now_s=1.0).kept
    store.add(first)
    with pytest.raises(SettingsError, match="an access key named ci already"):
        store.add(new_key("ci", now_s=2.0).kept)
    assert store.all_keys() == (first,)
    store.revoke(first.key_id, now_s=3.0)
    store.add(new_key("ci", now_s=4.0).kept)
    assert [key.revoked_s for key in store.all_keys()] == [3.0, None]


def test_the_version_changes_with_every_change_and_only_then(store: KeyStore) -> None:
    """The version changes with every change to the keys, and only then."""
    key = new_key("ci", now_s=1.0).kept
    before = store.version()
    assert store.version() == before
    store.add(key)
    added = store.version()
    assert added != before
    assert store.all_keys()
    assert store.version() == added
    store.revoke(key.key_id, now_s=2.0)
    assert store.version() != added


def test_a_change_by_another_connection_is_noticed(tmp_path: Path) -> None:
    """A change by another connection changes the version, also where that one makes the file."""
    file = tmp_path / "state" / "earmark.sqlite"
    with closing(SqliteKeys(file)) as server, closing(SqliteKeys(file)) as command:
        assert server.all_keys() == ()
        versions = [server.version()]
        key = new_key("ci", now_s=1.0).kept
        command.add(key)
        versions.append(server.version())
        assert server.all_keys() == (key,)
        command.revoke(key.key_id, now_s=2.0)
        versions.append(server.version())
        assert server.all_keys()[0].revoked_s == 2.0
        assert len(set(versions)) == 3


def test_asking_leaves_no_file_behind(tmp_path: Path) -> None:
    """Reading a store without keys makes no file."""
    with closing(SqliteKeys(tmp_path / "state" / "earmark.sqlite")) as store:
        assert store.all_keys() == ()
        assert store.version() == store.version()
    assert not (tmp_path / "state").exists()


def test_no_byte_on_disk_holds_a_key(tmp_path: Path) -> None:
    """Neither the database nor its write-ahead log holds a key, while both are open."""
    file = tmp_path / "state" / "earmark.sqlite"
    with closing(SqliteKeys(file)) as store:
        secrets = []
        for number in range(20):
            made = new_key(f"k{number}", now_s=1.0)
            store.add(made.kept)
            secrets.append(made.secret)
        written = b"".join(each.read_bytes() for each in file.parent.iterdir())
        assert store.all_keys()[0].digest in written
        for secret in secrets:
            assert secret.encode() not in written
            assert secret.removeprefix("ek_").encode() not in written


def test_a_file_deleted_below_a_server_goes_on_counting(tmp_path: Path) -> None:
    """A server whose database file is deleted keeps demanding the keys."""
    file = tmp_path / "state" / "earmark.sqlite"
    with closing(SqliteKeys(file)) as store:
        store.add(new_key("ci", now_s=1.0).kept)
        if os.name == "posix":  # elsewhere it cannot be deleted
            for each in file.parent.iterdir():
                each.unlink()
        assert len(store.all_keys()) == 1


def test_what_is_there_but_no_folder_is_not_taken_for_no_keys(tmp_path: Path) -> None:
    """Where a file stands in place of the state folder, reading keys is an error."""
    (tmp_path / "taken").write_text("")
    with (
        closing(SqliteKeys(tmp_path / "taken" / "earmark.sqlite")) as store,
        pytest.raises(StateUnavailable, match="cannot be used"),
    ):
        store.version()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """Every method on a damaged file raises an error of one line that names it."""
    file = tmp_path / "earmark.sqlite"
    file.write_text("no database at all, but longer than the header of one would have to be" * 9)
    with (
        closing(SqliteKeys(file)) as store,
        pytest.raises(StateUnavailable, match=r"earmark\.sqlite cannot be used"),
    ):
        store.all_keys()


@pytest.mark.parametrize("made_anew", [False, True])
def test_a_database_that_was_lost_is_not_taken_for_one_without_keys(
    tmp_path: Path,
    made_anew: bool,  # noqa: FBT001 - pytest passes by name
) -> None:
    """A deleted database, or a new one without keys, is refused until a key is created."""
    file = tmp_path / "earmark.sqlite"
    with closing(SqliteKeys(file)) as store:
        store.refuse_loss()
        store.add(new_key("laptop", now_s=0.0).kept)
        store.revoke(store.all_keys()[0].key_id, now_s=1.0)
        store.refuse_loss()  # revoked ones are not lost
    for left in tmp_path.glob("earmark.sqlite*"):
        if not left.name.endswith(".had-keys"):
            left.unlink()
    if made_anew:
        open_database(file, "CREATE TABLE IF NOT EXISTS others (a INTEGER)").close()
    with closing(SqliteKeys(file)) as store:
        with pytest.raises(StateUnavailable, match="there were access keys in"):
            store.refuse_loss()
        store.add(new_key("phone", now_s=0.0).kept)
        store.refuse_loss()
