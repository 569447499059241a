"""`earmark serve`: models behind HTTP."""

import socket
import sys
from contextlib import ExitStack

import structlog
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
from earmark.cli.flags import settings_from, takes
from earmark.cli.leaving import leaving_loads_behind
from earmark.cli.logs import configure_logs
from earmark.cli.problems import show_warning
from earmark.cli.reload import Reload, reload_on_hangup
from earmark.cli.signals import INTERRUPTED, stop_signals
from earmark.cli.systemd import Notifier, inherited_listener
from earmark.compose import Composition, composed, opened_gate, pinned
from earmark.serving.access.gate import AccessGate
from earmark.settings import KNOWN
from earmark.web.descriptors import raise_descriptor_limit
from earmark.web.serve import ServerEvents, open_socket, run_server

log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.cli")


@takes(*KNOWN)
def serve(**flags: object) -> None:
    """Serve models over HTTP, as the Hugging Face Inference API and Cloudflare Workers AI do.

    A flag left out is taken from its variable (EARMARK_PORT), then from the settings file. SIGINT
    stops the server once what it has accepted is answered; SIGTERM does so after --drain-s. SIGHUP
    reads the settings anew.
    """
    settings = settings_from(flags)
    notifier = Notifier()
    configure_logs(settings.log_format, settings.log_level)
    raise_descriptor_limit()
    for_people = sys.stderr.isatty() and settings.log_format == "console"
    console = Console(stderr=True, highlight=False, quiet=not for_people)
    with leaving_loads_behind(), stop_signals() as signals:
        # The address first: a port that is in use should be reported before a model is loaded.
        inherited = inherited_listener()
        with (
            inherited or open_socket(settings.host, settings.port) as listener,
            ExitStack() as stack,
        ):
            gate = stack.enter_context(opened_gate(settings))
            refuse_exposure(listener, gate, settings)
            progress = Download(console)
            models = [pinned(one, progress) for one in settings.named_models()]
            with console.status(f"loading {', '.join(one.model_id for one in models)}"):
                composition = stack.enter_context(
                    composed(settings, gate, models=models, loopback=is_loopback(listener))
                )
            signals.serving()
            reload = Reload(settings, lambda: settings_from(flags), notifier.ready)
            stack.enter_context(reload_on_hangup(notifier.reloading, reload))

            def listening() -> None:
                _announce(listener, composition, gate, console)
                notifier.ready()

            events = ServerEvents(
                listening=listening,
                stopping=notifier.stopping,
                alive=notifier.alive,
            )
            run_server(composition.app, listener, settings.server, events=events)
        if signals.forced:
            raise SystemExit(INTERRUPTED)


def _announce(
    listener: socket.socket,
    composition: Composition,
    gate: AccessGate,
    console: Console,
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
