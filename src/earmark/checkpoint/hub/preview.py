"""What a model of the Hub is, before its weights are fetched: a listing, and its `config.json`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# First of all that concerns the library: see there.
from earmark.checkpoint.hub.access import HubAccess  # isort: skip

from earmark.checkpoint.files.names import CONFIG_FILE
from earmark.checkpoint.hub.cache import CachedRepo
from earmark.checkpoint.hub.errors import told_plainly
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

__all__ = ["HubPreview", "fetch_previewed", "preview"]

SAFETENSORS_SUFFIX = ".safetensors"
LARGEST_CONFIG = 4_000_000
"""Bytes; those of classifiers with tens of thousands of labels have 2 MB."""


@dataclass(frozen=True, slots=True)
class HubPreview:
    """A model of the Hub at one commit: a repository of which only the config can be read yet.

    Attributes:
        ref: with the whole commit.
        config: its `config.json`, in the cache.
        names: of the files that a load will find.
        weights_bytes: size of its weights.
        to_come_bytes: of them and of the small files, what the cache lacks.
        access: the way to the Hub that has the rest.
    """

    ref: HubRef
    config: Path
    names: frozenset[str]
    weights_bytes: int
    to_come_bytes: int
    access: HubAccess

    @property
    def source(self) -> str:
        """The model, as a person would name it."""
        return self.ref.shown

    @property
    def revision(self) -> str | None:
        """The commit."""
        return self.ref.revision

    def find(self, file: str) -> Path | None:
        """Return where a file will lie; None where the checkpoint has no such file."""
        return self.config.parent / file if file in self.names else None

    def header(self, path: Path) -> TensorSource | None:
        """Read which tensors a file of weights will have; None where that cannot be seen from here.

        Raises:
            CheckpointError: as of `fetch_header`.
        """
        if path.suffix != SAFETENSORS_SUFFIX:
            return None
        return fetch_header(self.ref, path.name, self.access)

    def require(self, *alternatives: str) -> Path:
        """Return where the first of some files that is there will lie.

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

    Where the Hub is not to be asked, or cannot be reached, the commit in the cache is taken, if all
    that a load needs is there. ``HF_HUB_OFFLINE`` means that there is nothing else.

    Args:
        ref: the model.
        access: to which Hub, as whom and into which cache; as the environment says if not given.
        from_weights: as of `hub.without_unread_weights`.

    Raises:
        CheckpointNotFound: there is no such repository, or not for this caller.
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
    """Have a model that was previewed in the cache.

    Once it is whole, and not before, it is what its name stands for where the Hub cannot be asked.

    Args:
        ref: from its preview, with the whole commit.
        progress: is told of what is downloaded.
        access: as it was previewed.
        from_weights: the same.

    Raises:
        CheckpointNotFound: it is not there any more, or not for this caller.
        HubUnavailable: it cannot be fetched now.
    """
    access = access or HubAccess.of_environment()
    fetch(ref, progress, access, from_weights=from_weights)
    with told_plainly(ref, access):
        CachedRepo.of(access.cache, ref.repo).refer(HubRef(ref.repo), ref.commit or "")


def _config(listing: HubListing, access: HubAccess) -> Path:
    """Fetch the config, unless the repository cannot be a checkpoint anyway."""
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
    """Name the files of weights; of several, all that are called like the index that lists them."""
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
