"""A Hub on loopback: what `huggingface_hub` asks for, answered as the real one does.

Follows the Hub's HTTP as huggingface_hub 2.4 reads it: `/api/models/{repo}`, `/{repo}/resolve/…`,
their headers and error codes; large files are redirected to another host, which must see no token.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import parse_qs, unquote

from starlette.types import Receive, Scope, Send
from support.http_server import running_server

Answer: TypeAlias = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""

TOKEN: Final = "hf_OfTheOwner"  # noqa: S105 - opens nothing
PAGE = 3
"""Files on a page of a listing: few, so that there are several."""
_API = re.compile(r"/api/models/(?P<repo>[^/]+(?:/[^/]+)?)(?:/(?:revision|tree)/(?P<rev>[^/]+))?")
_RESOLVE = re.compile(r"/(?P<repo>[^/]+(?:/[^/]+)?)/resolve/(?P<rev>[^/]+)/(?P<file>.+)")
_LARGE = re.compile(r"/large/(?P<digest>[0-9a-f]{64})")


def commit_of(name: str) -> str:
    """Make up a commit."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as it came.

    Attributes:
        method: such as ``GET``.
        path: unquoted.
        headers: names in small letters.
        host: what it was sent to.
    """

    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def host(self) -> str:
        """Name and port."""
        return self.headers["host"]


@dataclass(slots=True)
class HubRepo:
    """A repository.

    Attributes:
        commits: files by name, for each commit.
        revisions: what branches, tags and pull requests stand for.
        private: only the token's owner sees it.
        gated: only the token's owner gets its files.
        large: files kept by their digest.
    """

    commits: dict[str, dict[str, bytes]]
    revisions: dict[str, str]
    private: bool = False
    gated: bool = False
    large: frozenset[str] = frozenset()

    @classmethod
    def of(cls, folder: Path, *, private: bool = False, gated: bool = False) -> "HubRepo":
        """Take a folder's files as the only commit."""
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        repo = cls({}, {}, private, gated)
        repo.commit("first", files)
        return repo

    def commit(self, name: str, files: dict[str, bytes], *revisions: str) -> str:
        """Add a commit, and have revisions stand for it; `main` if none is named."""
        digits = commit_of(name)
        self.commits[digits] = files
        for one in revisions or ("main",):
            self.revisions[one] = digits
        self.large |= {one for one in files if one.endswith((".safetensors", ".bin", "_data"))}
        return digits

    def find(self, revision: str) -> str | None:
        """Return the commit that a revision stands for."""
        return revision if revision in self.commits else self.revisions.get(revision)


