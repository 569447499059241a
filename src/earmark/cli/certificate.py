"""`earmark models --certificate ID`: how far a model is from its reference, on this machine."""

import sys
from collections.abc import Sequence

import msgspec
from rich.table import Table
from rich.text import Text

from earmark.cli.output import table_console
from earmark.compose import loaded_engine
from earmark.engine.certificate import Certificate
from earmark.engine.info import EngineInfo
from earmark.errors import SettingsError
from earmark.settings import NamedModel, Settings


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON object; its members have the order of these fields."""

    id: str
    precision: str
    requested_precision: str
    runtime: str
    device: str
    certificate: Certificate | None
    passed_over: tuple[Certificate, ...]


def show_certificate(
    settings: Settings, models: Sequence[NamedModel], model_id: str, *, json: bool
) -> None:
    """Load a model as it would be served, and print its certificate.

    A certificate that an earlier load has made is taken as it is; otherwise this load makes it.

    Args:
        settings: how the model is to run.
        models: those at hand.
        model_id: one of their ids.
        json: one object instead of a table.

    Raises:
        SettingsError: no model at hand has that id.
        CheckpointError: it cannot be loaded.
    """
    model = next((one for one in models if one.model_id == model_id), None)
    if model is None:
        raise SettingsError(
            f"no model at hand is called {model_id!r}; earmark models lists those that are"
        )
    with loaded_engine(settings, model) as engine:
        info = engine.info
    if json:
        written = msgspec.json.encode(_written(info))
        sys.stdout.buffer.write(msgspec.json.format(written, indent=2) + b"\n")
        return
    console = table_console()
    console.print(Text(info.model_id, style="bold"))
    console.print(_facts(info))
    for certificate in (*info.passed_over, *filter(None, [info.certificate])):
        console.print()
        console.print(_findings(certificate))
    if info.certificate is None:
        console.print()
        console.print(_why_none(settings))


def _written(info: EngineInfo) -> _Written:
    return _Written(
        id=info.model_id,
        precision=info.precision,
        requested_precision=info.requested_precision,
        runtime=info.runtime,
        device=info.device,
        certificate=info.certificate,
        passed_over=info.passed_over,
    )


def _facts(info: EngineInfo) -> Table:
    table = _table()
    asked = info.requested_precision
    table.add_row("runs in", info.precision + (f", asked for {asked}" if asked == "auto" else ""))
    table.add_row("on", f"{info.runtime}, {info.device}")
    return table


def _findings(found: Certificate) -> Table:
    table = _table()
    close = f"{found.close_calls} close call{'' if found.close_calls == 1 else 's'}"
    style, verdict = ("green", "holds") if found.holds else ("bold red", "does not hold")
    table.add_row("certificate", Text(f"{found.precision} {verdict}", style=style))
    table.add_row("held against", found.reference)
    table.add_row("asked", f"{found.texts} texts, {found.answers} answers compared")
    table.add_row(
        "probabilities",
        f"{found.greatest_difference:.2g} apart at most, {found.mean_difference:.2g} on average; "
        f"{found.tolerance:g} would pass",
    )
    table.add_row("labels", f"{found.disagreements} differ, apart from {close}")
    return table


def _why_none(settings: Settings) -> Text:
    if settings.engine.reference == "off":
        return Text("No certificate: certify is off.")
    return Text("No certificate: float32 is the reference itself.")


def _table() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True, min_width=len("probabilities"))
    table.add_column(overflow="fold")
    return table
