"""The rows of `make clients`."""

from clients.environments import CALLS
from clients.table import CLIENTS


def test_no_two_clients_are_taken_for_one() -> None:
    """By their names, or by the folders that they are installed in."""
    assert len({client.name for client in CLIENTS}) == len(CLIENTS)
    assert len({client.folder for client in CLIENTS}) == len(CLIENTS)


def test_every_client_has_a_script() -> None:
    """Which is what is asked of it."""
    assert [each.script for each in CLIENTS if not (CALLS / each.script).is_file()] == []


def test_what_is_installed_is_pinned() -> None:
    """So that a failure is a change of ours; curl alone is taken as it is found."""
    assert [client.package for client in CLIENTS if client.version is None] == ["curl"]
