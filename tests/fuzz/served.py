"""The server under test: a process of its own with a tiny model for each task."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from e2e.processes import PATIENCE_S, Server, command, environment
from fuzz.targets import Models
from support.checkpoints import CheckpointSpec, write_checkpoint

_SPECS: Final = {
    "tiny/classifier": CheckpointSpec(seed=1, label_names=("BAD", "GOOD")),
    "tiny/zero-shot": CheckpointSpec(
        seed=2, num_labels=3, label_names=("contradiction", "neutral", "entailment")
    ),
    "tiny/names": CheckpointSpec(
        seed=3, num_labels=3, head="token", label_names=("O", "B-PER", "I-PER")
    ),
    "tiny/reranker": CheckpointSpec(seed=4, num_labels=1),
}
_COLD: Final = {
    "cold/one": CheckpointSpec(seed=5, label_names=("BAD", "GOOD")),
    "cold/two": CheckpointSpec(seed=6, label_names=("BAD", "GOOD")),
}
_ALIAS: Final = "@cf/huggingface/distilbert-sst-2-int8"
MODELS: Final = Models((*_SPECS, _ALIAS), tuple(_COLD))

_KEY_NAME: Final = "fuzz"
_TICK_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Kind:
    """How a server is set.

    Attributes:
        name: of this kind.
        flags: of `earmark serve`.
        keyed: whether a key is demanded.
    """

    name: str
    flags: tuple[str, ...] = ()
    keyed: bool = False


KINDS: Final = (
    Kind("open"),
    Kind("strict, with a key", ("--strict", "--zero-shot-form", "both"), keyed=True),
)


@dataclass(frozen=True, slots=True)
class Served:
    """A running server.

    Attributes:
        server: its process and its log.
        port: on 127.0.0.1.
        key: what it lets in; empty where no key is needed.
    """

    server: Server
    port: int
    key: str


def write_models(folder: Path) -> None:
    """Write the models that every kind of server has."""
    for name, spec in _SPECS.items():
        write_checkpoint(folder / "named" / name, spec)
    for name, spec in _COLD.items():
        write_checkpoint(folder / "models" / name, spec)


@contextmanager
def running(kind: Kind, folder: Path, *, log_level: str) -> Iterator[Served]:
    """Start a server of a kind; kill it at the end.

    Args:
        kind: how it is set.
        folder: where `write_models` wrote the models.
        log_level: the lowest that is written, and kept here; each request is a line of info.
    """
    home = folder / f"home-{KINDS.index(kind)}"
    home.mkdir()
    port = _free_port()
    words = command("serve", f"--port={port}", "--log-format=json", f"--log-level={log_level}")
    words += [f"--model={name}={folder / 'named' / name}" for name in _SPECS]
    words += [f"--alias={_ALIAS}=tiny/classifier", f"--models-folder={folder / 'models'}"]
    words += ["--max-loaded=1", "--hub-models=deny", "--certify=off", *kind.flags]
    env = environment()
    key = _new_key(home, env) if kind.keyed else ""
    with subprocess.Popen(  # noqa: S603 - our own words
        words, env=env, cwd=home, stderr=subprocess.PIPE, text=True
    ) as process:
        server = Server(process)
        assert process.stderr is not None
        reader = threading.Thread(target=server.read_log, args=(process.stderr,))
        reader.start()
        try:
            _wait_until_it_listens(server, port)
            yield Served(server, port, key)
        finally:
            process.kill()
            process.wait(PATIENCE_S)
            reader.join(PATIENCE_S)


def _free_port() -> int:
    """Choose a port: at a level above info the log does not say which one the server took."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
        return port


def _wait_until_it_listens(server: Server, port: int) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        if server.process.poll() is not None:
            break
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(_TICK_S)
    raise RuntimeError(f"the server does not listen: {server.events[-5:]}")


def _new_key(home: Path, env: dict[str, str]) -> str:
    made = subprocess.run(  # noqa: S603 - our own words
        command("keys", "create", _KEY_NAME),
        env=env,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    return made.stdout.strip()
