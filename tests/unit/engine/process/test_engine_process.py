"""An engine process that dies, hangs and comes back: what was accepted is answered, once."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from support.engine_child import ABORTS, BABBLES, COMMAND, HANGS, RAISES, SLOW

from earmark.batching.ticket import Answer, Logits, Submission
from earmark.domain.encoding import Encoding
from earmark.engine.process.handle import ProcessHandle
from earmark.engine.process.messages import Recipe
from earmark.engine.process.process import EngineProcess
from earmark.errors import (
    DeadlineExceeded,
    EngineEnded,
    EngineError,
    InvalidCheckpoint,
    ModelLoading,
    QueueFull,
    ShuttingDown,
)

PATIENCE_S = 60.0


def _recipe(name: str = "good", model_id: str = "acme/sums") -> Recipe:
    return Recipe("bundled", name, None, model_id, "float32", "openvino", 1, 64, "off", None)


def _text(*ids: int) -> Encoding:
    return Encoding(ids, (0,) * len(ids))


def _loaded(
    process: EngineProcess, name: str = "good", *, waiting: int = 10_000, bound_s: float = 30.0
) -> ProcessHandle:
    handle, found = process.load(_recipe(name), on_closed=lambda: None)
    handle.first_loaded(found, _text(1), max_waiting_tokens=waiting, run_timeout_s=bound_s)
    return handle


def _answers(submission: Submission) -> Sequence[Answer]:
    done = threading.Event()
    submission.when_done(done.set)
    assert done.wait(PATIENCE_S), "a submission got no answer"
    return submission.answers()


def _asked(handle: ProcessHandle, *texts: Encoding) -> Sequence[Answer]:
    return _answers(handle.submit(texts, deadline_s=None))


def _sums(answers: Sequence[Answer]) -> list[float]:
    return [float(one.values[0]) for one in answers if isinstance(one, Logits)]


def _until(handle: ProcessHandle, state: str) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while handle.state().state != state:
        assert time.monotonic() < until_s, f"never {state}, but {handle.state().state}"
        time.sleep(0.01)


@pytest.fixture
def process() -> Iterator[EngineProcess]:
    """Run an engine process, which ends with the test."""
    started = EngineProcess(COMMAND)
    yield started
    pid = started.pid
    started.close()
    if pid is not None:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_texts_are_answered_in_order_from_another_process(process: EngineProcess) -> None:
    """Each text gets its own logits, as float32, and the runs are counted."""
    handle = _loaded(process)
    answers = _asked(handle, _text(5), _text(1, 2, 3), _text(7, 7))
    assert _sums(answers) == [5.0, 6.0, 14.0]
    first = answers[0]
    assert isinstance(first, Logits)
    assert first.values.dtype == np.float32
    assert float(first.values[2]) == process.pid != os.getpid()
    totals = handle.state().totals
    assert (totals.texts, totals.tokens, totals.failed_runs) == (3, 6, 0)
    assert handle.state().state == "ready"


def test_a_text_that_fails_fails_alone(process: EngineProcess) -> None:
    """An exception in a run splits the batch, as it does in a thread."""
    handle = _loaded(process)
    answers = _asked(handle, *(_text(n) for n in (1, 2, RAISES, 4)))
    assert _sums(answers) == [1.0, 2.0, 4.0]
    assert isinstance(answers[2], EngineError)
    assert str(answers[2]) == "running a text failed: RuntimeError"


def test_a_killed_process_is_started_again_and_nothing_is_lost(process: EngineProcess) -> None:
    """What it had not answered is answered by the next process; more callers notice nothing."""
    handle = _loaded(process)
    before = process.pid
    assert before is not None
    submissions = [handle.submit((_text(SLOW, n),), deadline_s=None) for n in range(20)]
    time.sleep(0.1)
    os.kill(before, signal.SIGKILL)
    while_down = handle.submit((_text(3),), deadline_s=None)
    assert [_sums(_answers(one)) for one in submissions] == [[SLOW + n] for n in range(20)]
    assert _sums(_answers(while_down)) == [3.0]
    assert process.pid != before
    assert handle.state().state == "ready"


def test_a_text_that_ends_the_process_twice_is_answered_with_an_error(
    process: EngineProcess,
) -> None:
    """Its neighbours in the batch are answered; asked again, it is refused without a third end."""
    handle = _loaded(process)
    answers = _asked(handle, _text(1), _text(2), _text(ABORTS, 9), _text(4))
    assert _sums(answers) == [1.0, 2.0, 4.0]
    refused = answers[2]
    assert isinstance(refused, EngineEnded)
    assert "ended twice" in str(refused)
    after = process.pid
    again = _asked(handle, _text(ABORTS, 9), _text(5))
    assert isinstance(again[0], EngineError)
    assert _sums(again) == [5.0]
    assert process.pid == after


def test_one_models_poison_does_not_blame_another_models_text(process: EngineProcess) -> None:
    """Two models in one process: the texts that were running beside the poison are answered."""
    poisoned, other = _loaded(process), _loaded(process)
    slow = [other.submit((_text(SLOW, n),), deadline_s=None) for n in range(5)]
    time.sleep(0.1)
    assert isinstance(_asked(poisoned, _text(ABORTS))[0], EngineError)
    assert [_sums(_answers(one)) for one in slow] == [[SLOW + n] for n in range(5)]


def test_a_run_that_hangs_is_ended_with_its_process(process: EngineProcess) -> None:
    """Health says `stalled` first; then the neighbours are answered, and the text is refused."""
    handle = _loaded(process, bound_s=1.5)
    submission = handle.submit((_text(HANGS), _text(8)), deadline_s=None)
    _until(handle, "stalled")
    answers = _answers(submission)
    assert isinstance(answers[0], EngineError)
    assert _sums(answers) == [8.0]
    assert handle.state().state == "ready"


def test_a_caller_that_leaves_takes_its_texts_along(process: EngineProcess) -> None:
    """What it waited for does not run any more, and frees its room."""
    handle = _loaded(process)
    running = handle.submit((_text(SLOW),), deadline_s=None)
    time.sleep(0.1)
    left = handle.submit([_text(SLOW, n) for n in range(50)], deadline_s=None)
    left.abandon()
    assert _sums(_answers(running)) == [SLOW]
    assert _sums(_asked(handle, _text(2))) == [2.0]
    assert handle.state().totals.texts == 2
    assert handle.state().waiting_tokens == 0


def test_a_caller_that_gives_up_leaves_too(process: EngineProcess) -> None:
    """Its open texts have the error that it gave, and no room is kept for them."""
    handle = _loaded(process)
    submission = handle.submit([_text(SLOW, n) for n in range(50)], deadline_s=None)
    submission.give_up(DeadlineExceeded("no answer in time"))
    assert all(isinstance(one, DeadlineExceeded) for one in _answers(submission))
    assert handle.state().waiting_texts == 0


def test_what_waits_past_its_deadline_is_answered_by_the_queue(process: EngineProcess) -> None:
    """The clock of deadlines is the same in both processes."""
    handle = _loaded(process)
    handle.submit((_text(SLOW, 1),), deadline_s=None)
    time.sleep(0.1)
    late = handle.submit((_text(SLOW, 2),), deadline_s=time.monotonic() + 0.05)
    handle.submit((_text(SLOW, 3),), deadline_s=None)
    assert isinstance(_answers(late)[0], DeadlineExceeded)


def test_a_queue_that_is_full_refuses_at_once(process: EngineProcess) -> None:
    """The bound counts what waits on this side, and what has been answered frees it."""
    handle = _loaded(process, waiting=256)
    text = _text(SLOW, *range(50))
    running = handle.submit((text,), deadline_s=None)
    time.sleep(0.1)
    waiting = [handle.submit((text,), deadline_s=None) for _ in range(3)]
    with pytest.raises(QueueFull, match="153 tokens are waiting and this request adds 51"):
        handle.submit((text,), deadline_s=None)
    for one in (running, *waiting):
        assert len(_sums(_answers(one))) == 1
    assert _sums(_asked(handle, _text(2))) == [2.0]


def test_closing_answers_what_waits_and_finishes_what_runs(process: EngineProcess) -> None:
    """The run in progress is answered; what waits is told that the server goes down."""
    handle = _loaded(process)
    running = handle.submit((_text(SLOW, 1),), deadline_s=None)
    time.sleep(0.1)
    waiting = handle.submit((_text(2),), deadline_s=None)
    handle.close()
    assert _sums(_answers(running)) == [SLOW + 1.0]
    assert isinstance(_answers(waiting)[0], ShuttingDown)
    assert handle.state().state == "closed"
    with pytest.raises(ShuttingDown):
        handle.submit((_text(2),), deadline_s=None)


def test_a_load_that_fails_says_why(process: EngineProcess) -> None:
    """The error has its own class again; the process goes on with other models."""
    with pytest.raises(InvalidCheckpoint, match=r"config\.json is empty"):
        process.load(_recipe("broken"), on_closed=lambda: None)
    assert _sums(_asked(_loaded(process), _text(2))) == [2.0]


def test_a_load_that_ends_the_process_is_an_error(process: EngineProcess) -> None:
    """The models that the process had are loaded again, without the one that ended it."""
    handle = _loaded(process)
    with pytest.raises(EngineError, match="SIGABRT"):
        process.load(_recipe("dies"), on_closed=lambda: None)
    assert _sums(_asked(handle, _text(2))) == [2.0]


def test_a_load_that_does_not_end_is_given_up(process: EngineProcess) -> None:
    """Its bound is the caller's."""
    with pytest.raises(DeadlineExceeded, match="within 0 s"):
        process.load(_recipe("endless"), on_closed=lambda: None, within_s=0.2)


