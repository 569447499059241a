"""`earmark models`: lists bundled models and those of the settings, without loading them."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter
from rich.table import Table

from earmark.checkpoint.bundled import bundled_ids
from earmark.checkpoint.config import read_config
from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.hub.access import HubAccess
from earmark.checkpoint.hub.cache import cached_models
from earmark.checkpoint.ref import BundledRef, FolderRef, HubRef, ModelRef
from earmark.cli.flags import ENGINE, settings_from, takes
from earmark.cli.output import table_console
from earmark.cli.problems import show_warning
from earmark.engine.load import tasks_of
from earmark.engine.model import open_at_hand
from earmark.engine.ways.choice import choose_way
from earmark.errors import CheckpointError
from earmark.settings import NamedModel

MOST_LABELS_SHOWN = 3
TABLE_DIGITS = 7
"""Digits of a commit, as git shows it: a table has to fit 80 columns."""
MEGABYTE = 1_000_000


class _Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts in a checkpoint's files."""

    task: str
    labels: tuple[str, ...]
    architecture: str
    parameters: int
    stored_precision: str
    size_bytes: int


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """One model; its members in JSON have the order of these fields."""

    id: str
    source: str
    folder: str
    revision: str | None
    facts: _Facts | None
    problem: str | None


@takes("models_folder", *ENGINE, "state_folder")
def models(
    *,
    json: Annotated[
        bool, Parameter(help="One JSON array instead of a table.", negative=(), show_default=False)
    ] = False,
    certificate: Annotated[
        str | None,
        Parameter(
            name="--certificate",
            help="Load this model, and show how far it is from its reference here.",
            show_default=lambda _: "none",
        ),
    ] = None,
    **flags: object,
) -> None:
    """List the models at hand: in the box, the settings, the models folder, the Hub's cache.

    Nothing is fetched, or loaded but for a certificate; the facts are those of the files. A model
    that cannot be read is listed with what is wrong with it, but of the Hub's cache only what
    earmark can run.
    """
    settings = settings_from(flags)
    bundled = tuple(NamedModel(name, BundledRef(name)) for name in bundled_ids())
    named = (*bundled, *(one for one in settings.named_models() if one not in bundled))
    catalogue = settings.catalogue()
    known = tuple(map(catalogue.find, catalogue.ids())) if catalogue else ()
    taken = {one.model_id for one in named}
    below = (NamedModel(one.model_id, one.ref) for one in known if one)
    at_hand = (*named, *(one for one in below if one.model_id not in taken))
    if certificate is not None:
        # Imports the runtimes, which a list does not need.
        from earmark.cli.certificate import show_certificate  # noqa: PLC0415

        show_certificate(settings, at_hand, certificate, json=json)
        return
    rows = [_describe(model) for model in at_hand]
    listed = {row.folder for row in rows}
    rows.extend(row for row in _cached_rows() if row.folder not in listed)
    if json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n")
        return
    # No markup: a label or a folder's name may hold brackets.
    table_console().print(_table(rows))
    for row in rows:
        if row.problem:
            show_warning(f"{row.id}: {row.problem}")


_SOURCES: Final[Mapping[type[ModelRef], str]] = {
    BundledRef: "bundled",
    FolderRef: "folder",
    HubRef: "hub",
}


def _describe(model: NamedModel) -> _Row:
    facts, problem, folder, revision = None, None, str(model.ref), None
    try:
        repository = open_at_hand(model.ref)
        folder, revision = str(repository.folder), repository.revision
        facts = _read_facts(repository)
    except CheckpointError as error:
        problem = str(error)
    return _Row(
        id=model.model_id,
        source=_SOURCES[type(model.ref)],
        folder=folder,
        revision=revision,
        facts=facts,
        problem=problem,
    )


def _cached_rows() -> Iterator[_Row]:
    """List the other models in the Hub's cache that earmark can run."""
    for one in cached_models(HubAccess.of_environment().cache):
        commit = one.ref.revision
        repository = LocalRepository.open(one.folder, source=one.ref.shown, revision=commit)
        with suppress(CheckpointError):
            yield _Row(
                id=one.ref.repo,
                source="hub",
                folder=str(one.folder),
                revision=commit,
                facts=_read_facts(repository),
                problem=None,
            )


def _read_facts(repository: LocalRepository) -> _Facts:
    """Read a checkpoint's config, and the header of its weights.

    Raises:
        CheckpointError: a file is missing or malformed, or the architecture is not supported.
    """
    config = read_config(repository.require("config.json"))
    choice = choose_way(repository, config)
    stored = choice.stored(repository)
    labels = choice.config.labels()
    return _Facts(
        task=tasks_of(choice.head, labels)[0],
        labels=labels.names,
        architecture=choice.config.model_type,
        parameters=stored.parameters,
        stored_precision=stored.precision,
        size_bytes=stored.size_bytes,
    )


def _table(rows: Sequence[_Row]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("model", style="cyan", no_wrap=True)
    for name, wraps in {
        "task": False,
        "labels": True,
        "model type": False,
        "weights": False,
    }.items():
        table.add_column(name, no_wrap=not wraps)
    table.add_column("from", overflow="fold")
    for row in rows:
        table.add_row(row.id, *_cells(row.facts), _origin(row))
    return table


def _origin(row: _Row) -> str:
    if row.source == "hub" and row.revision is not None:
        return f"Hub @{row.revision[:TABLE_DIGITS]}"
    return row.folder if row.source == "folder" else row.source


def _cells(facts: _Facts | None) -> tuple[str, ...]:
    if facts is None:
        return ("cannot be read", "", "", "")
    shown = facts.labels[:MOST_LABELS_SHOWN]
    more = len(facts.labels) - len(shown)
    labels = ", ".join(shown) + (f", … ({more} more)" if more > 0 else "")
    weights = f"{facts.stored_precision} {facts.size_bytes / MEGABYTE:.1f} MB"
    # Without the ending that all of them share, so that the table fits 80 columns.
    task = facts.task.removesuffix("-classification")
    return (task, labels, facts.architecture, weights)
