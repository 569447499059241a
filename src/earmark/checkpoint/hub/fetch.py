"""Looks up models of the Hugging Face Hub, and fetches them into the cache of its own library.

Only files that a load reads are fetched, all from the commit that the revision stood for when it
was looked up. The files are where `huggingface_hub` keeps them, so that other programs share them.
"""

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import structlog

# Must be imported before the library: see `access`.
from earmark.checkpoint.hub.access import HubAccess  # isort: skip

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.hf_api import BlobLfsInfo, RepoSibling
from huggingface_hub.utils.tqdm import silent_tqdm

from earmark.checkpoint.config import Config, read_config
from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.files.names import CONFIG_FILE, MODULES_FILE
from earmark.checkpoint.files.others import explain_others
from earmark.checkpoint.hub.cache import CachedRepo
from earmark.checkpoint.hub.download import LargeFile, bytes_there, fetch_large
from earmark.checkpoint.hub.errors import plain_errors
from earmark.checkpoint.hub.files import exported_graph, is_index, needed_files, weights_file
from earmark.checkpoint.hub.progress import HubProgress, SilentProgress
from earmark.checkpoint.ref import HubRef
from earmark.checkpoint.weights.files import WEIGHT_FILES
from earmark.checkpoint.weights.shards import shard_paths
from earmark.errors import (
    CheckpointNotFound,
    HubUnavailable,
    InvalidCheckpoint,
    UnsupportedCheckpoint,
)

FromWeights: TypeAlias = Callable[[Config], bool]
"""Returns whether a model with this config is run from its weights, by a graph written here."""

log = structlog.get_logger("earmark.checkpoint")

MEGABYTE = 1_000_000
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class HubListing:
    """The files of a repository at one commit.

    Attributes:
        ref: with the whole commit.
        sizes: in bytes, by file name.
        digests: SHA-256 of the files that the Hub keeps as large ones.
    """

    ref: HubRef
    sizes: Mapping[str, int]
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        """The commit, of 40 digits."""
        return self.ref.revision or ""


def look_up(ref: HubRef, access: HubAccess | None = None) -> HubListing:
    """Ask the Hub, in one request, for the commit of a revision and the files in it.

    Args:
        ref: the model.
        access: the Hub and the token; those of the environment if not given.

    Raises:
        CheckpointNotFound: there is no such repository or revision, or access is denied.
        HubUnavailable: the Hub cannot be reached, must not be asked, or answers with an error.
    """
    access = access or HubAccess.of_environment()
    if access.offline:
        raise HubUnavailable(f"{access.host} is not asked for {ref.shown}: HF_HUB_OFFLINE is set")
    with plain_errors(ref, access):
        api = HfApi(endpoint=access.endpoint, token=access.token, headers=access.headers)
        info = api.model_info(
            ref.repo, revision=ref.revision, files_metadata=True, timeout=access.timeout_s
        )
        at = ref.at(str(info.sha))
        if at.commit is None:
            raise ValueError(info.sha)
        siblings = info.siblings or ()
        return HubListing(
            at,
            {one.rfilename: _size(one) for one in siblings},
            {one.rfilename: _digest(one.lfs) for one in siblings if one.lfs is not None},
        )


def fetch(
    ref: HubRef,
    progress: HubProgress | None = None,
    access: HubAccess | None = None,
    *,
    from_weights: FromWeights,
) -> LocalRepository:
    """Fetch a model's files into the cache, unless they are there, and open them.

    If the revision is a whole commit that is in the cache, the Hub is not asked. If the Hub must
    not be asked (``HF_HUB_OFFLINE``) or cannot be reached, the commit that the revision last stood
    for is opened.

    Args:
        ref: the model.
        progress: receives the progress of the download, if there is one.
        access: the Hub, the token and the cache; those of the environment if not given.
        from_weights: as for `without_unread_weights`.

    Raises:
        CheckpointNotFound: there is no such repository or revision, or access is denied.
        UnsupportedCheckpoint: it holds no checkpoint that could be loaded.
        HubUnavailable: it cannot be fetched now, and the cache does not hold all of it.
    """
    access = access or HubAccess.of_environment()
    cached = CachedRepo.of(access.cache, ref.repo)
    if ref.commit is not None and cached.is_whole(ref.commit):
        return _opened(ref, cached)
    try:
        listing = look_up(ref, access)
        refuse_unreadable(listing)
        wanted = without_unread_weights(listing, access, from_weights)
        _download(wanted, access, progress or SilentProgress())
        with plain_errors(ref, access):
            cached.note(ref, listing.commit, frozenset(listing.sizes))
    except HubUnavailable as error:
        return _cached_instead(ref, access, error)
    return _opened(listing.ref, cached)


