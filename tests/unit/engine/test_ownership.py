"""A session is closed by the code that opened it, also when a load fails."""

import threading
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from support.checkpoints import CheckpointSpec, write_checkpoint

from earmark.batching.packer import BatchLimits
from earmark.batching.queue import TicketQueue
from earmark.batching.splitting import BatchRun
from earmark.batching.worker import Worker
from earmark.checkpoint.ref import FolderRef
from earmark.domain.encoding import Encoding
from earmark.engine import load
from earmark.engine.load import EngineOptions, load_engine
from earmark.errors import InvalidCheckpoint
from earmark.runtime.openvino import OpenVinoSession

PATIENCE_S = 20.0
_TEXT = Encoding((0, 1), (0, 0))


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> "list[weakref.ref[OpenVinoSession]]":
    """List every session that a test opens; a closed one has no compiled model any more."""
    opened: list[weakref.ref[OpenVinoSession]] = []
    usual = OpenVinoSession.__init__

    def init(self: OpenVinoSession, *given: object, **named: object) -> None:
        usual(self, *given, **named)  # type: ignore[arg-type]  # passed on as they came
        opened.append(weakref.ref(self))

    monkeypatch.setattr(OpenVinoSession, "__init__", init)
    return opened


def _alive(sessions: "list[weakref.ref[OpenVinoSession]]") -> int:
    held = [one() for one in sessions]
    return sum(one is not None and one._compiled is not None for one in held)  # noqa: SLF001 - the point


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_closed_engine_has_closed_its_session(
    precision: str, tmp_path: Path, sessions: "list[weakref.ref[OpenVinoSession]]"
) -> None:
    """A closed engine has closed its session; the session of a reference was closed before."""
    ref = FolderRef(write_checkpoint(tmp_path, CheckpointSpec()))
    options = EngineOptions(threads=1, precision=precision)  # type: ignore[arg-type]  # from a list
    engine = load_engine(ref, options=options)
    assert _alive(sessions) == 1
    engine.close()
    assert _alive(sessions) == 0
    assert engine.queue_state().state == "closed"


def test_a_warm_up_that_fails_leaves_no_session(
    tmp_path: Path, sessions: "list[weakref.ref[OpenVinoSession]]"
) -> None:
    """A load whose warm-up fails, as the model answers NaN, leaves no session open."""
    ref = FolderRef(write_checkpoint(tmp_path, CheckpointSpec()))
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["classifier.weight"] *= np.float32(3e38)
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(InvalidCheckpoint):
        load_engine(ref, options=EngineOptions(threads=1, precision="float32"))
    assert len(sessions) == 1
    assert _alive(sessions) == 0


def test_a_load_that_fails_at_its_end_leaves_no_session(
    tmp_path: Path,
    sessions: "list[weakref.ref[OpenVinoSession]]",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A load that gets no thread for its queue leaves no session open."""
    ref = FolderRef(write_checkpoint(tmp_path, CheckpointSpec()))

    def no_thread(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(load, "handle_of", no_thread)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        load_engine(ref, options=EngineOptions(threads=1, precision="float32"))
    assert len(sessions) == 1
    assert _alive(sessions) == 0


def test_what_a_run_uses_is_given_back_after_the_last_run() -> None:
    """A session that is closed during a run frees its model only after the run."""
    started, go, ended = threading.Event(), threading.Event(), threading.Event()
    order: list[str] = []

    def run(encodings: Sequence[Encoding]) -> BatchRun:
        started.set()
        assert go.wait(PATIENCE_S)
        order.append("ran")
        return BatchRun([np.zeros(2, np.float32) for _ in encodings], 2)

    def end() -> None:
        order.append("ended")
        ended.set()

    worker = Worker(TicketQueue(BatchLimits(64), 1000), run, lambda _: None, end=end)
    worker.submit((_TEXT,), deadline_s=None)
    assert started.wait(PATIENCE_S)
    closing = threading.Thread(target=worker.close)
    closing.start()
    assert not ended.wait(0.05)
    go.set()
    closing.join(PATIENCE_S)
    assert ended.wait(PATIENCE_S)
    assert order == ["ran", "ended"]