@dataclass(slots=True)
class HubStandIn:
    """What the server holds, and what it is to do wrong.

    Attributes:
        repos: by id.
        moved: new ids by old ones.
        cut_after: connections to large files end after so many bytes of a body, one each.
        failures: statuses to answer questions for files with, one each.
        ranges: whether large files can be had from the middle.
        asked: every request so far.
        sent_bytes: of large files.
        spoilt: is sent in place of every file.
        bare: the facts of a repository name its files alone.
        crooked: they tell digests that lead out of a folder.
        url: of the Hub.
        other_url: of the host of the large files.
    """

    repos: dict[str, HubRepo]
    moved: dict[str, str] = field(default_factory=dict)
    cut_after: list[int] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[Asked] = field(default_factory=list)
    sent_bytes: int = 0
    spoilt: bytes | None = None
    bare: bool = False
    crooked: bool = False
    url: str = ""
    other_url: str = ""

    def files_asked(self) -> set[str]:
        """Name the files that somebody wanted."""
        found = (_RESOLVE.fullmatch(one.path) for one in self.asked)
        return {one["file"] for one in found if one}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an app."""
        if scope["type"] != "http":
            await _lifespan(receive, send)
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        path = scope["raw_path"].decode().partition("?")[0]
        asked = Asked(scope["method"], unquote(path), headers)
        self.asked.append(asked)
        status, more, body = self._answer(asked, path, scope["query_string"].decode())
        cut = None
        if _LARGE.fullmatch(path):
            cut = self.cut_after.pop(0) if self.cut_after else None
            self.sent_bytes += len(body) if cut is None else min(cut, len(body))
        more = {"content-length": str(len(body)), **more}
        pairs = [(name.encode(), value.encode()) for name, value in more.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        if asked.method == "HEAD":
            body = b""
        if cut is not None:
            await send({"type": "http.response.body", "body": body[:cut], "more_body": True})
            return  # the server closes what was not brought to its end
        await send({"type": "http.response.body", "body": body})

    def _answer(  # noqa: PLR0911 - one for each answer that the Hub has
        self, asked: Asked, path: str, query: str
    ) -> Answer:
        if large := _LARGE.fullmatch(path):
            return self._large(large["digest"], asked)
        found = _API.fullmatch(path) or _RESOLVE.fullmatch(path)
        if found is None:
            return _error(404, "Not found")
        name = found["repo"]
        if name in self.moved:
            return 307, {"location": path.replace(name, self.moved[name], 1)}, b""
        repo = self.repos.get(name)
        told = asked.headers.get("authorization")
        owner = told == f"Bearer {TOKEN}"
        if repo is None or (repo.private and not owner):
            if told and not owner:
                return _error(401, "Invalid credentials in Authorization header")
            return _error(404 if told else 401, "Repository not found", "RepoNotFound")
        revision = unquote(found["rev"] or "main")
        commit = repo.find(revision)
        if commit is None:
            return _error(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        if found.re is _API:
            return self._api(name, repo, commit, path, query)
        return self._file(repo, commit, unquote(found["file"]), owner=owner)

    def _api(self, name: str, repo: HubRepo, commit: str, path: str, query: str) -> Answer:
        entries = [_entry(repo, file, body) for file, body in repo.commits[commit].items()]
        if "/tree/" in path:
            begin = int(parse_qs(query).get("cursor", ["0"])[0])
            more = {}
            if begin + PAGE < len(entries):
                link = f"{self.url}{path}?recursive=true&cursor={begin + PAGE}"
                more = {"link": f'<{link}>; rel="next"'}
            return 200, more, json.dumps(entries[begin : begin + PAGE]).encode()
        if self.bare:
            entries = [{"path": one["path"], "size": None, "oid": None} for one in entries]
        crooked = {"sha256": "../../../x"} if self.crooked else {}
        siblings = [
            {"rfilename": one["path"], "size": one["size"], "blobId": one["oid"]}
            | ({"lfs": _lfs(one) | crooked} if "lfs" in one else {})
            for one in entries
        ]
        facts = {"_id": "1", "id": name, "sha": commit, "siblings": siblings, "tags": []}
        return 200, {"content-type": "application/json"}, json.dumps(facts).encode()

    def _file(self, repo: HubRepo, commit: str, file: str, *, owner: bool) -> Answer:
        if self.failures:
            return self.failures.pop(0), {"retry-after": "0"}, b"{}"
        if repo.gated and not owner:
            return _error(403, "Access to model is restricted", "GatedRepo")
        body = repo.commits[commit].get(file)
        if body is None:
            status, more, told = _error(404, "Entry not found", "EntryNotFound")
            return status, {**more, "x-repo-commit": commit}, told
        more = {"x-repo-commit": commit, "accept-ranges": "bytes", "etag": f'"{_git(body)}"'}
        if file not in repo.large:
            return 200, more, body if self.spoilt is None else self.spoilt
        digest = hashlib.sha256(body).hexdigest()
        linked = {"x-linked-etag": f'"{digest}"', "x-linked-size": str(len(body))}
        return 302, {**more, **linked, "location": f"{self.other_url}/large/{digest}"}, b""

    def _large(self, digest: str, asked: Asked) -> Answer:
        body = next(
            body
            for repo in self.repos.values()
            for files in repo.commits.values()
            for body in files.values()
            if hashlib.sha256(body).hexdigest() == digest
        )
        if self.spoilt is not None:
            body = self.spoilt
        wanted = asked.headers.get("range")
        if wanted is None or not self.ranges:
            return 200, {"accept-ranges": "bytes"}, body
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        begin, end = int(first), min(int(last or len(body)), len(body) - 1)
        if begin >= len(body):
            return 416, {"content-range": f"bytes */{len(body)}"}, b""
        return 206, {"content-range": f"bytes {begin}-{end}/{len(body)}"}, body[begin : end + 1]


@contextmanager
def running_hub(repos: Mapping[str, HubRepo]) -> Iterator[HubStandIn]:
    """Run a Hub, and the host of its large files, until the block ends."""
    hub = HubStandIn(dict(repos))
    with running_server(hub) as server, running_server(hub) as other:
        hub.url, hub.other_url = server.url, other.url
        yield hub


def _entry(repo: HubRepo, file: str, body: bytes) -> dict[str, object]:
    entry: dict[str, object] = {
        "type": "file",
        "path": file,
        "size": len(body),
        "oid": _git(body),
    }
    if file in repo.large:
        digest = hashlib.sha256(body).hexdigest()
        entry["lfs"] = {"oid": digest, "size": len(body), "pointerSize": 134}
    return entry


def _lfs(entry: Mapping[str, object]) -> dict[str, object]:
    found = entry["lfs"]
    assert isinstance(found, dict)
    return {"sha256": found["oid"], "size": found["size"], "pointerSize": 134}


def _git(body: bytes) -> str:
    header = f"blob {len(body)}\0".encode()
    return hashlib.sha1(header + body, usedforsecurity=False).hexdigest()


def _error(status: int, message: str, code: str = "") -> Answer:
    more = {"x-error-code": code} if code else {}
    body = json.dumps({"error": message}).encode()
    return status, {**more, "x-error-message": message}, body


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        event = await receive()
        await send({"type": event["type"] + ".complete"})
        if event["type"] == "lifespan.shutdown":
            return