def fetch_config(listing: HubListing, access: HubAccess) -> Path:
    """Fetch a repository's config and list of modules, and return the path of the config.

    Args:
        listing: of the repository; it must contain a config.
        access: the access that it was looked up with.

    Raises:
        CheckpointError: as for `fetch`.
    """
    names = [one for one in (CONFIG_FILE, MODULES_FILE) if one in listing.sizes]
    _fetch(listing, names, access, SilentProgress())
    return _path(listing, access, CONFIG_FILE)


def without_unread_weights(
    listing: HubListing, access: HubAccess, from_weights: FromWeights
) -> HubListing:
    """Leave the weights out of a listing if the exported graph beside them will be run.

    Args:
        listing: of the repository.
        access: the access that it was looked up with.
        from_weights: returns whether a model with a config is run from its weights.

    Raises:
        CheckpointError: as for `fetch`.
    """
    names = listing.sizes
    if CONFIG_FILE not in names or weights_file(names) is None or exported_graph(names) is None:
        return listing
    try:
        config = read_config(fetch_config(listing, access))
    except InvalidCheckpoint:  # loading reports it
        return listing
    if from_weights(config):
        return listing
    return _without_weights(listing)


def fetch_exported_graph(ref: HubRef, access: HubAccess | None = None) -> bool:
    """Fetch the graph that was exported beside the weights of a commit.

    Returns:
        Whether there is such a graph.

    Raises:
        CheckpointError: as for `fetch`.
    """
    access = access or HubAccess.of_environment()
    listing = look_up(ref, access)
    if exported_graph(listing.sizes) is None:
        return False
    _download(_without_weights(listing), access, SilentProgress())
    CachedRepo.of(access.cache, ref.repo).unlink_graph_data(listing.commit)
    return True


def refuse_unreadable(listing: HubListing) -> None:
    """Raise an error if a repository cannot be a checkpoint; it names what is there instead.

    Raises:
        UnsupportedCheckpoint: it has no config, or neither weights nor a graph.
    """
    names = listing.sizes
    missing = ""
    if CONFIG_FILE not in names:
        missing = f"has no {CONFIG_FILE}, so that it is no model"
    elif weights_file(names) is None and exported_graph(names) is None:
        missing = f"has no weights that can be read; expected {' or '.join(WEIGHT_FILES)}"
    if missing:
        instead = explain_others(names)
        raise UnsupportedCheckpoint(
            f"its repository {missing}" + (f". {instead}" if instead else "")
        )


def _without_weights(listing: HubListing) -> HubListing:
    names = listing.sizes
    return replace(listing, sizes={name: names[name] for name in names if name not in WEIGHT_FILES})


def _size(sibling: RepoSibling) -> int:
    size = sibling.size if sibling.lfs is None else sibling.lfs.size
    if size is None:
        raise ValueError(sibling.rfilename)
    return size


def _digest(large: BlobLfsInfo) -> str:
    # The digest becomes a file's name.
    if not _SHA256.fullmatch(large.sha256):
        raise ValueError(large.sha256)
    return large.sha256


def _opened(ref: HubRef, cached: CachedRepo) -> LocalRepository:
    commit = ref.commit or ""
    cached.unlink_graph_data(commit)
    return LocalRepository.open(cached.snapshot(commit), source=ref.shown, revision=commit)


def _cached_instead(ref: HubRef, access: HubAccess, error: HubUnavailable) -> LocalRepository:
    """Open what the cache holds, and log it."""
    cached = CachedRepo.of(access.cache, ref.repo)
    commit = cached.commit_of(ref)
    there = commit is not None and cached.snapshot(commit).is_dir()
    missing = cached.missing(commit) if commit is not None and there else ()
    if commit is None or not there or missing:
        found = (
            f"only a part of it ({', '.join(missing)} missing)" if there else "no whole copy of it"
        )
        way_out = (
            f"unset HF_HUB_OFFLINE, or bring the cache from where `earmark pull {ref}` has run"
            if access.offline
            else f"`earmark pull {ref}` goes on where a download stopped"
        )
        raise HubUnavailable(
            f"{error}; the cache {access.cache} holds {found}: {way_out}"
        ) from None
    facts = {"model": ref.repo, "commit": commit}
    if access.offline:
        log.info("the Hub is not asked (HF_HUB_OFFLINE); using the cached commit", **facts)
    else:
        log.warning("using the cached commit", **facts, reason=str(error))
    return _opened(ref.at(commit), cached)


