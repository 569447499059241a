"""Sessions of both runtimes: errors have our classes, and closing is final."""

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.encodings import encoding

from earmark.batching.packer import pack
from earmark.errors import EngineError
from earmark.graph.recorder import Recorder
from earmark.runtime.machine import available_threads
from earmark.runtime.runtimes import GRAPH_RUNTIMES, graph_support
from earmark.runtime.session import Graph, GraphRuntime, SessionOptions

OPTIONS = SessionOptions(compute="float32", threads=1)


def doubling_graph() -> Graph:
    """Write a graph that looks first tokens up in a table of four rows."""
    recorder = Recorder("doubling")
    ids = recorder.reshape(recorder.input("input_ids", ("rows", "width")), -1)
    first = recorder.input("first_token", ("texts",))
    table = recorder.constant(np.asarray([[0.0], [2.0], [4.0], [6.0]], np.float32), "table")
    looked_up = recorder.op("Gather", table, recorder.op("Gather", ids, first))
    recorder.output(looked_up, "logits", ("texts", 1))
    return recorder.to_graph()


@pytest.mark.parametrize("runtime", GRAPH_RUNTIMES)
def test_a_graph_runs_on_the_inputs_it_declares(runtime: GraphRuntime) -> None:
    """A graph gets only the arrays of a batch that it declares."""
    session = graph_support(runtime).open_graph(doubling_graph(), OPTIONS, None)
    logits = session.run(pack([encoding(2, first_id=1), encoding(1, first_id=3)]))
    assert logits.tolist() == [[2.0], [6.0]]
    assert session.runtime.split()[0] == runtime
    assert session.device


def large_graph() -> tuple[Graph, NDArray[np.float32]]:
    """Write a graph that looks first tokens up in a table too large for its file."""
    table = np.arange(512, dtype=np.float32).reshape(256, 2)
    recorder = Recorder("large")
    ids = recorder.reshape(recorder.input("input_ids", ("rows", "width")), -1)
    first = recorder.input("first_token", ("texts",))
    found = recorder.op("Gather", ids, first)
    recorder.output(recorder.op("Gather", recorder.constant(table, "t"), found), "logits", ("n", 2))
    return recorder.to_graph(), table


@pytest.mark.parametrize("runtime", GRAPH_RUNTIMES)
def test_large_matrices_stay_beside_the_file(runtime: GraphRuntime) -> None:
    """Large matrices are not in the file, and live as long as the session."""
    graph, table = large_graph()
    assert len(graph.file) < table.nbytes
    assert graph.matrices["t"] is table
    session = graph_support(runtime).open_graph(graph, OPTIONS, None)
    del graph, table
    gc.collect()
    assert [np.full((64, 64), 7.0).sum() for _ in range(8)]  # what was freed is written over
    logits = session.run(pack([encoding(1, first_id=3), encoding(1, first_id=255)]))
    assert logits.tolist() == [[6.0, 7.0], [510.0, 511.0]]


@pytest.mark.parametrize("runtime", GRAPH_RUNTIMES)
def test_answers_are_the_callers_own(runtime: GraphRuntime) -> None:
    """A later run does not change an earlier answer."""
    session = graph_support(runtime).open_graph(doubling_graph(), OPTIONS, None)
    first = session.run(pack([encoding(1, first_id=1)]))
    session.run(pack([encoding(1, first_id=3)]))
    assert first.tolist() == [[2.0]]


@pytest.mark.parametrize("runtime", GRAPH_RUNTIMES)
def test_a_closed_session_says_so(runtime: GraphRuntime) -> None:
    """Running a closed session raises an error that says so."""
    session = graph_support(runtime).open_graph(doubling_graph(), OPTIONS, None)
    session.close()
    assert session.kernels() == ()
    with pytest.raises(EngineError, match="closed"):
        session.run(pack([encoding(1)]))


@pytest.mark.parametrize("runtime", GRAPH_RUNTIMES)
def test_a_graph_that_is_none_is_refused(runtime: GraphRuntime) -> None:
    """A broken graph is refused with the runtime's own message."""
    with pytest.raises(EngineError, match="cannot"):
        graph_support(runtime).open_graph(Graph(b"not a graph", {}), OPTIONS, None)


def test_a_failing_run_is_our_error() -> None:
    """A failed run raises an `EngineError` with the runtime's own message."""
    session = graph_support("onnxruntime").open_graph(doubling_graph(), OPTIONS, None)
    with pytest.raises(EngineError, match="ONNX Runtime failed on a batch"):
        session.run(pack([encoding(1, first_id=9)]))


def test_openvino_names_its_kernels_once_it_has_run() -> None:
    """After a run the kernels are read from the executed graph."""
    session = graph_support("openvino").open_graph(doubling_graph(), OPTIONS, None)
    session.run(pack([encoding(1)]))
    assert session.kernels() == ()


SIGNAL_AFTER_CLOSING = """
import gc, signal, sys
from pathlib import Path
from earmark.runtime.openvino import open_openvino
from earmark.runtime.session import Graph, SessionOptions

graph = Graph(Path(sys.argv[1]).read_bytes(), {})
options = SessionOptions(compute="float32", threads=1)
sessions = [open_openvino(graph, options) for _ in range(2)]
while sessions:
    sessions.pop(0).close()
    gc.collect()
signal.signal(signal.SIGTERM, lambda *_: print("taken"))
signal.raise_signal(signal.SIGTERM)
"""


def test_a_signal_after_two_sessions_have_closed_is_no_crash(tmp_path: Path) -> None:
    """A signal after two sessions were closed in order does not crash the process."""
    graph = tmp_path / "graph.onnx"
    graph.write_bytes(doubling_graph().file)
    command = [sys.executable, "-c", SIGNAL_AFTER_CLOSING, str(graph)]
    done = subprocess.run(  # noqa: S603 - the lines above and nothing else
        command, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "taken\n"), done.stderr


def test_at_least_one_core_is_available() -> None:
    """The number of cores that the process may use is at least one."""
    assert available_threads() >= 1
