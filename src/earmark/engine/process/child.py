"""The engine process: loads models, and runs what its owner submits, until the owner has gone."""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from earmark.batching.packer import answers_of, pack
from earmark.batching.queue import TicketQueue
from earmark.batching.splitting import BatchReport, BatchRun
from earmark.batching.ticket import Answer, Submission, Ticket
from earmark.batching.worker import Worker
from earmark.domain.encoding import Encoding
from earmark.engine.load import LoadedModel
from earmark.engine.process.frames import FrameSocket
from earmark.engine.process.messages import (
    Abandon,
    AnswerTo,
    Fault,
    FromEngine,
    Load,
    Loaded,
    NotLoaded,
    Ran,
    Recipe,
    Report,
    Running,
    SentEncoding,
    Submit,
    Unload,
    Unloaded,
    decode_to_engine,
    encode,
)
from earmark.errors import EngineError, ShuttingDown

_GONE: Final = "the model is not loaded in the engine process"


def serve_models(frames: FrameSocket, load: Callable[[Recipe], LoadedModel]) -> None:
    """Do what the owner asks until it closes the stream; then close the models.

    Args:
        frames: to the owner.
        load: loads a model; called in a thread of its own, one call at a time.
    """
    models = _Models(frames, load)
    try:
        while True:
            for frame in frames.receive():
                models.take(decode_to_engine(frame))
    except EOFError:
        models.close()


class _Models:
    """The models of an engine process, by the number that the owner gave them."""

    def __init__(self, frames: FrameSocket, load: Callable[[Recipe], LoadedModel]) -> None:
        self._frames, self._load = frames, load
        self._running: dict[int, _RunningModel] = {}
        self._lock = threading.Lock()
        self._one_load = threading.Lock()

    def take(self, message: Load | Submit | Abandon | Unload) -> None:
        """Do what a message asks."""
        match message:
            case Load():
                threading.Thread(
                    target=self._loaded, args=(message,), name="earmark-load", daemon=True
                ).start()
            case Submit():
                self._submitted(message)
            case Abandon(number, submission):
                model = self._model(number)
                if model is not None:
                    model.abandon(submission)
            case Unload(number):
                threading.Thread(
                    target=self._unloaded, args=(number,), name="earmark-unload", daemon=True
                ).start()

    def close(self) -> None:
        """Close the models; each finishes the run in progress."""
        with self._lock:
            numbers = tuple(self._running)
        for number in numbers:
            self._unloaded(number)

    def _model(self, number: int) -> "_RunningModel | None":
        with self._lock:
            return self._running.get(number)

    def _loaded(self, message: Load) -> None:
        with self._one_load:
            try:
                found = self._load(message.recipe)
            # Whatever it is, a panic of a library included: the owner waits for an answer.
            except BaseException as error:  # noqa: BLE001
                self._send(NotLoaded(message.model, Fault.of(error)))
                return
            model = _RunningModel(message.model, found, self._send)
            with self._lock:
                self._running[message.model] = model
        self._send(Loaded(message.model, found.info, found.head, found.token_s))

    def _submitted(self, message: Submit) -> None:
        model = self._model(message.model)
        if model is not None:
            model.submit(message)
            return
        gone = Fault.of(EngineError(_GONE))
        answers = [AnswerTo(message.submission, text.index, gone) for text in message.texts]
        self._send(Ran(message.model, [], answers))

    def _unloaded(self, number: int) -> None:
        with self._lock:
            model = self._running.pop(number, None)
        if model is not None:
            model.close()
        self._send(Unloaded(number))

    def _send(self, message: FromEngine) -> None:
        self._frames.send(encode(message))


class _RunningModel:
    """A loaded model with its queue and its thread."""

    def __init__(self, number: int, model: LoadedModel, send: Callable[[FromEngine], None]) -> None:
        self._number, self._send = number, send
        self._limits, self._session, self._head = model.limits, model.session, model.head
        self._submissions: dict[int, Submission] = {}
        self._lock = threading.Lock()
        self._reports: list[Report] = []
        self._answers: list[AnswerTo] = []
        queue = TicketQueue(model.limits, None)  # the owner counts what waits
        self._worker = Worker(
            queue, self._run, self._listen, after=self._flush_batch, end=model.session.close
        )

    def submit(self, message: Submit) -> None:
        encodings = [text.read(message.submission) for text in message.texts]
        try:
            submission = self._worker.submit(encodings, deadline_s=message.deadline_s)
        except ShuttingDown as error:
            fault = Fault.of(error)
            refused = [AnswerTo(message.submission, text.index, fault) for text in message.texts]
            self._send(Ran(self._number, [], refused))
            return
        with self._lock:
            self._submissions[message.submission] = submission
        submission.when_done(lambda: self._done(message.submission))
        submission.when_each(self._answered)
        self._flush()  # what was answered before those two lines

    def abandon(self, number: int) -> None:
        with self._lock:
            submission = self._submissions.pop(number, None)
        if submission is not None:
            submission.abandon()

    def close(self) -> None:
        self._worker.close()
        self._flush()

    def _done(self, number: int) -> None:
        with self._lock:
            self._submissions.pop(number, None)

    def _run(self, encodings: Sequence[Encoding]) -> BatchRun:
        texts = [(one.submission, one.index) for one in encodings if isinstance(one, SentEncoding)]
        self._send(Running(self._number, texts))
        batch = pack(encodings, self._limits)
        return BatchRun(answers_of(batch, self._session.run(batch), self._head), batch.cells)

    def _listen(self, report: BatchReport) -> None:
        with self._lock:
            self._reports.append(Report.of(report))

    def _answered(self, ticket: Ticket, answer: Answer) -> None:
        encoding = ticket.encoding
        if isinstance(encoding, SentEncoding):
            with self._lock:
                self._answers.append(AnswerTo.of(encoding, answer))

    def _flush_batch(self) -> None:
        self._flush(over=True)

    def _flush(self, *, over: bool = False) -> None:
        with self._lock:
            reports, self._reports = self._reports, []
            answers, self._answers = self._answers, []
        if over or reports or answers:
            self._send(Ran(self._number, reports, answers, over))
