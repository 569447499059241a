"""A Hub that fails in each way, and is well again when a test says so."""

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from starlette.types import Receive, Scope, Send
from support.http_server import running_server
from support.hub_stand_in import HubRepo, HubStandIn

Failure: TypeAlias = Literal["silence", "500", "429", "loop", "half-a-file", "another-file"]
"""What a Hub does to the requests for a model; the last two concern its large files."""

FAILURES: Final[tuple[Failure, ...]] = (
    "silence",
    "500",
    "429",
    "loop",
    "half-a-file",
    "another-file",
)
_CHECKED_EVERY_S: Final = 0.05


@dataclass(slots=True)
class FailingHub:
    """A Hub, and the host of its large files, that fails in another way for each model.

    Attributes:
        well: answers where nothing is wrong.
        failures: of a model, by its id.
        mended: whether nothing is wrong any more.
        asked: requests that met a failure.
    """

    well: HubStandIn
    failures: Mapping[str, Failure]
    mended: bool = False
    asked: int = 0
    _large: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Note which model each large file is of."""
        for model_id, repo in self.well.repos.items():
            for files in repo.commits.values():
                for name in repo.large:
                    self._large[hashlib.sha256(files[name]).hexdigest()] = model_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an app."""
        failure = None
        if scope["type"] == "http" and not self.mended:
            failure = self._failure(scope["path"])
            self.asked += failure is not None
        match failure:
            case "silence":
                while not self.mended:  # noqa: ASYNC110 - another thread sets it
                    await asyncio.sleep(_CHECKED_EVERY_S)
            case "500" | "429":
                await _answer(send, int(failure), {"retry-after": "1"})
                return
            case "loop":
                await _answer(send, 302, {"location": scope["raw_path"].decode()})
                return
            case "half-a-file":
                if self._is_large(scope["path"]):
                    self.well.cut_after.append(1000)
            case "another-file":
                self.well.spoilt = b"x" if self._is_large(scope["path"]) else None
        await self.well(scope, receive, send)
        self.well.spoilt = None

    def _is_large(self, path: str) -> bool:
        return path.startswith("/large/")

    def _failure(self, path: str) -> Failure | None:
        if self._is_large(path):
            return self.failures.get(self._large[path.rpartition("/")[2]])
        named = (each for each in self.failures if f"/{each}/" in f"{path}/")
        return self.failures.get(next(named, ""))


async def _answer(send: Send, status: int, headers: Mapping[str, str]) -> None:
    body = json.dumps({"error": "something is wrong"}).encode()
    told = {**headers, "content-length": str(len(body))}
    pairs = [(name.encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def failing_hub(
    repos: Mapping[str, HubRepo], failures: Mapping[str, Failure]
) -> Iterator[FailingHub]:
    """Run such a Hub until the block ends."""
    hub = FailingHub(HubStandIn(dict(repos)), failures)
    with running_server(hub) as server, running_server(hub) as other:
        hub.well.url, hub.well.other_url = server.url, other.url
        try:
            yield hub
        finally:
            hub.mended = True
