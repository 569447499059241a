"""The engine processes of a server, and which of them a model goes to."""

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final

from earmark.checkpoint.ref import HubRef, ModelRef
from earmark.engine.engine import Engine
from earmark.engine.identity import files_identity, load_identity
from earmark.engine.info import EngineInfo
from earmark.engine.load import EngineOptions
from earmark.engine.model import open_at_hand, open_repository
from earmark.engine.process.handle import ProcessHandle
from earmark.engine.process.messages import Loaded, Recipe, named
from earmark.engine.process.process import EngineProcess
from earmark.engine.warmup import canary_text
from earmark.errors import DeadlineExceeded, EngineError, ShuttingDown
from earmark.tokenizing.load import load_tokenizer
from earmark.tokenizing.tokenizer import TextTokenizer

_SMALL_BYTES: Final = 64_000_000
"""A model of at most so much that is loaded on demand shares a process with others of its kind."""
_RELOADS: Final = 3
"""How often a model is loaded whose files change while it is loaded."""


@dataclass(slots=True, eq=False)
class _Place:
    """A process, and what it holds.

    Attributes:
        process: the process.
        shared: whether further small models may join.
        stays: whether its models were named at the start.
        loading: how many of its models are being loaded.
        weights_bytes: of its models.
        models: how many there are, with those that are being loaded.
    """

    process: EngineProcess
    shared: bool
    stays: bool
    loading: int = 0
    weights_bytes: int = 0
    models: int = 0


class EngineProcesses:
    """Loads models in processes: small ones share one, any other has its own.

    A process costs some 60 MB before its first model. What a process of its own brings is that its
    end gives all memory back, and that its fault is no other model's.
    """

    def __init__(self, command: Sequence[str], *, shared_bytes: int) -> None:
        """Start nothing yet.

        Args:
            command: the words that start an engine process; see `EngineProcess`.
            shared_bytes: weights of all models that share a process; a larger model has its own.
        """
        self._command, self._shared_bytes = tuple(command), shared_bytes
        self._lock = threading.Lock()
        self._places: list[_Place] = []
        self._closed = False

    def load(
        self,
        ref: ModelRef,
        *,
        model_id: str | None,
        options: EngineOptions,
        weights_bytes: int,
        stays: bool,
        within_s: float | None = None,
    ) -> Engine:
        """Load a model in a process.

        A process whose load takes too long is ended.

        Args:
            ref: the model.
            model_id: its id in requests; its usual id if not given.
            options: how it is to run.
            weights_bytes: size of its weight files.
            stays: whether it stays until the end, so that it may share a process.
            within_s: after so long the load has failed; None for no bound.

        Raises:
            DeadlineExceeded: the load takes too long.
            ShuttingDown: the processes are closed.
            CheckpointError: as for `load_engine`.
            EngineError: the same, or the process ended.
        """
        open_repository(ref)  # what has to be fetched, and what is not there at all, comes first
        for _ in range(_RELOADS):
            place = self._place(weights_bytes, stays=stays)
            try:
                handle, found = place.process.load(
                    _recipe(ref, model_id or ref.usual_id, options),
                    on_closed=partial(self._leave, place, weights_bytes),
                    within_s=within_s,
                )
            except DeadlineExceeded:
                place.process.kill()  # nothing else ends the load; other models are loaded again
                self._leave(place, weights_bytes)
                raise
            except BaseException:
                self._leave(place, weights_bytes)
                raise
            finally:
                with self._lock:
                    place.loading -= 1
            engine = _engine_of(ref, handle, found, options)
            if engine is not None:
                return engine
        raise EngineError(f"the files of {ref} change while they are loaded; load it again later")

    def close(self) -> None:
        """End all processes; loads in progress end with `ShuttingDown`."""
        with self._lock:
            self._closed = True
            places, self._places = self._places, []
        for place in places:
            place.process.close()

    def pids(self) -> tuple[int, ...]:
        """List the numbers of the processes that are there at this moment."""
        with self._lock:
            found = [place.process.pid for place in self._places]
        return tuple(pid for pid in found if pid is not None)

    def _place(self, weights_bytes: int, *, stays: bool) -> _Place:
        with self._lock:
            if self._closed:
                raise ShuttingDown("the server is going down")
            most = self._shared_bytes if stays else min(self._shared_bytes, _SMALL_BYTES)
            shared = weights_bytes <= most
            found = None
            if shared:
                found = next(
                    (
                        one
                        for one in self._places
                        # A load that hangs must not hold up another.
                        if one.shared
                        and one.stays == stays
                        and not one.loading
                        and one.weights_bytes + weights_bytes <= self._shared_bytes
                    ),
                    None,
                )
            if found is None:
                found = _Place(EngineProcess(self._command), shared, stays)
                self._places.append(found)
            found.models += 1
            found.loading += 1
            found.weights_bytes += weights_bytes
            return found

    def _leave(self, place: _Place, weights_bytes: int) -> None:
        """Give up a model's place; a process without models ends."""
        with self._lock:
            place.models -= 1
            place.weights_bytes -= weights_bytes
            ended = not place.models
            if ended and place in self._places:
                self._places.remove(place)
        if ended:
            place.process.close()


def _recipe(ref: ModelRef, model_id: str, options: EngineOptions) -> Recipe:
    form, name, revision = named(ref)
    return Recipe(
        form,
        name,
        revision,
        model_id,
        options.precision,
        options.runtime,
        options.threads,
        options.max_batch_tokens,
        options.reference,
        options.tolerance,
    )


def _engine_of(
    ref: ModelRef, handle: ProcessHandle, found: Loaded, options: EngineOptions
) -> Engine | None:
    """Make an engine of a model that a process has loaded; None where its files have changed."""
    info = found.info
    with ExitStack() as after_error:
        after_error.callback(handle.close)
        tokenizer = _tokenizer_of(ref, info)
        if tokenizer is None:
            return None
        handle.first_loaded(
            found,
            canary_text(tokenizer, info.max_input_tokens, info.embedding_rows),
            max_waiting_tokens=options.max_waiting_tokens,
            run_timeout_s=options.run_timeout_s,
        )
        after_error.pop_all()
    return Engine(info, tokenizer, handle, head=found.head)


def _tokenizer_of(ref: ModelRef, info: EngineInfo) -> TextTokenizer | None:
    """Load the tokenizer of the files that were loaded; None where they have changed since."""
    at = ref.at(info.revision) if isinstance(ref, HubRef) and info.revision else ref
    repository = open_at_hand(at)
    files = files_identity(repository)
    if load_identity(files, info.precision, info.runtime, info.device) != info.identity:
        return None
    return load_tokenizer(repository)