def _download(listing: HubListing, access: HubAccess, progress: HubProgress) -> None:
    """Fetch what a load reads and the cache lacks: the small files, then the weights.

    Raises:
        CheckpointError: as for `fetch`.
    """
    names = needed_files(listing.sizes)
    weights = weights_file(names)
    if weights is not None and is_index(weights):
        # The index lists the other files: without it the total is not known.
        _fetch(listing, (weights,), access, SilentProgress())
        index = _path(listing, access, weights)
        names = (*names, *(path.name for path in shard_paths(index)))
    absent = [name for name in names if name not in listing.sizes]
    if absent:
        raise CheckpointNotFound(f"{listing.ref.shown} lacks {', '.join(absent)} of its weights")
    _fetch(listing, names, access, progress)


def _fetch(
    listing: HubListing, names: Sequence[str], access: HubAccess, progress: HubProgress
) -> None:
    """Fetch the files that are missing, and check that each has the announced size."""
    ref, sizes = listing.ref, listing.sizes
    pending = [name for name in names if not _is_there(listing, access, name)]
    if not pending:
        return
    repo = CachedRepo.of(access.cache, ref.repo)
    large = {
        name: LargeFile(name, sizes[name], listing.digests[name])
        for name in pending
        if name in listing.digests
    }
    total = sum(sizes[name] for name in names)
    to_come = sum(sizes[name] for name in pending)
    to_come -= sum(bytes_there(repo, file) for file in large.values())
    _see_that_it_fits(ref, to_come, access)
    progress.begin(ref.shown, total_bytes=total, there_bytes=total - to_come)
    try:
        with plain_errors(ref, access):
            for name in pending:
                if name in large:
                    fetch_large(ref, large[name], access, progress)
                _fetch_small(listing, name, access)
                if name not in large:
                    progress.advance(sizes[name])
    finally:
        progress.finish()


def _fetch_small(listing: HubListing, name: str, access: HubAccess) -> None:
    """Let the library fetch a file; if it is among the blobs, only its name is created.

    Raises:
        HubUnavailable: the file does not have the announced size.
    """
    hf_hub_download(
        listing.ref.repo,
        name,
        revision=listing.commit,
        cache_dir=access.cache,
        # The file is there, but has the wrong size.
        force_download=name not in listing.digests and _path(listing, access, name).is_file(),
        endpoint=access.endpoint,
        token=access.token,
        headers=access.headers,
        etag_timeout=access.timeout_s,
        tqdm_class=silent_tqdm,
    )
    if not _is_there(listing, access, name):
        raise HubUnavailable(
            f"{name} of {listing.ref.shown} from {access.host} is not of "
            f"{listing.sizes[name]:,} bytes, as was announced"
        )


def _path(listing: HubListing, access: HubAccess, name: str) -> Path:
    return CachedRepo.of(access.cache, listing.ref.repo).snapshot(listing.commit) / name


def _is_there(listing: HubListing, access: HubAccess, name: str) -> bool:
    path = _path(listing, access, name)
    return path.is_file() and path.stat().st_size == listing.sizes[name]


def _see_that_it_fits(ref: HubRef, to_come: int, access: HubAccess) -> None:
    """Check before a download that the disk has room for it.

    Raises:
        HubUnavailable: the disk has too little room.
    """
    folder = next((one for one in (access.cache, *access.cache.parents) if one.is_dir()), None)
    free = to_come if folder is None else shutil.disk_usage(folder).free
    if free < to_come:
        raise HubUnavailable(
            f"{ref.shown} needs {to_come / MEGABYTE:,.0f} MB more, but {folder} has "
            f"{free / MEGABYTE:,.0f} MB; make room, or choose another folder with HF_HOME or "
            "HF_HUB_CACHE"
        )
