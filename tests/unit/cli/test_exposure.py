"""Where a server may listen, and the warnings about it."""

import socket
from contextlib import closing

import pytest

from earmark.cli.exposure import refuse_exposure, warn_of_exposure, warn_of_no_keys
from earmark.errors import SettingsError
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.keys import new_key
from earmark.serving.access.store import KeysInMemory
from earmark.settings import Settings

EVERYWHERE = "0.0.0.0"  # noqa: S104 - under test


def gate(*, keyed: bool, revoked: bool = False) -> AccessGate:
    """Return a gate with one key or with none."""
    store = KeysInMemory()
    if keyed:
        key = new_key("ci", now_s=0.0).kept
        store.add(key)
        if revoked:
            store.revoke(key.key_id, now_s=1.0)
    return AccessGate(store)


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize("host", ["127.0.0.1", EVERYWHERE])
def test_others_get_in_without_a_key_only_where_that_is_wished_for(
    host: str,
    allowed: bool,  # noqa: FBT001 - pytest passes by name
    keyed: bool,  # noqa: FBT001 - the same
) -> None:
    """A server that others can reach without keys is refused unless the operator allows it."""
    settings = Settings(host=host, allow_anonymous=allowed)
    with closing(socket.create_server((host, 0))) as listener:
        if host == EVERYWHERE and not keyed and not allowed:
            with pytest.raises(SettingsError):
                refuse_exposure(listener, gate(keyed=keyed), settings)
        else:
            refuse_exposure(listener, gate(keyed=keyed), settings)
        warning = warn_of_exposure(listener, gate(keyed=keyed))
        assert bool(warning) == (host == EVERYWHERE and not keyed)


def test_a_server_whose_keys_are_all_revoked_may_listen_anywhere() -> None:
    """A server whose keys are all revoked may listen on any address."""
    with closing(socket.create_server((EVERYWHERE, 0))) as listener:
        refuse_exposure(listener, gate(keyed=True, revoked=True), Settings(host=EVERYWHERE))


def test_the_refusal_says_how_to_go_on() -> None:
    """The refusal has a command to paste, for the state folder in use."""
    settings = Settings(host=EVERYWHERE, state_folder="my state")
    with (
        closing(socket.create_server((EVERYWHERE, 0))) as listener,
        pytest.raises(SettingsError, match=r"no access key in my state.earmark\.sqlite") as told,
    ):
        refuse_exposure(listener, gate(keyed=False), settings)
    [hint] = told.value.__notes__
    assert hint.startswith("earmark keys create NAME --state-folder 'my state' makes")
    assert "--allow-anonymous" in hint


def test_a_server_whose_keys_are_all_revoked_says_that_nobody_can_get_in() -> None:
    """And how that is changed; where a key opens, or none was ever created, it says nothing."""
    told = warn_of_no_keys(gate(keyed=True, revoked=True))
    assert told is not None
    assert "nobody can get in until another is created with earmark keys create NAME" in told
    assert warn_of_no_keys(gate(keyed=True)) is None
    assert warn_of_no_keys(gate(keyed=False)) is None
