"""The settings: flags over `EARMARK_*` variables over a TOML file over the defaults.

The only package that reads any of the three. A setting is stated once, as a field marked with
`domain.setting.Setting`: in the options of the package that uses it, or in `Settings` where no
lower package has it. A setting ``port`` is ``--port`` on the command line, ``EARMARK_PORT`` in the
environment and ``port`` in the file. One of several values is a flag that repeats (``--model``), a
variable with commas (``EARMARK_MODELS``) and a list in the file (``models``).
"""

from earmark.settings.known import KnownSetting, values_of
from earmark.settings.named_model import NamedModel
from earmark.settings.reading import (
    CONFIG_FILE,
    CONFIG_VARIABLE,
    KEY_VARIABLE,
    read_settings,
)
from earmark.settings.settings import KNOWN, LogFormat, LogLevel, Settings, runs_in_processes

__all__ = [
    "CONFIG_FILE",
    "CONFIG_VARIABLE",
    "KEY_VARIABLE",
    "KNOWN",
    "KnownSetting",
    "LogFormat",
    "LogLevel",
    "NamedModel",
    "Settings",
    "read_settings",
    "runs_in_processes",
    "values_of",
]