def test_files_that_changed_are_not_served_under_the_old_name(process: EngineProcess) -> None:
    """A restarted process that loads other files is not asked: the cache would mix both."""
    handle = _loaded(process, "changing")
    submission = handle.submit((_text(SLOW),), deadline_s=None)
    time.sleep(0.1)
    process.kill()
    answer = _answers(submission)[0]
    assert isinstance(answer, EngineError)
    assert "have changed" in str(answer)
    assert handle.state().state == "failing"
    with pytest.raises(ModelLoading):
        handle.submit((_text(1),), deadline_s=None)


def test_a_process_that_does_not_start_any_more_is_told(tmp_path: os.PathLike[str]) -> None:
    """After several failures what waits is answered, and new texts are refused with a time."""
    once = os.path.join(tmp_path, "once")  # noqa: PTH118 - part of a program's text
    script = COMMAND[2]
    program = f"import os, sys\nif os.path.exists({once!r}): sys.exit(3)\nopen({once!r}, 'w')\n"
    process = EngineProcess((COMMAND[0], COMMAND[1], program + script))
    try:
        handle = _loaded(process)
        submission = handle.submit((_text(SLOW),), deadline_s=None)
        process.kill()
        answer = _answers(submission)[0]
        assert isinstance(answer, EngineError)
        assert "exit code 3" in str(answer)
        assert handle.state().state == "failing"
        with pytest.raises(ModelLoading):
            handle.submit((_text(1),), deadline_s=None)
    finally:
        process.close()


def test_a_process_that_says_what_cannot_be_read_is_ended(process: EngineProcess) -> None:
    """As native code may have it that has written over memory; the next process answers."""
    handle = _loaded(process)
    before = process.pid
    assert _sums(_asked(handle, _text(BABBLES, 2), _text(3))) == [BABBLES + 2.0, 3.0]
    assert process.pid != before


def test_closing_a_process_ends_the_loads_that_wait(process: EngineProcess) -> None:
    """Their callers learn that the server goes down."""
    raised: list[BaseException] = []

    def load() -> None:
        try:
            process.load(_recipe("endless"), on_closed=lambda: None)
        except ShuttingDown as error:
            raised.append(error)

    thread = threading.Thread(target=load)
    thread.start()
    time.sleep(0.2)
    process.close()
    thread.join(PATIENCE_S)
    assert len(raised) == 1
    with pytest.raises(ShuttingDown):
        process.load(_recipe(), on_closed=lambda: None)
