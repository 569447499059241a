"""An environment for each client, made once and again when its row in the table changes."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from clients.table import Client, Platform

CALLS = Path(__file__).parent / "calls"
FOLDER = Path(__file__).parents[2] / ".venv-clients"
"""Ignored by git and emptied by `make clean`, as its name says."""

INSTALL_S = 300.0
"""Hundreds of megabytes at most: minutes on a loaded machine."""

_PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")
_INSTALL = ("install", "--no-compile")
"""Most of what is installed is never imported, and Python compiles what is."""
_NPM = ("install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
_NEEDED: Mapping[Platform, tuple[str, ...]] = {
    "python": (sys.executable,),
    "node": ("node", "npm"),
    "bun": ("npm",),  # which installs the runtime itself
    "deno": ("npm",),
    "curl": ("curl",),
}


class CannotInstall(Exception):
    """A client's environment could not be made; the installer's own words say why."""


def missing_programs() -> Mapping[Platform, str]:
    """Name, by platform, the first program that it needs and this machine lacks."""
    return {
        platform: next(name for name in needed if shutil.which(name) is None)
        for platform, needed in _NEEDED.items()
        if any(shutil.which(name) is None for name in needed)
    }


def prepare(client: Client, *, tell: Callable[[str], None]) -> Path:
    """Make the environment of a client where it is not there yet.

    Args:
        client: a row of the table.
        tell: told what takes a while, before it does.

    Returns:
        Its folder; for a client that needs no package, that of the scripts.

    Raises:
        CannotInstall: the installer failed, or took too long.
    """
    if not client.requirements:
        return CALLS
    folder = FOLDER / client.folder
    stamp = folder / ".installed"
    wanted = "\n".join((*client.requirements, sys.version))
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return folder
    tell(f"installing {' and '.join(client.requirements)} (once)")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if client.platform == "python":
        _run([sys.executable, "-m", "venv", "--without-pip", str(folder)], folder)
        # The pip of this environment fills it: making one of its own takes seconds.
        into = ("--python", str(_python(folder)))
        _run([sys.executable, *_PIP, *into, *_INSTALL, *client.requirements], folder)
    else:
        # What npm would otherwise look for further up, and write into.
        (folder / "package.json").write_text('{"private": true}\n', "utf-8")
        _run([_program("npm"), *_NPM, *client.requirements], folder)
    stamp.write_text(wanted, "utf-8")
    return folder


def command_of(client: Client, folder: Path) -> list[str]:
    """Return the words that run a client's script in its environment.

    A JavaScript module finds packages by where it lies, so the scripts are copied beside them.
    """
    if client.platform == "python":
        return [str(_python(folder)), str(CALLS / client.script)]
    if client.platform == "curl":
        return [sys.executable, str(CALLS / client.script)]
    for each in CALLS.glob("*.mjs"):
        shutil.copy(each, folder)
    script = str(folder / client.script)
    runtimes = folder / "node_modules" / ".bin"
    if client.platform == "bun":
        return [str(runtimes / "bun"), "run", script]
    if client.platform == "deno":
        return [str(runtimes / "deno"), "run", "--allow-all", "--node-modules-dir=manual", script]
    return [_program("node"), script]


def _python(folder: Path) -> Path:
    windows = folder / "Scripts" / "python.exe"
    return windows if windows.exists() else folder / "bin" / "python"


def _program(name: str) -> str:
    return shutil.which(name) or name


def _run(words: Sequence[str], folder: Path) -> None:
    try:
        subprocess.run(  # noqa: S603 - our own words
            words, cwd=folder, check=True, capture_output=True, text=True, timeout=INSTALL_S
        )
    except subprocess.CalledProcessError as error:
        raise CannotInstall(error.stderr.strip() or error.stdout.strip()) from error
    except subprocess.TimeoutExpired as error:
        raise CannotInstall(f"{words[0]} did not end within {INSTALL_S:.0f} s") from error
