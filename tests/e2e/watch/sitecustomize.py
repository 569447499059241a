"""Refuses and records every connection beyond loopback, in any process that imports it first.

Python imports a module of this name at its start (docs: `site`); the hook cannot be taken out again
(PEP 578). What is recorded goes to the file that ``CONNECTION_RECORD`` names.
"""

import ipaddress
import os
import sys

RECORD = os.environ["CONNECTION_RECORD"]
NAMES = frozenset({"localhost", "", "None"})


def _is_inside(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in NAMES


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    match event, arguments:
        case ("socket.connect" | "socket.sendto" | "socket.sendmsg", (_, (host, *_))):
            pass
        case ("socket.getaddrinfo" | "socket.gethostbyname", (host, *_)):
            pass
        case _:
            return
    name = host.decode() if isinstance(host, bytes) else str(host)
    if not _is_inside(name):
        with open(RECORD, "a", encoding="utf-8") as record:  # noqa: PTH123 - nothing more to import
            record.write(f"{event} {name}\n")
        raise PermissionError(f"{event} to {name}: this process may speak to loopback alone")


sys.addaudithook(_watch)
