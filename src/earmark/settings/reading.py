"""Reads the sources of settings: flags over `EARMARK_*` variables over a TOML file.

`cyclopts.config` is not used. It reads variables and files for one command at a time: it refuses a
key that is no flag of that command, or accepts misspelt keys as well. It names keys and variables
like flags (``model``), ignores unknown variables, refuses empty ones, splits lists at spaces, and
accepts text for numbers.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, get_args, get_origin

import msgspec

from earmark.domain.near_names import expected_one_of, nearest
from earmark.errors import SettingsError
from earmark.settings.known import PREFIX, KnownSetting
from earmark.settings.settings import KNOWN, Settings, settings_of

CONFIG_FILE = "earmark.toml"
"""The file that is read from the working directory when no other is named; it need not be there."""
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
"""Names the TOML file, as ``--config`` does."""
KEY_VARIABLE = f"{PREFIX}KEY"
"""The variable of a client's access key in examples; no setting, but often set beside them."""

_NO_SETTINGS = frozenset({CONFIG_VARIABLE, KEY_VARIABLE})
_VARIABLES = {one.variable: one for one in KNOWN.values()}


def read_settings(
    flags: Mapping[str, object],
    *,
    environ: Mapping[str, str],
    folder: Path,
    config: Path | None = None,
    warn: Callable[[str], None],
) -> Settings:
    """Read every source of settings; the first that names one wins.

    Args:
        flags: values on the command line, by setting; None for a flag that is not there.
        environ: the environment's variables.
        folder: where `CONFIG_FILE` is looked for.
        config: a TOML file to read instead, which must be there.
        warn: called for each unknown ``EARMARK_`` variable.

    Raises:
        SettingsError: a value is malformed, the file has an unknown key, or it cannot be read.
    """
    named = config or _named_file(environ)
    file = named or folder / CONFIG_FILE
    return settings_of(
        (_read_file(file) if named or file.exists() else {})
        | _read_environment(environ, warn=warn)
        | _read_flags(flags)
    )


def _named_file(environ: Mapping[str, str]) -> Path | None:
    name = environ.get(CONFIG_VARIABLE)
    return Path(name) if name else None


def _read_file(file: Path) -> dict[str, object]:
    """Read a settings file, every key of which must be a setting."""
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise SettingsError(f"the settings file {file} cannot be read: {why}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"the settings file {file} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"the settings file {file} is not TOML: {error}") from error
    for key in table:
        if key not in KNOWN:
            raise SettingsError(
                f"{file}: {key!r} is no setting{_suggest(key, KNOWN)}; "
                f"settings are {', '.join(KNOWN)}"
            )
    return {key: _check(f"{file}: {key}", KNOWN[key], value) for key, value in table.items()}


def _read_environment(
    environ: Mapping[str, str], *, warn: Callable[[str], None]
) -> dict[str, object]:
    """Read the variables; an empty one counts as not set, as in most tools."""
    values: dict[str, object] = {}
    for name, text in environ.items():
        known = _VARIABLES.get(name)
        if known is not None and text:
            value = [part.strip() for part in text.split(",")] if known.takes_several else text
            values[known.name] = _check(name, known, value, strict=False)
        elif known is None and name.startswith(PREFIX) and name not in _NO_SETTINGS:
            warn(f"the environment variable {name} means nothing{_suggest(name, _VARIABLES)}")
    return values


def _read_flags(flags: Mapping[str, object]) -> dict[str, object]:
    return {
        key: _check(KNOWN[key].flag, KNOWN[key], value)
        for key, value in flags.items()
        if value is not None
    }


def _check(shown: str, known: KnownSetting, value: object, *, strict: bool = True) -> object:
    """Return a value in its setting's type.

    Args:
        shown: the source of the value, as the operator would write it.
        known: the setting.
        value: as found.
        strict: False also takes numbers written as text.
    """
    try:
        return msgspec.convert(value, known.kind, strict=strict)
    except msgspec.ValidationError as error:
        if known.plain_kind is bool:
            reason = "expected true or false"
        elif choices := _choices(known.plain_kind):
            reason = expected_one_of(value, choices)
        else:
            # Every variable is text, so that the message need not name that type.
            reason = _plain(str(error)).removesuffix("" if strict else ", got str")
        raise SettingsError(f"{shown} is {value!r}: {reason}") from error


def _plain(complaint: str) -> str:
    """Turn msgspec's words, "Expected `int` <= 65535", into a sentence."""
    return complaint[:1].lower() + complaint[1:].replace("`", "")


def _choices(kind: object) -> tuple[str, ...]:
    return get_args(kind) if get_origin(kind) is Literal else ()


def _suggest(name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f" (did you mean {near}?)" if near else ""
