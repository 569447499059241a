"""The machine's clock is set back and forth: deadlines do not notice, answers to batches expire."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from faults.figures import Figures
from faults.served import Served, assert_clean, member, neighbour, serving, until

_RUN: Final = "/client/v4/accounts/any/ai/run/tiny"
_LIBRARIES: Final = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib*/faketime/libfaketime.so.1")
_NEIGHBOUR_S: Final = 1.0
_DRAIN_S: Final = 2
_SETTLES_S: Final = 1.5


def _faked(when: Path) -> Mapping[str, str]:
    """Return what gives a process the clock that a file says; skip where there is no faketime."""
    found = [file for each in _LIBRARIES for file in Path("/").glob(each.lstrip("/"))]
    if not found:
        pytest.skip("faketime is not installed")
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(when),
        "FAKETIME_CACHE_DURATION": "1",
        # As on a machine: only the wall clock is set.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


def _set(when: Path, offset: str) -> None:
    """Set the clock, in one step; the process reads the file every second."""
    other = when.with_suffix(".new")
    other.write_text(offset, "ascii")
    os.replace(other, when)  # noqa: PTH105 - the atomic one
    time.sleep(_SETTLES_S)


def _submitted(served: Served, inputs: int) -> dict[str, object]:
    batch = {"requests": [{"text": f"text {next(served.texts)}"} for _ in range(inputs)]}
    taken = served.ask(f"{_RUN}?queueRequest=true", batch)
    assert taken.status == 200, taken
    return {"request_id": member(member(taken.body, "result"), "request_id")}


def _is_answered(served: Served, job: object) -> bool:
    answer = served.ask(_RUN, job)
    if answer.status != 200:
        return False
    found = member(answer.body, "result")
    assert isinstance(found, dict)
    return "responses" in found


def test_a_clock_that_is_set_changes_no_deadline(
    tiny: str, tmp_path: Path, slowness: float, figures: Figures
) -> None:
    """Ten days back, 400 forth: callers and batches are answered in time, draining ends."""
    when = tmp_path / "when"
    when.write_text("+0", "ascii")
    flags = ("--model", tiny, "--drain-s", str(_DRAIN_S))
    with serving(*flags, env=_faked(when), folder=tmp_path) as served:
        with neighbour(served) as one:
            early = _submitted(served, 3000)
            _set(when, "-10d")
            later = _submitted(served, 10)
            until(lambda: _is_answered(served, early))
            until(lambda: _is_answered(served, later))
            asked = len(one.took_s)
            until(lambda: len(one.took_s) > asked + 3)
            _set(when, "+400d")
            until(lambda: not _is_answered(served, early))
            _set(when, "-10d")
            until(lambda: _is_answered(served, early))
        one.assert_unharmed(worst_s=_NEIGHBOUR_S * slowness)
        assert {state for _, state in one.states} == {"200 ready"}
        served.server.process.send_signal(signal.SIGTERM)
        begun_s = time.monotonic()
        _set(when, "-20d")
        assert served.server.process.wait(60) == 0
        drained_s = time.monotonic() - begun_s
        assert _DRAIN_S <= drained_s < _DRAIN_S + 3 * slowness
        assert_clean(served.server.events)
    figures.add(
        "the clock is set back by 10 days and forth by 400",
        "deadlines, draining and queues do not notice; answers to batches expire by the clock",
        f"neighbour: at most {one.worst_ms:.0f} ms; drained after {drained_s:.1f} s",
    )
