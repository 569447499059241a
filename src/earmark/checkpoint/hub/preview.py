"""Describes a model of the Hub before its weights are fetched: its files and `config.json`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Must be imported before the library: see `access`.
from earmark.checkpoint.hub.access import HubAccess  # isort: skip

from earmark.checkpoint.files.names import CONFIG_FILE
from earmark.checkpoint.hub.cache import CachedRepo
from earmark.checkpoint.hub.errors import plain_errors
from earmark.checkpoint.hub.fetch import (
    FromWeights,
    HubListing,
    fetch,
    fetch_config,
    look_up,
    refuse_unreadable,
    without_unread_weights,
)
from earmark.checkpoint.hub.files import is_index, needed_files, small_files, weights_file
from earmark.checkpoint.hub.header import fetch_header
from earmark.checkpoint.hub.progress import HubProgress
from earmark.checkpoint.ref import HubRef
from earmark.checkpoint.weights.files import INDEX_SUFFIX
from earmark.checkpoint.weights.tensor_source import TensorSource
from earmark.errors import CheckpointNotFound, HubUnavailable, UnsupportedCheckpoint

SAFETENSORS_SUFFIX = ".safetensors"
LARGEST_CONFIG = 4_000_000
"""Largest config, in bytes; that of a classifier with tens of thousands of labels has 2 MB."""


@dataclass(frozen=True, slots=True)
class HubPreview:
    """A model of the Hub at one commit, of which only the config is fetched.

    Attributes:
        ref: with the whole commit.
        config: its `config.json`, in the cache.
        names: names of the files that a load will find.
        weights_bytes: size of its weights.
        to_come_bytes: how much the cache lacks of the weights and the small files.
        access: the access that it was looked up with.
    """

    ref: HubRef
    config: Path
    names: frozenset[str]
    weights_bytes: int
    to_come_bytes: int
    access: HubAccess

    @property
    def source(self) -> str:
        """The name of the model, for messages."""
        return self.ref.shown

    @property
    def revision(self) -> str | None:
        """The commit."""
        return self.ref.revision

    def find(self, file: str) -> Path | None:
        """Return the path that a file will have; None if the checkpoint has no such file."""
        return self.config.parent / file if file in self.names else None

    def header(self, path: Path) -> TensorSource | None:
        """Read the header of a `.safetensors` file; None for other formats.

        Raises:
            CheckpointError: as for `fetch_header`.
        """
        if path.suffix != SAFETENSORS_SUFFIX:
            return None
        return fetch_header(self.ref, path.name, self.access)

    def require(self, *alternatives: str) -> Path:
        """Return the path that the first available file of some will have.

        Raises:
            CheckpointNotFound: none is there.
        """
        found = next(filter(None, map(self.find, alternatives)), None)
        if found is None:
            raise CheckpointNotFound(f"{self.source} has no {' or '.join(alternatives)}")
        return found


def preview(
    ref: HubRef, access: HubAccess | None = None, *, from_weights: FromWeights
) -> HubPreview:
    """Ask the Hub what a model is, and fetch its config.

    If the Hub must not be asked (``HF_HUB_OFFLINE``) or cannot be reached, the commit in the cache
    is taken, if all that a load needs is there.

    Args:
        ref: the model.
        access: the Hub, the token and the cache; those of the environment if not given.
        from_weights: as for `hub.without_unread_weights`.

    Raises:
        CheckpointNotFound: there is no such repository, or access is denied.
        UnsupportedCheckpoint: it holds no checkpoint that could be loaded.
        HubUnavailable: the Hub cannot be asked.
    """
    access = access or HubAccess.of_environment()
    cached = CachedRepo.of(access.cache, ref.repo)
    try:
        listing = look_up(ref, access)
        config = _config(listing, access)
        listing = without_unread_weights(listing, access, from_weights)
        return HubPreview(
            listing.ref,
            config,
            frozenset(needed_files(listing.sizes)),
            _weights_bytes(listing.sizes),
            _to_come_bytes(listing, cached),
            access,
        )
    except HubUnavailable as error:
        found = _cached(ref, cached, access)
        if found is not None:
            return found
        if access.offline:
            raise CheckpointNotFound(
                f"the cache {access.cache} does not hold {ref}, and HF_HUB_OFFLINE is set"
            ) from error
        raise


def fetch_previewed(
    ref: HubRef,
    progress: HubProgress,
    access: HubAccess | None = None,
    *,
    from_weights: FromWeights,
) -> None:
    """Fetch a previewed model into the cache.

    Its name stands for this commit, where the Hub cannot be asked, only once all of it is there.

    Args:
        ref: from its preview, with the whole commit.
        progress: receives the progress of the download.
        access: the access that it was previewed with.
        from_weights: as for `preview`.

    Raises:
        CheckpointNotFound: it no longer exists, or access is denied.
        HubUnavailable: it cannot be fetched now.
    """
    access = access or HubAccess.of_environment()
    fetch(ref, progress, access, from_weights=from_weights)
    with plain_errors(ref, access):
        CachedRepo.of(access.cache, ref.repo).refer(HubRef(ref.repo), ref.commit or "")


def _config(listing: HubListing, access: HubAccess) -> Path:
    """Fetch the config, if the repository can be a checkpoint."""
    refuse_unreadable(listing)
    size = listing.sizes[CONFIG_FILE]
    if size > LARGEST_CONFIG:
        raise UnsupportedCheckpoint(
            f"its {CONFIG_FILE} has {size:,} bytes; at most {LARGEST_CONFIG:,} are read"
        )
    return fetch_config(listing, access)


def _weights_bytes(sizes: Mapping[str, int]) -> int:
    return sum(sizes[name] for name in _weights(sizes))


def _weights(sizes: Mapping[str, int]) -> tuple[str, ...]:
    """List the weights files; if there is an index, every file that is named like it."""
    found = weights_file(sizes)
    if found is None or not is_index(found):
        small = small_files(sizes)
        return tuple(name for name in needed_files(sizes) if name not in small)
    stem, _, suffix = found.removesuffix(INDEX_SUFFIX).rpartition(".")
    return (
        found,
        *(name for name in sizes if name.startswith(f"{stem}-") and name.endswith(f".{suffix}")),
    )


def _to_come_bytes(listing: HubListing, cached: CachedRepo) -> int:
    folder = cached.snapshot(listing.commit)
    names = {*small_files(listing.sizes), *_weights(listing.sizes)}
    return sum(listing.sizes[name] for name in names if not (folder / name).is_file())


def _cached(ref: HubRef, cached: CachedRepo, access: HubAccess) -> HubPreview | None:
    """Preview the commit that the cache holds, if all that a load needs is there."""
    commit = cached.commit_of(ref)
    if commit is None or cached.missing(commit):
        return None
    folder = cached.snapshot(commit)
    sizes = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file()
    }
    names = frozenset(needed_files(sizes))
    return HubPreview(ref.at(commit), folder / CONFIG_FILE, names, _weights_bytes(sizes), 0, access)
