"""SIGTERM and SIGINT in each state of a server: what is accepted is answered, and how it ends."""

import http.client
import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from e2e.processes import PATIENCE_S, Server, running_server
from faults.figures import Figures
from faults.served import Answer, Served, assert_clean, member, neighbour, serving, until
from support.onnx_models import OnnxSpec, write_onnx_folder

from bench.machine import family

_TERM, _INT = signal.SIGTERM, signal.SIGINT
_INTERRUPTED = 130
"""128 + SIGINT, as shells count it."""
_DRAIN_S = 2
_SOON_S = 2.0
_LOADS_END_S = 5.0
"""How long a server that ends waits for loads in progress: `cli.leaving`."""
_CALLERS, _TEXTS = 12, 1000
"""Some seconds of work for the tiny model."""
_RUN = "/client/v4/accounts/any/ai/run/mine"


def _ended(server: Server, *signals: signal.Signals, apart_s: float = 0.3) -> tuple[int, float]:
    """Send signals; return the exit code, and how long the end took from the last one on."""
    for number in signals[:-1]:
        server.process.send_signal(number)
        time.sleep(apart_s)
    begun_s = time.monotonic()
    return server.stop(signals[-1]), time.monotonic() - begun_s


@contextmanager
def _under_load(served: Served) -> Iterator[list["Future[Answer | str]"]]:
    """Have callers wait for large answers; all are accepted when the block begins."""

    def call(number: int) -> Answer | str:
        texts = [f"caller {number} text {place}" for place in range(_TEXTS)]
        try:
            return served.ask(body={"inputs": texts})
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__

    with ThreadPoolExecutor(_CALLERS) as callers:
        answers = [callers.submit(call, number) for number in range(_CALLERS)]
        until(lambda: _waiting(served) > _CALLERS * _TEXTS // 2)
        yield answers


def _waiting(served: Served) -> int:
    queue = member(served.get("/models/tiny/info").body, "queue")
    found = member(queue, "waiting_texts")
    assert isinstance(found, int)
    return found


def test_a_signal_before_the_server_is_ready_ends_it(tmp_path: Path, figures: Figures) -> None:
    """At once while Python imports; where a load never ends, as soon as its process is ended.

    In a thread, the load can only be left behind, after some seconds.
    """
    folder = str(write_onnx_folder(tmp_path / "endless", OnnxSpec(endless=True)))
    with running_server("--model", folder, folder=tmp_path) as server:
        time.sleep(0.3)
        code, took_s = _ended(server, _TERM)
        assert code in {0, -_TERM}
    figures.add("SIGTERM right after the start", "ends", f"code {code} after {took_s:.1f} s")
    for signals, engine, codes, within_s in (
        ((_TERM,), "process", {0}, 0.0),
        ((_INT,), "process", {0}, 0.0),
        ((_TERM,), "thread", {0}, _LOADS_END_S),
        ((_INT, _INT), "thread", {_INTERRUPTED}, 0.0),
    ):
        flags = ("--model", folder, "--threads", "1", "--engine", engine)
        with running_server(*flags, folder=tmp_path) as server:
            _until_loading(server)
            code, took_s = _ended(server, *signals)
        assert code in codes, (signals, server.events)
        assert took_s < within_s + _SOON_S
        assert_clean(server.events)
        names = " and again ".join(one.name for one in signals)
        figures.add(
            f"{names} while a load goes on that never ends, --engine {engine}",
            "waits 5 s for the load" if within_s else "ends at once",
            f"code {code} after {took_s:.1f} s",
        )


def _until_loading(server: Server) -> None:
    """Wait until the load is in native code, which nothing can interrupt."""

    def compiles() -> bool:
        maps = [Path(f"/proc/{pid}/maps") for pid in family(server.process.pid)]
        return any("openvino_intel_cpu_plugin" in one.read_text("utf-8") for one in maps)

    until(compiles)
    time.sleep(1)


def test_an_idle_server_ends_when_it_has_drained(
    tiny: str, tmp_path: Path, figures: Figures
) -> None:
    """SIGTERM drains first, a second signal ends that; SIGINT does not drain."""
    rows = (
        ((_TERM,), float(_DRAIN_S), "drains: health is 503, requests are answered"),
        ((_TERM, _TERM), 0.0, "the second ends the draining"),
        ((_TERM, _INT), 0.0, "the second ends the draining"),
        ((_INT,), 0.0, "ends without draining"),
    )
    for signals, least_s, happens in rows:
        drain_s = str(_DRAIN_S if len(signals) == 1 else 3600)
        with serving("--model", tiny, "--drain-s", drain_s, folder=tmp_path) as served:
            assert served.ask().status == 200
            code, took_s = _ended(served.server, *signals)
            assert code == (_INTERRUPTED if signals == (_TERM, _INT) else 0)
            assert least_s <= took_s < least_s + _SOON_S
            assert_clean(served.server.events)
        names = " and ".join(one.name for one in signals)
        figures.add(f"{names}, idle", happens, f"code {code} after {took_s:.1f} s")


@pytest.mark.parametrize("number", [_TERM, _INT])
def test_what_was_accepted_is_answered(
    number: signal.Signals, tiny: str, tmp_path: Path, figures: Figures
) -> None:
    """Large requests that wait when the signal comes; SIGTERM answers new ones as well."""
    flags = ("--model", tiny, "--drain-s", str(_DRAIN_S))
    with serving(*flags, folder=tmp_path) as served:
        with _under_load(served) as answers:
            code, took_s = _ended(served.server, number)
        assert code == 0
        for each in answers:
            answer = each.result()
            assert isinstance(answer, Answer), answer
            assert answer.status == 200
            assert isinstance(answer.body, list)
            assert len(answer.body) == _TEXTS
        lines = [one for one in served.events_of("request") if one["texts"] == _TEXTS]
        assert len(lines) == _CALLERS
        assert_clean(served.server.events)
    figures.add(
        f"{number.name} while {_CALLERS} requests of {_TEXTS:,} texts wait",
        "each is answered once, then it ends",
        f"code {code} after {took_s:.1f} s",
    )


def test_a_second_interrupt_drops_what_waits(tiny: str, tmp_path: Path, figures: Figures) -> None:
    """At once, and without a traceback; callers get 503, or their connection is closed."""
    with serving("--model", tiny, folder=tmp_path) as served:
        with _under_load(served) as answers:
            code, took_s = _ended(served.server, _INT, _INT)
        assert code == _INTERRUPTED
        assert took_s < _SOON_S
        ends = [each.result() for each in answers]
        assert {one.status for one in ends if isinstance(one, Answer)} <= {200, 503}
        assert_clean(served.server.events)
    figures.add(
        f"SIGINT twice while {_CALLERS} requests of {_TEXTS:,} texts wait",
        "ends at once, without a traceback",
        f"code {code} after {took_s:.1f} s",
    )


def test_a_stream_is_sent_to_its_end(tagger: str, tmp_path: Path, figures: Figures) -> None:
    """SIGTERM in the middle of a stream: its last event comes."""
    body = {
        "inputs": ["the good film of New York " * 60] * 8,
        "stream": True,
        "parameters": {"stride": 8, "ignore_labels": []},
    }
    with serving("--model", tagger, "--drain-s", "1", folder=tmp_path) as served:
        with closing(served.connect()) as to:
            to.request("POST", "/models/tagger", json.dumps(body))
            with to.getresponse() as answer:
                assert answer.status == 200
                answer.readline()
                served.server.process.send_signal(_TERM)
                events = answer.read().split(b"\n\n")
        assert events[-2:] == [b"data: [DONE]", b""]
        code = served.server.process.wait(PATIENCE_S)
        assert code == 0
        assert_clean(served.server.events)
    figures.add(
        "SIGTERM in the middle of a stream",
        "the stream is sent to its end",
        f"{len(events)} events",
    )


def test_a_batch_goes_on_in_the_next_server(tiny: str, tmp_path: Path, figures: Figures) -> None:
    """SIGTERM while a batch runs: it is answered once by the next server, from where it was."""
    inputs = 6_000
    batch = {"requests": [{"text": f"text {number}"} for number in range(inputs)]}
    flags = ("--model", f"mine={tiny}", "--drain-s", "0")
    with serving(*flags, folder=tmp_path) as served:
        taken = served.ask(f"{_RUN}?queueRequest=true", batch)
        job = {"request_id": member(member(taken.body, "result"), "request_id")}
        until(lambda: _batch(served, job).get("status") == "running")
        time.sleep(0.5)
        code, took_s = _ended(served.server, _TERM)
        assert code == 0
        assert took_s < _SOON_S
        assert_clean(served.server.events)
    with serving(*flags, folder=tmp_path) as served:
        until(lambda: "responses" in _batch(served, job))
        responses = _batch(served, job)["responses"]
        assert isinstance(responses, list)
        assert [member(one, "id") for one in responses] == list(range(inputs))
        assert all(member(one, "success") for one in responses)
        assert served.server.stop() == 0
        assert_clean(served.server.events)
    figures.add(
        f"SIGTERM while a batch of {inputs:,} inputs runs",
        "ends; the next server goes on, and each input has one answer",
        f"code {code} after {took_s:.1f} s",
    )


def _batch(served: Served, job: object) -> dict[str, object]:
    found = member(served.ask(_RUN, job).body, "result")
    assert isinstance(found, dict)
    return found


def test_neighbours_of_a_draining_server_are_answered(
    tiny: str, tmp_path: Path, figures: Figures
) -> None:
    """Health says so within two seconds, and a caller that asks on has every answer."""
    with serving("--model", tiny, "--drain-s", str(_DRAIN_S), folder=tmp_path) as served:
        with neighbour(served) as one:
            until(lambda: len(one.took_s) > 3)
            begun_s = time.monotonic()
            served.server.process.send_signal(_TERM)
            until(lambda: one.states[-1][1] == "503 draining", within_s=_SOON_S)
            told_s = time.monotonic() - begun_s
            asked_then = len(one.took_s)
            until(lambda: len(one.took_s) > asked_then + 5, within_s=_DRAIN_S)
            one.end()
        one.assert_unharmed(worst_s=_SOON_S)
        assert served.server.process.wait(PATIENCE_S) == 0
        assert_clean(served.server.events)
    figures.add(
        "SIGTERM while a caller asks on", "health is 503, the caller is answered", f"{told_s:.2f} s"
    )
