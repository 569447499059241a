"""Sizes and times as operators write them: `8GB`, `500 MiB`, `30m`, `1.5h`."""

import re
from collections.abc import Mapping
from typing import Final

from earmark.errors import SettingsError

_WRITTEN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")
_BYTES: Final = {
    "": 1,
    "b": 1,
    **{f"{letter}{end}": 1000**n for n, letter in enumerate("kmgt", 1) for end in ("", "b")},
    **{f"{letter}i{end}": 1024**n for n, letter in enumerate("kmgt", 1) for end in ("", "b")},
}
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


def read_bytes(setting: str, written: str) -> int:
    """Read a size, such as `8GB` (10^9 each) or `8GiB` (2^30 each).

    Raises:
        SettingsError: it is none, or 0.
    """
    return int(_read(setting, written, _BYTES, "a size, such as 8GB or 500MB"))


def read_seconds(setting: str, written: str) -> float:
    """Read a time, such as `30m`, `90s` or `1.5h`.

    Raises:
        SettingsError: it is none, or 0.
    """
    return _read(setting, written, _SECONDS, "a time, such as 30m, 90s or 2h")


def _read(setting: str, written: str, units: Mapping[str, int], expected: str) -> float:
    found = _WRITTEN.fullmatch(written.strip())
    factor = None if found is None else units.get(found[2].lower())
    value = 0.0 if found is None or factor is None else float(found[1]) * factor
    if value < 1:
        raise SettingsError(f"{setting} is {written!r}: expected {expected}")
    return value
