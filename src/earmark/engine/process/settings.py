"""What the program of an engine process is started with; imports nothing that starts a thread."""

from typing import Literal

import msgspec


class EngineProcessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine process has to know of the server's settings.

    Attributes:
        database: file of certificates.
        compiled_folder: where compiled models are kept.
        compiled_bytes: how many of them.
        log_format: how log lines look.
        log_level: the least grave ones that are written.
        sandbox: whether to take away what running a model does not need.
    """

    database: str
    compiled_folder: str
    compiled_bytes: int
    log_format: Literal["console", "json"]
    log_level: Literal["debug", "info", "warning", "error"]
    sandbox: bool = False
