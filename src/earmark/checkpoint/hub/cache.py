"""The cache of `huggingface_hub`: which files of which commit it holds, without any network.

Layout as of huggingface_hub 2.4 (guides/manage-cache): for each repository ``blobs/`` holds
contents, ``snapshots/<commit>/`` names that point to them, ``refs/<revision>`` the commit of a
branch or a tag, and ``.no_exist/<commit>/`` an empty file for each file that the commit is known
not to have.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from earmark.checkpoint.files.names import (
    CONFIG_FILE,
    ONNX_FILES,
    SMALL_FILES,
    TOKENIZER_FILE,
    VOCABULARY_FILES,
)
from earmark.checkpoint.hub.files import graph_data, is_index, small_files, weights_file
from earmark.checkpoint.ref import HubRef
from earmark.checkpoint.weights.files import WEIGHT_FILES
from earmark.checkpoint.weights.shards import shard_paths
from earmark.errors import InvalidCheckpoint

DEFAULT_REVISION = "main"
_FOLDER_PREFIX = "models--"
_OF_NOTE = (*SMALL_FILES, *WEIGHT_FILES, *ONNX_FILES)
"""Files that a load may read; for each, the cache must know whether the commit has it."""


@dataclass(frozen=True, slots=True)
class CachedRepo:
    """The part of the cache for one repository; it may be empty.

    Attributes:
        folder: where it is.
    """

    folder: Path

    @classmethod
    def of(cls, cache: Path, repo: str) -> "CachedRepo":
        """Return the place of a repository in a cache."""
        return cls(cache / (_FOLDER_PREFIX + repo.replace("/", "--")))

    def snapshot(self, commit: str) -> Path:
        """Return the folder of a commit's files."""
        return self.folder / "snapshots" / commit

    def commit_of(self, ref: HubRef) -> str | None:
        """Return the commit that a revision stood for when it was last looked up."""
        if ref.commit is not None:
            return ref.commit
        with suppress(OSError, UnicodeDecodeError):
            path = self.folder / "refs" / (ref.revision or DEFAULT_REVISION)
            return path.read_text("utf-8").strip() or None
        return None

    def missing(self, commit: str) -> tuple[str, ...]:
        """List, for a message, what a load needs and the cache lacks."""
        snapshot = self.snapshot(commit)
        lacking = [] if (snapshot / CONFIG_FILE).is_file() else [CONFIG_FILE]
        if not any((snapshot / one).is_file() for one in (TOKENIZER_FILE, *VOCABULARY_FILES)):
            lacking.append("its tokenizer")
        weights = next((one for one in WEIGHT_FILES if (snapshot / one).is_file()), None)
        if weights is None:
            if not any((snapshot / one).is_file() for one in ONNX_FILES):
                lacking.append("its weights")
        elif is_index(weights):
            with suppress(InvalidCheckpoint):  # loading reports it, and names the file
                shards = shard_paths(snapshot / weights)
                lacking.extend(path.name for path in shards if not path.is_file())
        return tuple(lacking)

    def is_whole(self, commit: str) -> bool:
        """Return whether the cache is known to hold all that a load reads.

        A file that is missing must be known not to exist: another program may have fetched only
        some of the files, and without `added_tokens.json` a tokenizer would read texts
        differently.
        """
        snapshot, absent = self.snapshot(commit), self.folder / ".no_exist" / commit
        there = [one for one in _OF_NOTE if (snapshot / one).is_file()]
        known = {*there, *(one for one in _OF_NOTE if (absent / one).is_file())}
        # Other forms of weights, and files beside a complete tokenizer, are never read.
        open_questions = {*small_files(_OF_NOTE)} if TOKENIZER_FILE in there else {*SMALL_FILES}
        weights = weights_file(there)
        preferred = WEIGHT_FILES.index(weights) if weights is not None else len(WEIGHT_FILES)
        open_questions.update(WEIGHT_FILES[:preferred])
        return not self.missing(commit) and open_questions <= known

    def unlink_graph_data(self, commit: str) -> None:
        """Replace symbolic links to the data of an ONNX file by hard links.

        OpenVINO 2026.4 resolves links, and then refuses data outside of the graph's folder. A hard
        link takes no room. A cache that may not be written stays as it is.
        """
        snapshot = self.snapshot(commit)
        names = {path.relative_to(snapshot).as_posix() for path in snapshot.rglob("*.onnx*")}
        for path in map(snapshot.joinpath, graph_data(names)):
            if not path.is_symlink():
                continue
            fresh = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
            with suppress(OSError):
                os.link(path.resolve(), fresh)
                os.replace(fresh, path)  # noqa: PTH105 - the atomic one

    def note(self, ref: HubRef, commit: str, names: frozenset[str]) -> None:
        """Record which files a commit does not have, and that the revision stands for it.

        Args:
            ref: the model as it was requested.
            commit: the commit that it stands for.
            names: every file of the commit.
        """
        for name in _OF_NOTE:
            if name not in names:
                path = self.folder / ".no_exist" / commit / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        if ref.commit is None:
            self.refer(ref, commit)

    def refer(self, ref: HubRef, commit: str) -> None:
        """Record which commit a revision stands for."""
        path = self.folder / "refs" / (ref.revision or DEFAULT_REVISION)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Other processes must never read a partly written commit id.
        fresh = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
        fresh.write_text(commit, "utf-8")
        os.replace(fresh, path)  # noqa: PTH105 - the atomic one


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A commit of a repository that has all that a load needs.

    Attributes:
        ref: with the whole commit.
        folder: of its files.
    """

    ref: HubRef
    folder: Path


def cached_models(cache: Path) -> Iterator[CachedModel]:
    """List the models in the cache that could be loaded, by name, each commit once."""
    try:
        folders = sorted(one for one in cache.iterdir() if one.name.startswith(_FOLDER_PREFIX))
    except OSError:  # no cache yet, or no permission to read it
        return
    for folder in folders:
        ref = HubRef.read(folder.name.removeprefix(_FOLDER_PREFIX).replace("--", "/"))
        repo = CachedRepo(folder)
        if ref is None:
            continue
        with suppress(OSError):
            for snapshot in sorted((folder / "snapshots").iterdir()):
                if not repo.missing(snapshot.name):
                    yield CachedModel(ref.at(snapshot.name), snapshot)
