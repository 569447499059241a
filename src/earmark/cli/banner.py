"""What `earmark serve` prints or logs when it is ready."""

import json
import shlex
import socket
from collections.abc import Mapping, Sequence
from ipaddress import ip_address

import structlog
from rich.console import Console
from rich.table import Table
from rich.text import Text

from earmark.engine.info import EngineInfo
from earmark.models.policy import ANY, DENY, HubRule
from earmark.settings import KEY_VARIABLE
from earmark.tasks.task import TaskName

_IPV4 = 4
_OTHERS = {
    _IPV4: (socket.AF_INET, "192.0.2.1"),
    6: (socket.AF_INET6, "2001:db8::1"),
}
"""Addresses that no machine has (RFC 5737, RFC 3849), to find the route to other machines."""

MOST_IDS_SHOWN = 8
"""The most models that are listed: a models folder may hold hundreds."""

log = structlog.get_logger("earmark.cli")

EXAMPLES: Mapping[TaskName, Mapping[str, object]] = {
    "text-classification": {"inputs": "I like it"},
    "zero-shot-classification": {
        "inputs": "I want my money back",
        "parameters": {"candidate_labels": ["refund", "legal", "faq"]},
    },
    "token-classification": {"inputs": "My name is Sarah and I live in London"},
}


def address_of(listener: socket.socket) -> str:
    """Return the address a client on this machine can use, as a URL."""
    host, port = listener.getsockname()[:2]
    bound = ip_address(host)
    if bound.is_unspecified:
        # Every interface: loopback is always one of them.
        host = "127.0.0.1" if bound.version == _IPV4 else "::1"
    return _url(host, port)


def elsewhere_of(listener: socket.socket) -> str | None:
    """Return an address that other machines can use, as a URL.

    None where `address_of` returns such an address already, or where only this machine can reach
    the socket.
    """
    host, port = listener.getsockname()[:2]
    bound = ip_address(host)
    if not bound.is_unspecified:
        return None
    return _url(_own_address(bound.version) or socket.gethostname(), port)


def _own_address(version: int) -> str | None:
    """Find the address that this machine sends from, without sending or looking up anything."""
    family, other = _OTHERS[version]
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as chosen:
            # For UDP, connecting only chooses a route: no packet is sent.
            chosen.connect((other, 9))
            found = str(chosen.getsockname()[0])
    except OSError:  # this machine has no route to others
        return None
    return None if ip_address(found).is_loopback else found


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(listener: socket.socket) -> bool:
    """Return whether only this machine can reach the socket."""
    return ip_address(listener.getsockname()[0]).is_loopback


def example(address: str, model: EngineInfo, *, keyed: bool) -> str:
    """Return a request that can be pasted into a shell; it takes the key from a variable."""
    body = shlex.quote(json.dumps(EXAMPLES[model.task]))
    key = f'-H "Authorization: Bearer ${KEY_VARIABLE}" ' if keyed else ""
    return f"curl {key}{address}/models/{model.model_id} -d {body}"


def show_banner(  # noqa: PLR0913 - each is a line of it
    console: Console,
    address: str,
    models: Sequence[EngineInfo],
    *,
    keyed: bool,
    loadable: Sequence[str] = (),
    hub: HubRule = DENY,
    elsewhere: str | None = None,
) -> None:
    """Print on a terminal that the server is ready.

    Args:
        console: of the terminal.
        address: as a URL.
        models: what is loaded.
        keyed: whether requests need an access key.
        loadable: ids of models that are loaded on demand.
        hub: which other models of the Hub are fetched on demand.
        elsewhere: the address that other machines can use, where it is a different one.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("model", "precision", "runtime"):
        table.add_column(name, no_wrap=name == "model")
    for name in ("max tokens", "loaded in"):
        table.add_column(name, justify="right")
    for model in models:
        table.add_row(
            Text(model.model_id, style="cyan"),
            model.precision,
            model.runtime,
            str(model.max_input_tokens),
            f"{model.load_s:.1f} s",
        )
    console.print(Text.assemble(("earmark", "bold"), " is serving at ", (address, "bold cyan")))
    if elsewhere:
        others = Text.assemble("and for other machines at ", (elsewhere, "bold cyan"))
        console.print(others, soft_wrap=True)
    console.print()
    if models:
        console.print(table)
        console.print()
    if loadable:
        console.print(Text(f"loaded when asked for: {_few(loadable)}", style="dim"))
        console.print()
    if hub != DENY:
        what = "any model" if hub == ANY else str(hub)
        line = f"fetched from the Hugging Face Hub when asked for: {what} (--hub-models)"
        console.print(Text(line, style="dim"), soft_wrap=True)
        console.print()
    for model in models[:1]:
        # Soft: a line with our line breaks could not be pasted.
        console.print(Text(example(address, model, keyed=keyed)), soft_wrap=True)
        console.print()
    console.print(Text(f"Read and try the API at {address}/docs", style="dim"), soft_wrap=True)
    access = "Requests need an access key." if keyed else "No access key is needed."
    console.print(Text(f"{access} See earmark keys --help.", style="dim"))
    console.print(Text("Ctrl-C stops it, once what was accepted is answered.", style="dim"))
    console.print()


def announce(
    address: str,
    models: Sequence[EngineInfo],
    *,
    keyed: bool,
    loadable: Sequence[str] = (),
    hub: HubRule = DENY,
    elsewhere: str | None = None,
) -> None:
    """Log that the server is ready; arguments as in `show_banner`."""
    for model in models:
        log.info(
            "model ready",
            model=model.model_id,
            precision=model.precision,
            runtime=model.runtime,
            max_tokens=model.max_input_tokens,
            load_s=round(model.load_s, 2),
        )
    facts = {"access": "keys" if keyed else "open", "hub_models": str(hub)}
    if loadable:
        facts["loadable"] = _few(loadable)
    if models:
        facts["example"] = example(address, models[0], keyed=keyed)
    if elsewhere:
        facts["elsewhere"] = elsewhere
    log.info("serving", address=address, **facts)


def _few(ids: Sequence[str]) -> str:
    more = len(ids) - MOST_IDS_SHOWN
    return ", ".join(ids[:MOST_IDS_SHOWN]) + (f" and {more} more" if more > 0 else "")
