"""`earmark keys`: who may use the server."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.table import Table

from earmark.cli.flags import settings_from, takes
from earmark.cli.output import table_console
from earmark.cli.problems import show_note
from earmark.serving.access.keys import AccessKey, find_key, new_key
from earmark.serving.access.store import KeyStore, SqliteKeys

keys = App(name="keys", help_epilogue="Try: earmark keys create laptop")


class _Row(msgspec.Struct, frozen=True):
    """A key in a listing; its members in JSON have the order of these fields."""

    id: str
    name: str
    key: str
    created: str
    revoked: str | None


@keys.command(help_epilogue="Try: earmark keys create laptop")
@takes("state_folder")
def create(
    name: Annotated[str, Parameter(help="Any name, by which the key is listed and revoked.")],
    /,
    **flags: object,
) -> None:
    """Create a key and print it, alone, on standard output: it is shown this once.

    From the first key on, every request needs one, but those for health. A running server knows of
    a new key at its next request.
    """
    with _store(flags) as store:
        made = new_key(name, now_s=time.time())
        store.add(made.kept)
    sys.stdout.write(f"{made.secret}\n")
    show_note("the key is shown only this once; clients send it as Authorization: Bearer KEY")


@keys.command(name="list", help_epilogue="Try: earmark keys list --json")
@takes("state_folder")
def list_keys(
    *,
    json: Annotated[
        bool, Parameter(help="A JSON object per line.", negative=(), show_default=False)
    ] = False,
    **flags: object,
) -> None:
    """List the keys, revoked ones too, by all that is kept of them: not the keys themselves."""
    with _store(flags) as store:
        kept = store.all_keys()
    rows = [_row(key) for key in kept]
    if json:
        sys.stdout.buffer.write(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
        return
    if rows:
        # No markup: nothing here is meant to be any.
        table_console().print(_table(rows))
    _explain(kept)


@keys.command(help_epilogue="Try: earmark keys revoke laptop")
@takes("state_folder")
def revoke(
    key: Annotated[str, Parameter(help="Its name or its id.")],
    /,
    **flags: object,
) -> None:
    """Revoke a key: from a server's next request on, it lets nobody in.

    Revoking the last one does not open the server again.
    """
    with _store(flags) as store:
        found = find_key(store.all_keys(), key)
        store.revoke(found.key_id, now_s=time.time())
        kept = store.all_keys()
    show_note(f"{found.name} ({found.key_id}) is revoked")
    _explain(kept)


@contextmanager
def _store(flags: Mapping[str, object]) -> Iterator[KeyStore]:
    settings = settings_from(flags)
    with closing(SqliteKeys(settings.database)) as store:
        yield store


def _explain(kept: Sequence[AccessKey]) -> None:
    """Print what it means that no key is valid; nothing is printed while one is."""
    if not kept:
        show_note("no key was ever created: a server on loopback lets everyone in")
    elif all(key.revoked_s is not None for key in kept):
        show_note("every key is revoked: a server lets nobody in until another is created")


def _row(key: AccessKey) -> _Row:
    revoked = None if key.revoked_s is None else _moment(key.revoked_s)
    return _Row(key.key_id, key.name, key.shown, _moment(key.created_s), revoked)


def _moment(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="seconds")


def _table(rows: Sequence[_Row]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("id", style="cyan", no_wrap=True)
    table.add_column("name", overflow="fold")
    for name in ("key", "created (UTC)", "state"):
        table.add_column(name, no_wrap=True)
    for row in rows:
        revoked = f"revoked {_short(row.revoked)}" if row.revoked else "active"
        table.add_row(row.id, row.name, row.key, _short(row.created), revoked)
    return table


def _short(moment: str) -> str:
    """Shorten an ISO timestamp to the minute."""
    return moment[:16].replace("T", " ")
