"""Owns an engine process: starts it, ends it where it hangs, and starts it again."""

import contextlib
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import msgspec
import structlog

from earmark.engine.process.frames import FrameSocket
from earmark.engine.process.handle import ProcessHandle
from earmark.engine.process.in_flight import Place
from earmark.engine.process.messages import (
    FromEngine,
    Load,
    Loaded,
    NotLoaded,
    Ran,
    Recipe,
    Running,
    ToEngine,
    Unloaded,
    decode_from_engine,
    encode,
)
from earmark.errors import DeadlineExceeded, EarmarkError, EngineError, ShuttingDown
from earmark.runtime.machine import process_memory_bytes

_TICK_S: Final = 0.25
"""How often a run is held against its bound."""
_ENDED_WITHIN_S: Final = 5.0
"""How long a process that was asked to end may take."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 30.0
"""Pauses before another start: none after a process that had worked, then doubled each time."""
_GIVES_UP_AFTER: Final = 3
"""So many starts in a row that fail, and what waits is answered with an error."""
_LOADED_AGAIN_AFTER_S: Final = 30.0
"""When a model that could not be loaded again is tried again."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("earmark.engine")


class EngineProcess:
    """A process that runs models, and the thread that looks after it.

    Nothing that was accepted is lost when the process ends. What it had not answered is sent to the
    next one. The texts that were running are suspects, and sent first, each alone: a text that ends
    the process again is answered with an error, and refused for a while.
    """

    def __init__(self, command: Sequence[str]) -> None:
        """Start the process.

        Args:
            command: the words that start it; the number of its end of the socket is added.
        """
        self._command = tuple(command)
        self._lock = threading.RLock()
        self._handles: dict[int, ProcessHandle] = {}
        self._loading: dict[int, _FirstLoad] = {}
        self._numbers = 0
        self._frames: FrameSocket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._suspects: deque[tuple[ProcessHandle, Place]] = deque()
        self._suspect: tuple[ProcessHandle, Place] | None = None
        self._again_s: dict[int, float] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="earmark-engine", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """The number of the process; None where it is not there at this moment."""
        process = self._process
        return None if process is None else process.pid

    def load(
        self, recipe: Recipe, *, on_closed: Callable[[], None], within_s: float | None = None
    ) -> tuple[ProcessHandle, Loaded]:
        """Load a model, and wait for that; the handle waits for its `first_loaded`.

        Args:
            recipe: the model, and how it is to run.
            on_closed: called once the handle is closed.
            within_s: after so long the load has failed; None for no bound.

        Raises:
            DeadlineExceeded: it takes too long, and goes on until the process is closed.
            CheckpointError: the files, or the way the model is to run, do not do.
            EngineError: the runtime failed, or the process ended.
            ShuttingDown: the process was closed.
        """
        with self._lock:
            if self._stopped.is_set():
                raise ShuttingDown("the server is going down")
            self._numbers += 1
            number = self._numbers
            handle = ProcessHandle(
                number,
                recipe,
                send=self._send,
                memory_bytes=self._memory_of_each,
                on_closed=partial(self._closed, number, on_closed),
            )
            load = self._loading[number] = _FirstLoad(handle)
            self._send(Load(number, recipe))
        if not load.ended.wait(within_s):
            with self._lock:
                self._loading.pop(number, None)
            raise DeadlineExceeded(f"the load did not end within {within_s:.0f} s")
        if load.found is None:
            raise load.error or EngineError("the engine process gave no model")
        return handle, load.found

    def close(self) -> None:
        """End the process; a second call does nothing.

        It finishes the runs in progress. A load is not waited for: nothing could interrupt it.
        """
        self._stopped.set()
        with self._lock:
            if self._loading:
                self.kill()
            if self._frames is not None:
                self._frames.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(2 * _ENDED_WITHIN_S)

    def _memory_of_each(self) -> int | None:
        pid = self.pid
        whole = None if pid is None else process_memory_bytes(pid)
        return None if whole is None else whole // max(len(self._handles), 1)

    def kill(self) -> None:
        """End the process at once."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    def _closed(self, number: int, on_closed: Callable[[], None]) -> None:
        with self._lock:
            self._handles.pop(number, None)
            self._again_s.pop(number, None)
        on_closed()

    def _send(self, message: ToEngine) -> None:
        frames = self._frames
        if frames is not None:
            frames.send(encode(message))

    def _run(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            began_s = time.monotonic()
            try:
                self._start()
            except OSError as error:
                how = f"it cannot be started: {error}"
                worked = False
            else:
                worked = self._serve()
                how = self._reap()
            if self._stopped.is_set():
                break
            failures = 0 if worked else failures + 1
            pause_s = 0.0
            if failures:
                pause_s = min(_FIRST_PAUSE_S * 2**failures, _LONGEST_PAUSE_S)
            self._lost(how, failures, alive_s=time.monotonic() - began_s)
            self._stopped.wait(pause_s)
        self._end_loads(ShuttingDown("the server is going down"))

    def _start(self) -> None:
        """Start the process, and have it load the models.

        Raises:
            OSError: the system gives no process.
        """
        mine, its = socket.socketpair()
        with its:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                (*self._command, str(its.fileno())),
                stdin=subprocess.DEVNULL,
                pass_fds=(its.fileno(),),
                process_group=0,  # so that a Ctrl-C of the terminal does not reach it
            )
        with self._lock:
            self._frames = FrameSocket(mine)
            for handle in (
                *self._handles.values(),
                *(one.handle for one in self._loading.values()),
            ):
                self._send(Load(handle.number, handle.recipe))
        if self._stopped.is_set():
            self._frames.close()

    def _serve(self) -> bool:
        """Read what the process says until it ends; return whether it had all models loaded."""
        frames = self._frames
        worked = False
        while frames is not None:
            try:
                received = frames.receive(_TICK_S)
                for frame in received:
                    self._take(decode_from_engine(frame))
            except EOFError:
                return worked
            except msgspec.MsgspecError as error:  # native code has written over its memory
                _log.error("an engine process says what cannot be read", error=str(error))
                self.kill()
                return worked
            worked = worked or self._all_loaded()
            self._look()
        return worked

    def _reap(self) -> str:
        """Wait for the end of the process; return how it ended."""
        with self._lock:
            if self._frames is not None:
                self._frames.close()
            self._frames = None
        process, self._process = self._process, None
        if process is None:
            return "it was not there"
        # `wait` with a timeout looks again and again, up to 20 times a second.
        killed_later = threading.Timer(_ENDED_WITHIN_S, process.kill)
        killed_later.start()
        code = process.wait()
        killed_later.cancel()
        if code >= 0:
            return f"exit code {code}"
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
        return f"signal {-code}"

    def _take(self, message: FromEngine) -> None:
        if isinstance(message, Loaded | NotLoaded):
            self._take_load(message)
            return
        with self._lock:
            handle = self._handles.get(message.model)
        if handle is None:
            return
        match message:
            case Running():
                handle.began(message)
            case Ran():
                handle.ended(message)
                self._next_suspect()
            case Unloaded():
                handle.unloaded()

    def _take_load(self, message: Loaded | NotLoaded) -> None:
        with self._lock:
            first = self._loading.pop(message.model, None)
            if first is not None and isinstance(message, Loaded):
                self._handles[message.model] = first.handle
                first.handle.arrived()
            handle = self._handles.get(message.model)
        error = message.error.error() if isinstance(message, NotLoaded) else None
        if first is not None:
            first.end(message if isinstance(message, Loaded) else None, error)
        elif handle is not None and isinstance(message, Loaded):
            handle.loaded_again(message, held=bool(self._suspects or self._suspect))
            self._next_suspect()
        elif handle is not None and error is not None:
            _log.error(
                "a model cannot be loaded again", model=handle.recipe.model_id, error=str(error)
            )
            self._again_s[handle.number] = time.monotonic() + _LOADED_AGAIN_AFTER_S
            handle.give_up(error)

    def _all_loaded(self) -> bool:
        with self._lock:
            handles = tuple(self._handles.values())
        return bool(handles) and all(one.state().state != "restarting" for one in handles)

    def _next_suspect(self) -> None:
        """Send the next suspect once the one before is answered; then everything else."""
        if self._suspect is not None:
            handle, place = self._suspect
            if handle.waits_for(place):
                return
            self._suspect = None
        elif not self._suspects:
            return
        while self._suspects:
            handle, place = self._suspects[0]
            if handle.state().state == "restarting":
                return  # its `Loaded` comes back here
            self._suspects.popleft()
            if handle.send_alone(place):
                self._suspect = handle, place
                return
        with self._lock:
            handles = tuple(self._handles.values())
        for handle in handles:
            handle.release()

    def _look(self) -> None:
        """End a process whose run hangs; load a model again whose last load failed."""
        now_s = time.monotonic()
        with self._lock:
            handles = tuple(self._handles.values())
            due = [number for number, at_s in self._again_s.items() if now_s >= at_s]
            for number in due:
                del self._again_s[number]
        for handle in handles:
            if handle.number in due:
                self._send(Load(handle.number, handle.recipe))
            if handle.hangs:
                _log.error(
                    "a run does not end: the engine process is ended",
                    model=handle.recipe.model_id,
                    running_s=round(handle.running_s(), 1),
                )
                self.kill()
        self._next_suspect()

    def _lost(self, how: str, failures: int, *, alive_s: float) -> None:
        """Sort what the process had: what it was running is suspect."""
        with self._lock:
            handles = tuple(self._handles.values())
            self._again_s.clear()
        running = [(handle, place) for handle in handles for place in handle.lost()]
        _log.error(
            "an engine process has ended and is started again",
            models=[one.recipe.model_id for one in handles],
            how=how,
            running_texts=len(running),
            alive_s=round(alive_s, 1),
        )
        if self._suspect is not None:
            suspect, self._suspect = self._suspect, None
            if suspect in running:
                handle, place = suspect
                _log.error("a text is refused", model=handle.recipe.model_id, how=how)
                handle.refuse(place)
            else:
                self._suspects.appendleft(suspect)
        else:
            self._suspects.extend(running)
        self._end_loads(EngineError(f"the engine process ended while it loaded the model: {how}"))
        if failures >= _GIVES_UP_AFTER:
            self._suspects.clear()
            for handle in handles:
                handle.give_up(EngineError(f"the engine process does not start: {how}"))

    def _end_loads(self, error: EarmarkError) -> None:
        """Fail the loads in progress."""
        with self._lock:
            loads = tuple(self._loading.values())
            self._loading.clear()
        for one in loads:
            one.end(None, error)


class _FirstLoad:
    """A load that somebody waits for."""

    def __init__(self, handle: ProcessHandle) -> None:
        self.handle = handle
        self.ended = threading.Event()
        self.found: Loaded | None = None
        self.error: EarmarkError | None = None

    def end(self, found: Loaded | None, error: EarmarkError | None) -> None:
        self.found, self.error = found, error
        self.ended.set()
