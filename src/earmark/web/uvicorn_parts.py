"""The parts of uvicorn's protocol that the guard of the server stands on."""

from types import FunctionType
from typing import Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from earmark.errors import SettingsError

_USED: Final = frozenset(
    {
        "_unset_keepalive_if_required",
        "connection_lost",
        "connection_made",
        "connections",
        "cycle",
        "data_received",
        "flow",
        "headers",
        "loop",
        "on_body",
        "on_header",
        "on_headers_complete",
        "on_message_begin",
        "on_message_complete",
        "on_response_complete",
        "on_url",
        "parser",
        "pause_writing",
        "pipeline",
        "resume_writing",
        "send_400_response",
        "timeout_keep_alive_task",
        "transport",
        "url",
    }
)
"""What the guard uses of uvicorn's protocol."""


def check_protocol(protocol: type[object] = HttpToolsProtocol) -> None:
    """Refuse a version of uvicorn's protocol that the guard cannot extend.

    The guard uses parts that uvicorn does not promise, and any version may be installed.

    Raises:
        SettingsError: it lacks a part that the guard uses.
    """
    # The names in its code show which attributes its instances have, without a connection.
    codes = [each.__code__ for each in vars(protocol).values() if isinstance(each, FunctionType)]
    there = {*dir(protocol), *(name for code in codes for name in code.co_names)}
    missing = sorted(_USED - there)
    if missing:
        raise SettingsError(
            f"uvicorn {uvicorn.__version__} lacks {', '.join(missing)} of its HTTP protocol, on"
            " which the guard against slow clients stands; pip install 'uvicorn<0.55' helps"
        )
