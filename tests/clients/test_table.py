"""The rows of `make clients`."""

import re
from pathlib import Path

from clients.environments import CALLS
from clients.table import CLIENTS, Client


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


def test_readme_lists_what_is_run() -> None:
    """Every package with its version, and no version that is not run."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    table = readme.split("### Clients\n", 1)[1].split("\n### ", 1)[0]
    listed = {
        row.split("|")[1].split("`")[1]: row for row in table.splitlines() if row.startswith("| `")
    }
    for client in CLIENTS:
        row = listed[client.package] if client.package != "cloudflare" else table
        assert client.version is None or client.version in row, client.name
        for package, version in _also(client):
            assert package in row, client.name
            assert version in row, client.name
    run = {version for client in CLIENTS for version in _versions(client)}
    assert set(re.findall(r"\d+\.\d+\.\d+", table)) == run


def _versions(client: Client) -> set[str]:
    also = (version for _, version in _also(client))
    return {*also, *([client.version] if client.version else [])}


def _also(client: Client) -> list[tuple[str, str]]:
    """Read the further packages, as ``package==version``, ``package@version`` or an npm alias."""
    pinned = (one.rpartition("npm:")[2] for one in client.also if one != "aiohttp")
    return [
        (package, version) for package, version in (re.split(r"==|(?<=.)@", one) for one in pinned)
    ]
