"""Checks whether a server may be reached from other machines without a key."""

import shlex
import socket

from earmark.cli.banner import is_loopback
from earmark.errors import SettingsError
from earmark.serving.access.gate import AccessGate
from earmark.settings import Settings

OPEN_DOOR = (
    "this address can be reached from other machines, and there is no access key yet: anyone who"
    " reaches it can use the models"
)

NO_WAY_IN = (
    "every access key is revoked, so that nobody can get in until another is created with"
    " earmark keys create NAME"
)


def refuse_exposure(listener: socket.socket, gate: AccessGate, settings: Settings) -> None:
    """Refuse to start a server that lets other machines in without a key, unless that is chosen.

    Raises:
        SettingsError: the server would, and that was not chosen.
        StateUnavailable: the access keys cannot be read.
    """
    if settings.allow_anonymous or is_loopback(listener) or gate.demands_key:
        return
    error = SettingsError(
        f"{settings.host} can be reached from other machines, and there is no access key in "
        f"{settings.database}: anyone who reaches it could use the models"
    )
    folder = settings.state_folder
    there = f" --state-folder {shlex.quote(folder)}" if folder is not None else ""
    error.add_note(
        f"earmark keys create NAME{there} makes a key, which is demanded from then on;"
        " --allow-anonymous lets everyone in"
    )
    raise error


def warn_of_exposure(listener: socket.socket, gate: AccessGate) -> str | None:
    """Return a warning for an operator who chose it; None where there is no danger."""
    return None if is_loopback(listener) or gate.demands_key else OPEN_DOOR


def warn_of_no_keys(gate: AccessGate) -> str | None:
    """Return a warning for an operator whose server lets nobody in; None for other servers."""
    return NO_WAY_IN if gate.opens_to_nobody else None
