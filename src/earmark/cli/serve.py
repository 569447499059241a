"""`earmark serve`: models behind HTTP."""

import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated

import structlog
from cyclopts import Parameter
from rich.console import Console

from earmark.cli.banner import (
    address_of,
    announce,
    elsewhere_of,
    is_loopback,
    show_banner,
)
from earmark.cli.download import Download
from earmark.cli.exposure import refuse_exposure, warn_of_exposure, warn_of_no_keys
from earmark.cli.flags import (
    DEFAULTS,
    ConfigFlag,
    EngineFlags,
    StateFlags,
    default,
    flag,
    settings_from,
    switch,
)
from earmark.cli.leaving import leaving_loads_behind
from earmark.cli.logs import configure_logs
from earmark.cli.problems import show_warning
from earmark.cli.signals import INTERRUPTED, stop_signals
from earmark.compose import Composition, composed, opened_gate, pinned
from earmark.serving.access.gate import AccessGate
from earmark.settings import LogFormat, LogLevel
from earmark.web.descriptors import raise_descriptor_limit
from earmark.web.serve import open_socket, run_server

__all__ = ["serve"]

log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.cli")


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class ServeFlags:
    """What is served, and to whom.

    Attributes:
        models: what to serve.
        preload: whether before listening.
        load_on_demand: whether to load others too.
        models_folder: where others are.
        hub_models: which of the Hub may be fetched.
        aliases: other names for models.
        cors_origins: whose pages may ask.
        hosts: what this machine is called, beside localhost.
        accounts: who may ask in the dialect of Workers AI.
        keep_answers_h: patience with whoever polls for a batch.
        max_loaded: how many of those at once.
        hold_s: patience with a load.
        load_timeout_s: how long one may take.
        host: where to listen.
        port: the same.
        max_batch_tokens: the largest batch.
        max_body_bytes: the longest request.
        strict: whether what nothing reads is refused.
        request_timeout_s: patience with a request.
        cache_bytes: memory for results.
        log_format: for people or for a collector.
        log_level: how grave a line has to be.
        allow_anonymous: lets other machines in without a key.
    """

    models: Annotated[
        list[str] | None,
        flag(
            "A bundled id, a folder, org/name of the Hub, or my-id=one of these; may be repeated.",
            name="--model",
        ),
        default("models", ", ".join(DEFAULTS.models)),
    ] = None
    preload: Annotated[
        bool | None,
        switch("Load these models before listening, not on demand.", off="--no-preload"),
        default("preload"),
    ] = None
    load_on_demand: Annotated[
        bool | None,
        switch("Load other models at hand when asked for.", off="--no-load-on-demand"),
        default("load_on_demand"),
    ] = None
    models_folder: Annotated[
        str | None,
        flag("Folders below it, such as org/name, are models to load on demand."),
        default("models_folder", "none"),
    ] = None
    hub_models: Annotated[
        list[str] | None,
        flag(
            "Models of the Hub that a request may have fetched: deny, any, or a pattern such as"
            " 'dslim/*'; may be repeated."
        ),
        default("hub_models", "any for this machine alone without keys, else deny"),
    ] = None
    aliases: Annotated[
        list[str] | None,
        flag(
            "Another name for a model, as name=model-id or name=model-id:int8; may be repeated.",
            name="--alias",
        ),
        default("aliases", "names of Workers AI for the models they are"),
    ] = None
    cors_origins: Annotated[
        list[str] | None,
        flag(
            "Origin whose pages may ask from a browser, as https://app.example; may be repeated.",
            name="--cors-origin",
        ),
        default("cors_origins", "any"),
    ] = None
    hosts: Annotated[
        list[str] | None,
        flag(
            "Name that a request's Host header may have, beside those of loopback, where the server"
            " listens on loopback without access keys; may be repeated.",
            name="--allowed-host",
        ),
        default("hosts", "none"),
    ] = None
    accounts: Annotated[
        list[str] | None,
        flag("Account that addresses of Workers AI may name; may be repeated.", name="--account"),
        default("accounts", "any"),
    ] = None
    keep_answers_h: Annotated[
        float | None,
        flag("Hours for which the answer to an asynchronous batch can be had."),
        default("keep_answers_h"),
    ] = None
    max_loaded: Annotated[
        int | None, flag("Models loaded on demand at once."), default("max_loaded")
    ] = None
    hold_s: Annotated[
        float | None,
        flag("Seconds for which a request waits for its model, if it does."),
        default("hold_s"),
    ] = None
    load_timeout_s: Annotated[
        float | None,
        flag("Seconds after which a load on demand has failed, downloads not counted."),
        default("load_timeout_s"),
    ] = None
    host: Annotated[str | None, flag("Address to listen on."), default("host")] = None
    port: Annotated[int | None, flag("0 takes any free one."), default("port")] = None
    max_batch_tokens: Annotated[
        int | None, flag("Tokens in the largest batch."), default("max_batch_tokens")
    ] = None
    max_body_bytes: Annotated[
        int | None, flag("Longer request bodies are refused."), default("max_body_bytes")
    ] = None
    strict: Annotated[
        bool | None,
        flag("Refuse parameters that nothing reads, rather than warn of them."),
        default("strict", "no"),
    ] = None
    request_timeout_s: Annotated[
        float | None,
        flag("Seconds until an unanswered request is given up."),
        default("request_timeout_s"),
    ] = None
    cache_bytes: Annotated[
        int | None,
        flag("Memory for results that may be given again; 0 keeps none."),
        default("cache_bytes"),
    ] = None
    log_format: Annotated[LogFormat | None, flag("How log lines look."), default("log_format")] = (
        None
    )
    log_level: Annotated[
        LogLevel | None,
        flag("Least grave log lines that are written; each request is one of info."),
        default("log_level"),
    ] = None
    allow_anonymous: Annotated[
        bool | None,
        flag("Listen on an address that others can reach although there is no access key."),
        default("allow_anonymous", "no"),
    ] = None


