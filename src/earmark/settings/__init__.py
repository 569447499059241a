"""What the operator chose: flags over `EARMARK_*` variables over a TOML file over the defaults.

The only package that reads any of the three. A name is written ``--max-body-bytes`` on the command
line, ``EARMARK_MAX_BODY_BYTES`` in the environment and ``max_body_bytes`` in the file; models are
``--model`` (repeated), ``EARMARK_MODELS`` (separated by commas) and a list ``models``; aliases,
accounts and ``hub_models`` alike. Defaults stand beside the floor that uses the option, not here.
"""

from earmark.settings.named_model import NamedModel
from earmark.settings.reading import (
    CONFIG_FILE,
    CONFIG_VARIABLE,
    KEY_VARIABLE,
    read_settings,
    variable_of,
)
from earmark.settings.settings import LogFormat, LogLevel, Settings

__all__ = [
    "CONFIG_FILE",
    "CONFIG_VARIABLE",
    "KEY_VARIABLE",
    "LogFormat",
    "LogLevel",
    "NamedModel",
    "Settings",
    "read_settings",
    "variable_of",
]
