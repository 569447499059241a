"""What an engine process and its owner say to each other, as msgpack.

Arrays travel as raw bytes in the machine's own order: both sides are on one machine. Nothing is
pickled, so that what a checkpoint may have done to the engine process cannot run code in the owner.
"""

from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from earmark.batching.splitting import BatchReport
from earmark.batching.ticket import Answer, Logits
from earmark.checkpoint.ref import BundledRef, FolderRef, HubRef, ModelRef
from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind
from earmark.engine.certificate import ReferenceKind
from earmark.engine.info import EngineInfo
from earmark.errors import CapacityError, EarmarkError, EngineError
from earmark.graph.precision import Precision
from earmark.runtime.session import RuntimeName


class Fault(msgspec.Struct, frozen=True, array_like=True):
    """An error, by the name of its class in `earmark.errors`.

    Attributes:
        kind: name of the class.
        message: its message.
        retry_after_s: of a `CapacityError`.
    """

    kind: str
    message: str
    retry_after_s: float | None = None

    @classmethod
    def of(cls, error: BaseException) -> "Fault":
        """Describe an error; one that is not of ours becomes an `EngineError`."""
        if not isinstance(error, EarmarkError):
            return cls(EngineError.__name__, f"{type(error).__name__}: {error}")
        retry_after_s = error.retry_after_s if isinstance(error, CapacityError) else None
        return cls(type(error).__name__, str(error), retry_after_s)

    def error(self) -> EarmarkError:
        """Make the error again."""
        kind = _ERRORS.get(self.kind, EngineError)
        error = kind(self.message)
        if isinstance(error, CapacityError) and self.retry_after_s is not None:
            error.retry_after_s = self.retry_after_s
        return error


class Recipe(msgspec.Struct, frozen=True, array_like=True):
    """A model, and how it is to run.

    Attributes:
        form: of the name: `bundled`, `folder` or `hub`.
        name: the name, the folder or the repository.
        revision: of a model of the Hub.
        model_id: its id in requests.
        precision: as of `EngineOptions`, like the rest.
    """

    form: str
    name: str
    revision: str | None
    model_id: str
    precision: Precision
    runtime: RuntimeName
    threads: int | None
    max_batch_tokens: int
    reference: ReferenceKind
    tolerance: float | None

    @property
    def ref(self) -> ModelRef:
        """The model's name."""
        match self.form:
            case "bundled":
                return BundledRef(self.name)
            case "hub":
                return HubRef(self.name, self.revision)
            case _:
                return FolderRef(Path(self.name))


@dataclass(frozen=True, slots=True)
class SentEncoding(Encoding):
    """An encoding that came from another process, with the place that its answer belongs to.

    Attributes:
        submission: number of the submission.
        index: place of the text there.
    """

    submission: int = 0
    index: int = 0


class Text(msgspec.Struct, frozen=True, array_like=True):
    """A text as the model reads it.

    Attributes:
        index: its place in the submission.
        ids: vocabulary ids, 32 bits each.
        type_ids: the same; None where all are 0.
    """

    index: int
    ids: bytes
    type_ids: bytes | None

    @classmethod
    def of(cls, index: int, encoding: Encoding) -> "Text":
        """Write an encoding."""
        types = array(_INT32, encoding.type_ids).tobytes() if any(encoding.type_ids) else None
        return cls(index, array(_INT32, encoding.ids).tobytes(), types)

    def read(self, submission: int) -> "SentEncoding":
        """Make the encoding again."""
        ids = _integers(self.ids)
        types = (0,) * len(ids) if self.type_ids is None else _integers(self.type_ids)
        return SentEncoding(ids, types, submission=submission, index=self.index)