NO_SERVE_FLAGS = ServeFlags()
NO_ENGINE_FLAGS = EngineFlags()
NO_STATE_FLAGS = StateFlags()


def serve(
    *,
    flags: ServeFlags = NO_SERVE_FLAGS,
    engine: EngineFlags = NO_ENGINE_FLAGS,
    state: StateFlags = NO_STATE_FLAGS,
    config: ConfigFlag = None,
) -> None:
    """Serve models over HTTP, as the Hugging Face Inference API and Cloudflare Workers AI do.

    A flag left out is taken from its variable (EARMARK_PORT), then from the settings file. SIGINT
    and SIGTERM stop the server once what it has accepted is answered.
    """
    settings = settings_from(flags, engine, state, config=config)
    configure_logs(settings.log_format, settings.log_level)
    raise_descriptor_limit()
    for_people = sys.stderr.isatty() and settings.log_format == "console"
    console = Console(stderr=True, highlight=False, quiet=not for_people)
    with leaving_loads_behind(), stop_signals() as signals:
        # The address first: a port in use is worth knowing before a model is loaded.
        with open_socket(settings.host, settings.port) as listener, ExitStack() as stack:
            gate = stack.enter_context(opened_gate(settings))
            refuse_exposure(listener, gate, settings)
            progress = Download(console)
            models = [pinned(one, progress) for one in settings.named_models()]
            with console.status(f"loading {', '.join(one.model_id for one in models)}"):
                composition = stack.enter_context(
                    composed(settings, gate, models=models, loopback=is_loopback(listener))
                )
            signals.serving()
            run_server(
                composition.app,
                listener,
                on_listening=lambda: _ready(listener, composition, gate, console),
            )
        if signals.forced:
            raise SystemExit(INTERRUPTED)


def _ready(
    listener: socket.socket, composition: Composition, gate: AccessGate, console: Console
) -> None:
    address, keyed = address_of(listener), gate.demands_key
    elsewhere = elsewhere_of(listener)
    models, loadable = composition.models, composition.loadable
    hub = composition.hub.rule
    warnings = [*filter(None, (warn_of_exposure(listener, gate), warn_of_no_keys(gate)))]
    if console.quiet:
        announce(address, models, keyed=keyed, loadable=loadable, hub=hub, elsewhere=elsewhere)
        for warning in warnings:
            log.warning(warning, address=address)
        return
    show_banner(
        console, address, models, keyed=keyed, loadable=loadable, hub=hub, elsewhere=elsewhere
    )
    for warning in warnings:
        show_warning(warning)
