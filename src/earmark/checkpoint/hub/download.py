"""Downloads a large file of the Hub into the cache; an interrupted download is resumed.

`huggingface_hub` 2.4 discards a file whose download is interrupted. So files that the Hub keeps as
large files are fetched here, by HTTP with ranges, which the Hub offers for every file, rather than
by Xet: into ``blobs/<sha256>.incomplete``, as earlier versions of the library did, under the same
lock. The digest is checked before the file gets its name.
"""

import hashlib
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from huggingface_hub import hf_hub_url
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # public, but not typed as such
    WeakFileLock,
    build_hf_headers,
)

from earmark.checkpoint.hub.access import HubAccess
from earmark.checkpoint.hub.cache import CachedRepo
from earmark.checkpoint.hub.progress import HubProgress
from earmark.checkpoint.ref import HubRef
from earmark.errors import HubUnavailable

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class LargeFile:
    """A file that the Hub keeps by its digest.

    Attributes:
        name: in its repository.
        size: in bytes.
        sha256: of its contents; its name in the cache.
    """

    name: str
    size: int
    sha256: str


def part_path(repo: CachedRepo, file: LargeFile) -> Path:
    """Return the path of a download in progress."""
    return repo.folder / "blobs" / f"{file.sha256}.incomplete"


def bytes_there(repo: CachedRepo, file: LargeFile) -> int:
    """Return how many bytes of a file are already in the cache."""
    for path in (repo.folder / "blobs" / file.sha256, part_path(repo, file)):
        if path.is_file():
            return min(path.stat().st_size, file.size)
    return 0


def fetch_large(ref: HubRef, file: LargeFile, access: HubAccess, progress: HubProgress) -> None:
    """Fetch a file of a commit into the cache's blobs, unless it is there.

    Raises:
        HubUnavailable: the contents do not match the digest.
        OSError: the folder may not be written, or is full.
        httpx2.HTTPError: the Hub broke off, or answered with an error.
    """
    repo = CachedRepo.of(access.cache, ref.repo)
    blob, part = repo.folder / "blobs" / file.sha256, part_path(repo, file)
    lock = access.cache / ".locks" / repo.folder.name / f"{file.sha256}.lock"
    for folder in (blob.parent, lock.parent):
        folder.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(lock):
        if blob.is_file() and blob.stat().st_size == file.size:
            return  # another process was quicker
        if part.is_file() and part.stat().st_size > file.size:
            part.unlink()
        _download(ref, file, part, access, progress)
        if _sha256(part) != file.sha256:
            part.unlink()
            raise HubUnavailable(
                f"{file.name} of {ref.shown} from {access.host} is not what its digest says; "
                "what came was thrown away, so run it again"
            )
        os.replace(part, blob)  # noqa: PTH105 - the atomic one


def _download(
    ref: HubRef, file: LargeFile, part: Path, access: HubAccess, progress: HubProgress
) -> None:
    url = hf_hub_url(ref.repo, file.name, revision=ref.revision, endpoint=access.endpoint)
    # The HTTP client follows the Hub's redirect to the file, and sends the token to the Hub only.
    # Each attempt asks the Hub again: such addresses are valid for about an hour.
    headers = build_hf_headers(token=access.token, headers=access.headers)
    headers["accept-encoding"] = "identity"  # ranges are of the file, not of its compressed form

    with part.open("ab") as target:
        there = target.tell()
        http_get(
            url,
            target,
            resume_size=there,
            headers=headers,
            expected_size=file.size,
            # The library creates the bar, and uses only these methods of tqdm.
            tqdm_class=cast("Any", partial(_Bar, progress, there)),
        )


class _Bar:
    """The part of a progress bar that `http_get` uses."""

    def __init__(self, progress: HubProgress, there: int, *, initial: int, **_: object) -> None:
        """Begin; where the Hub has no ranges, `initial` is 0 though something was there."""
        self._progress = progress
        if initial != there:
            progress.advance(initial - there)

    def update(self, more_bytes: int) -> None:
        self._progress.advance(more_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
