"""`earmark pull`: models of the Hugging Face Hub, fetched before they are needed."""

from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from earmark.checkpoint.bundled import bundled_ids
from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.ref import HubRef
from earmark.cli.download import MEGABYTE, Download
from earmark.cli.logs import configure_logs
from earmark.errors import SettingsError


def pull(
    *models: Annotated[
        str, Parameter(help="Models of the Hub: org/name or org/name@revision.", negative=())
    ],
) -> None:
    """Fetch models of the Hugging Face Hub: those of their files that earmark reads.

    They lie in the cache of huggingface_hub, which HF_HOME or HF_HUB_CACHE chooses. What is there
    is not fetched again, and what broke off goes on where it stopped.
    """
    if not models:
        raise SettingsError("no model named; expected one or more such as org/name@revision")
    configure_logs("console")
    wanted = [(one, _hub_ref(one)) for one in models]
    out = Console(highlight=False, markup=False, soft_wrap=True)
    for written, ref in wanted:
        progress = Download(Console(stderr=True, highlight=False))
        repository = _fetch(ref, progress)
        got = progress.fetched_bytes
        outcome = f"fetched {got / MEGABYTE:,.1f} MB" if got else "all of it was there"
        out.print(f"{written}: {outcome}")
        out.print(f"  commit  {repository.revision}")
        out.print(f"  folder  {repository.folder}")


def _hub_ref(written: str) -> HubRef:
    ref = HubRef.read(written)
    if ref is None or written in bundled_ids():
        reason = "is in the box already" if ref else "cannot be a model of the Hub"
        raise SettingsError(f"{written!r} {reason}; expected org/name or org/name@revision")
    return ref


def _fetch(ref: HubRef, progress: Download) -> LocalRepository:
    # Imported here: --help and a mistyped name need not wait for the Hub's library.
    from earmark.checkpoint.hub.fetch import fetch  # noqa: PLC0415
    from earmark.engine.ways.choice import runs_from_weights  # noqa: PLC0415

    return fetch(ref, progress, from_weights=runs_from_weights)
