"""What `earmark serve` says when it is ready."""

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
from earmark.serving.hub.rule import ANY, DENY, HubRule
from earmark.settings import KEY_VARIABLE
from earmark.tasks.task import TaskName

__all__ = ["address_of", "announce", "is_loopback", "show_banner"]

MOST_IDS_SHOWN = 8
"""A models folder may hold hundreds."""

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
        # Every interface: the loopback one is there for sure.
        host = "127.0.0.1" if bound.version == 4 else "::1"  # noqa: PLR2004 - the two there are
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(listener: socket.socket) -> bool:
    """Say whether only this machine can reach the socket."""
    return ip_address(listener.getsockname()[0]).is_loopback


def example(address: str, model: EngineInfo, *, keyed: bool) -> str:
    """Write a request that can be pasted into a shell, where a key stands in a variable."""
    body = shlex.quote(json.dumps(EXAMPLES[model.task]))
    key = f'-H "Authorization: Bearer ${KEY_VARIABLE}" ' if keyed else ""
    return f"curl {key}{address}/models/{model.model_id} -d {body}"


def show_banner(
    console: Console,
    address: str,
    models: Sequence[EngineInfo],
    *,
    keyed: bool,
    loadable: Sequence[str] = (),
    hub: HubRule = DENY,
) -> None:
    """Tell a person at a terminal.

    Args:
        console: of the terminal.
        address: as a URL.
        models: what is loaded.
        keyed: whether requests need an access key.
        loadable: ids of what is loaded when it is asked for.
        hub: which other models of the Hub are fetched when they are asked for.
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
    console.print()
    if models:
        console.print(table)
        console.print()
    if loadable:
        console.print(Text(f"loaded when asked for: {_few(loadable)}", style="dim"))
        console.print()
    if hub != DENY:
        what = "any model" if hub == ANY else str(hub)
        told = f"fetched from the Hugging Face Hub when asked for: {what} (--hub-models)"
        console.print(Text(told, style="dim"), soft_wrap=True)
        console.print()
    for model in models[:1]:
        # Soft: a line broken by us could not be pasted.
        console.print(Text(example(address, model, keyed=keyed)), soft_wrap=True)
        console.print()
    console.print(Text(f"Read and try the API at {address}/docs", style="dim"), soft_wrap=True)
    access = "Requests need an access key." if keyed else "No access key is needed."
    console.print(Text(f"{access} earmark keys --help tells more.", style="dim"))
    console.print(Text("Ctrl-C stops it, once what was accepted is answered.", style="dim"))
    console.print()


def announce(
    address: str,
    models: Sequence[EngineInfo],
    *,
    keyed: bool,
    loadable: Sequence[str] = (),
    hub: HubRule = DENY,
    warning: str | None,
) -> None:
    """Tell a log; arguments as in `show_banner`."""
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
    log.info("serving", address=address, **facts)
    if warning:
        log.warning(warning, address=address)


def _few(ids: Sequence[str]) -> str:
    more = len(ids) - MOST_IDS_SHOWN
    return ", ".join(ids[:MOST_IDS_SHOWN]) + (f" and {more} more" if more > 0 else "")