class AnswerTo(msgspec.Struct, frozen=True, array_like=True):
    """The answer to one text.

    Attributes:
        submission: the text's submission.
        index: its place there.
        values: logits of 32 bits, or why there are none.
        labels: length of the last axis of a token head; 0 of a sequence head.
        queue_wait_s: as of `Logits`, like the last.
    """

    submission: int
    index: int
    values: bytes | Fault
    labels: int = 0
    queue_wait_s: float = 0.0
    run_s: float = 0.0

    @classmethod
    def of(cls, encoding: SentEncoding, answer: Answer) -> "AnswerTo":
        """Write an answer."""
        if not isinstance(answer, Logits):
            return cls(encoding.submission, encoding.index, Fault.of(answer))
        values = np.ascontiguousarray(answer.values, np.float32)
        labels = values.shape[1] if values.ndim == _TOKEN_AXES else 0
        return cls(
            encoding.submission,
            encoding.index,
            values.tobytes(),
            labels,
            answer.queue_wait_s,
            answer.run_s,
        )

    def answer(self) -> Answer:
        """Make the answer again."""
        if isinstance(self.values, Fault):
            return self.values.error()
        values = np.frombuffer(self.values, np.float32)
        if self.labels:
            values = values.reshape(-1, self.labels)
        return Logits(values, self.queue_wait_s, self.run_s)


class Report(msgspec.Struct, frozen=True, array_like=True):
    """One run of a model, as `BatchReport` has it; its error is a `Fault`."""

    texts: int
    tokens: int
    cells: int
    queue_wait_s: float
    run_s: float
    error: Fault | None

    @classmethod
    def of(cls, report: BatchReport) -> "Report":
        """Write a report."""
        return cls(
            report.texts,
            report.tokens,
            report.cells,
            report.queue_wait_s,
            report.run_s,
            None if report.error is None else Fault.of(report.error),
        )

    def report(self) -> BatchReport:
        """Make the report again."""
        return BatchReport(
            texts=self.texts,
            tokens=self.tokens,
            cells=self.cells,
            queue_wait_s=self.queue_wait_s,
            run_s=self.run_s,
            error=None if self.error is None else self.error.error(),
        )


class Load(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """To the engine process: load a model, and call it by this number."""

    model: int
    recipe: Recipe


class Submit(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """To the engine process: run texts; `deadline_s` is of the clock that both sides share."""

    model: int
    submission: int
    texts: list[Text]
    deadline_s: float | None


class Abandon(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """To the engine process: nobody waits for a submission any more."""

    model: int
    submission: int


class Unload(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """To the engine process: close a model, after its run in progress."""

    model: int


class Loaded(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """From the engine process: a model can run; the last is as of `LoadedModel`."""

    model: int
    info: EngineInfo
    head: HeadKind
    token_s: float


class NotLoaded(msgspec.Struct, frozen=True, array_like=True, tag=6):
    """From the engine process: a model cannot be loaded."""

    model: int
    error: Fault


class Unloaded(msgspec.Struct, frozen=True, array_like=True, tag=7):
    """From the engine process: a model is closed."""

    model: int


class Running(msgspec.Struct, frozen=True, array_like=True, tag=8):
    """From the engine process: a batch of these texts, by submission and index, begins to run."""

    model: int
    texts: list[tuple[int, int]]


class Ran(msgspec.Struct, frozen=True, array_like=True, tag=9):
    """From the engine process: reports of runs, and answers; `over` once a batch is answered."""

    model: int
    reports: list[Report]
    answers: list[AnswerTo]
    over: bool = False


ToEngine = Load | Submit | Abandon | Unload
FromEngine = Loaded | NotLoaded | Unloaded | Running | Ran

_INT32: Final = "i"
_TOKEN_AXES: Final = 2

encode: Final = msgspec.msgpack.Encoder().encode
decode_to_engine: Final = msgspec.msgpack.Decoder(ToEngine).decode
decode_from_engine: Final = msgspec.msgpack.Decoder(FromEngine).decode


def named(ref: ModelRef) -> tuple[str, str, str | None]:
    """Return form, name and revision of a model's name, as `Recipe` has them."""
    match ref:
        case BundledRef(name):
            return "bundled", name, None
        case HubRef(repo, revision):
            return "hub", repo, revision
        case FolderRef(folder):
            return "folder", str(folder.absolute()), None


def _integers(content: bytes) -> tuple[int, ...]:
    return tuple(array(_INT32, content))


def _kinds(root: type[EarmarkError]) -> dict[str, type[EarmarkError]]:
    kinds = {root.__name__: root}
    for kind in root.__subclasses__():
        kinds |= _kinds(kind)
    return kinds


_ERRORS: Final = _kinds(EarmarkError)
