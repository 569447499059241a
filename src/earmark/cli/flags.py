"""Flags that stand for settings, and how they become settings."""

import inspect
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, ParamSpec

from cyclopts import Parameter

from earmark.cli.problems import show_warning
from earmark.settings import (
    CONFIG_FILE,
    CONFIG_VARIABLE,
    KNOWN,
    KnownSetting,
    Settings,
    read_settings,
)

ENGINE = (
    "precision",
    "runtime",
    "threads",
    "certify",
    "tolerance",
    "cache_folder",
    "compiled_bytes",
)
"""Settings of a command that runs a model."""

_CONFIG = Annotated[
    Path | None,
    Parameter(
        help="Settings file; without it, one in the working directory is read if it is there.",
        show_default=lambda _: f"${CONFIG_VARIABLE}, else {CONFIG_FILE}",
    ),
]

P = ParamSpec("P")


def takes(*settings: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Give a command that takes `**flags` a flag for each of these settings and for their file.

    The flags that the command line names are in `flags`, for `settings_from`.
    """
    kinds = {name: _flag_of(KNOWN[name]) for name in settings} | {"config": _CONFIG}
    flags = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in kinds.items()
    ]

    def give(command: Callable[P, None]) -> Callable[P, None]:
        signature = inspect.signature(command)
        own = list(signature.parameters.values())[:-1]
        # `inspect.signature`, which cyclopts uses, looks here first.
        vars(command)["__signature__"] = signature.replace(parameters=[*own, *flags])
        return command

    return give


def _flag_of(known: KnownSetting) -> object:
    """Return the annotation of a setting's flag, with the setting's bounds."""
    kind, text = known.plain_kind, known.mark.help
    if known.takes_several:
        kind, text = list[str], text.removesuffix(".") + "; may be repeated."
    shown = f"${known.variable}, else {known.mark.default or _in_words(known.default)}"
    parameter = Parameter(
        name=known.flag,
        help=text,
        # Only a setting that is on by default needs a flag that turns it off.
        negative=f"--no-{known.flag[2:]}" if known.default is True else (),
        show_default=lambda _: shown,
    )
    return Annotated[kind | None, parameter]


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value)


def settings_from(flags: Mapping[str, object]) -> Settings:
    """Read the settings of this process, these flags first.

    Raises:
        SettingsError: a flag, a variable or the file is wrong.
    """
    named = dict(flags)
    config = named.pop("config", None)
    return read_settings(
        named,
        environ=os.environ,
        folder=Path.cwd(),
        config=config if isinstance(config, Path) else None,
        warn=show_warning,
    )
