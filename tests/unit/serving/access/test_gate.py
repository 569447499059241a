"""The gate lets in exactly the callers that the keys allow, after any history."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earmark.errors import AccessDenied
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.keys import NewKey, new_key
from earmark.serving.access.store import KeysInMemory, SqliteKeys


def opens(gate: AccessGate, secret: str | None) -> bool:
    """Return whether the gate lets the bearer in."""
    try:
        gate.admit(secret)
    except AccessDenied:
        return False
    return True


@given(st.lists(st.sampled_from(["create", "revoke the oldest", "revoke the newest"])))
def test_after_any_history_exactly_the_keys_that_were_not_revoked_open(history: list[str]) -> None:
    """Before the first key all are let in; after it, only bearers of keys that are not revoked."""
    store = KeysInMemory()
    gate = AccessGate(store)
    made: list[NewKey] = []
    active: list[NewKey] = []
    for step, event in enumerate(history):
        if event == "create":
            made.append(new_key(f"k{step}", now_s=step))
            store.add(made[-1].kept)
            active.append(made[-1])
        elif active:
            gone = active.pop(0 if event == "revoke the oldest" else -1)
            store.revoke(gone.kept.key_id, now_s=step)
        assert gate.demands_key == bool(made)
        assert opens(gate, None) == (not made)
        assert opens(gate, "ek_made-up") == (not made)
        for key in made:
            assert opens(gate, key.secret) == (key in active)


def test_a_caller_who_is_let_in_is_known_by_the_key() -> None:
    """The gate returns the caller's key, or None where no key is needed."""
    store = KeysInMemory()
    gate = AccessGate(store)
    assert gate.admit("ek_any") is None
    made = new_key("ci", now_s=0.0)
    store.add(made.kept)
    assert gate.admit(made.secret) == made.kept


@pytest.mark.parametrize(
    "altered",
    [
        lambda secret: secret[:-1],
        lambda secret: secret + "A",
        lambda secret: secret.removeprefix("ek_"),
        lambda secret: secret.swapcase(),
        lambda secret: f" {secret}",
        lambda _: "",
    ],
)
def test_a_key_that_is_nearly_right_is_wrong(altered: Callable[[str], str]) -> None:
    """A key with a space or another case is refused."""
    store = KeysInMemory()
    made = new_key("ci", now_s=0.0)
    store.add(made.kept)
    with pytest.raises(AccessDenied, match="unknown here, or has been revoked"):
        AccessGate(store).admit(altered(made.secret))


def test_a_missing_key_and_a_wrong_one_are_told_apart() -> None:
    """A missing key and a wrong one have different errors; neither repeats what was sent."""
    store = KeysInMemory()
    store.add(new_key("ci", now_s=0.0).kept)
    gate = AccessGate(store)
    with pytest.raises(AccessDenied, match="no access key was sent"):
        gate.admit(None)
    with pytest.raises(AccessDenied) as told:
        gate.admit("hf_someone's")
    assert "hf_" not in str(told.value)


def test_a_key_counts_from_the_moment_another_process_created_it(tmp_path: Path) -> None:
    """A key of another process is accepted from its creation until its revocation there."""
    file = tmp_path / "earmark.sqlite"
    with closing(SqliteKeys(file)) as server, closing(SqliteKeys(file)) as command:
        gate = AccessGate(server)
        assert opens(gate, None)
        made = new_key("ci", now_s=1.0)
        command.add(made.kept)
        assert not opens(gate, None)
        assert gate.admit(made.secret) == made.kept
        command.revoke(made.kept.key_id, now_s=2.0)
        assert not opens(gate, made.secret)
        assert not opens(gate, None)


def test_keys_outlive_a_run(tmp_path: Path) -> None:
    """A server that starts later demands the keys, also where all are revoked."""
    file = tmp_path / "earmark.sqlite"
    made = new_key("ci", now_s=1.0)
    with closing(SqliteKeys(file)) as store:
        store.add(made.kept)
    with closing(SqliteKeys(file)) as store:
        assert AccessGate(store).admit(made.secret) == made.kept
        store.revoke(made.kept.key_id, now_s=2.0)
    with closing(SqliteKeys(file)) as store:
        assert not opens(AccessGate(store), None)
