"""The flags that commands share, and how they become settings."""

import os
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Annotated, ClassVar, Protocol

from cyclopts import Parameter

from earmark.cli.problems import show_warning
from earmark.engine.certificate import TOLERANCES, ReferenceKind
from earmark.graph.precision import Precision
from earmark.runtime.session import RuntimeName
from earmark.settings import (
    CONFIG_FILE,
    CONFIG_VARIABLE,
    Settings,
    read_settings,
    variable_of,
)

__all__ = [
    "DEFAULTS",
    "ConfigFlag",
    "EngineFlags",
    "StateFlags",
    "default",
    "flag",
    "settings_from",
    "switch",
]

DEFAULTS = Settings()
_TOLERANCES = ", ".join(f"{value:g} for {name}" for name, value in TOLERANCES.items())


def flag(help_text: str, *, name: str | None = None) -> Parameter:
    """Describe a flag that stands for a setting; None on the command line means not named."""
    return Parameter(name=name, help=help_text, negative=())


def switch(help_text: str, *, off: str) -> Parameter:
    """Describe a flag that is on or off; None on the command line means not named."""
    return Parameter(help=help_text, negative=off)


def default(setting: str, shown: str | None = None) -> Parameter:
    """Show in the help where a setting comes from when its flag is not named."""
    variable = variable_of(setting)
    return Parameter(
        show_default=lambda _: f"${variable}, else {shown or getattr(DEFAULTS, setting)}"
    )


ConfigFlag = Annotated[
    Path | None,
    flag("Settings file; without it, one in the working directory is read if it is there."),
    Parameter(show_default=lambda _: f"${CONFIG_VARIABLE}, else {CONFIG_FILE}"),
]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFlags:
    """How a model is run.

    Attributes:
        precision: what the graph computes in.
        runtime: what runs it.
        threads: for one batch.
        certify: what it is held against.
        tolerance: how far from that it may be.
        cache_folder: holds what is compiled.
        compiled_bytes: how much of that.
    """

    precision: Annotated[
        Precision | None, flag("What the model computes in."), default("precision")
    ] = None
    runtime: Annotated[
        RuntimeName | None,
        flag("What runs the model; what nothing else runs goes to PyTorch."),
        default("runtime"),
    ] = None
    threads: Annotated[
        int | None, flag("Threads for one batch."), default("threads", "all cores")
    ] = None
    certify: Annotated[
        ReferenceKind | None,
        flag("What a model is held against when it is loaded; auto takes what passes."),
        default("certify"),
    ] = None
    tolerance: Annotated[
        float | None,
        flag("Greatest difference of a probability that passes."),
        default("tolerance", _TOLERANCES),
    ] = None
    cache_folder: Annotated[
        str | None,
        flag("Folder of compiled models, with which the next start is quicker."),
        default("cache_folder", str(DEFAULTS.compiled_folder.parent)),
    ] = None
    compiled_bytes: Annotated[
        int | None, flag("Disk for compiled models; 0 keeps none."), default("compiled_bytes")
    ] = None


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class StateFlags:
    """Where a run finds what earlier ones left.

    Attributes:
        state_folder: holds the database.
    """

    state_folder: Annotated[
        str | None,
        flag("Folder of what outlives a run, such as access keys."),
        default("state_folder", str(DEFAULTS.database.parent)),
    ] = None


class Flags(Protocol):
    """A dataclass whose fields are flags: named as settings, None where not given."""

    __dataclass_fields__: ClassVar[dict[str, Field[object]]]


def settings_from(*flags: Flags, config: Path | None) -> Settings:
    """Read the settings of this process, these flags first.

    Raises:
        SettingsError: a flag, a variable or the file is wrong.
    """
    named = {one.name: getattr(group, one.name) for group in flags for one in fields(group)}
    return read_settings(
        named, environ=os.environ, folder=Path.cwd(), config=config, warn=show_warning
    )
