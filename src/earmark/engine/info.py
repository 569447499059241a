"""What is known of a model: by its files, in memory, and at this moment."""

from dataclasses import dataclass
from typing import Literal

from earmark.domain.labels import LabelSet
from earmark.engine.certificate import Certificate
from earmark.tasks.task import TaskName

EngineState = Literal["ready", "failing", "stalled", "restarting", "closed"]
"""`failing`: the last runs all failed, and none has succeeded since. `stalled`: the run in progress
has outlived the engine's patience; nothing else can run. `restarting`: the engine's process has
ended, and is started again; what it was asked waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What a checkpoint's files say, their weights unread.

    Attributes:
        model_id: the id requests name it by.
        tasks: the Hugging Face names of what it can do, its own first.
        architecture: the `model_type` of the config, such as ``distilbert``.
        labels: the head's labels.
        weights_bytes: size of the weight files.
        revision: the commit, of 40 digits, of a model of the Hub.
    """

    model_id: str
    tasks: tuple[TaskName, ...]
    architecture: str
    labels: LabelSet
    weights_bytes: int
    revision: str | None = None

    @property
    def task(self) -> TaskName:
        """What the model is for, first of all."""
        return self.tasks[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo(ModelFacts):
    """What is known besides of a model in memory; holds from load to close.

    Attributes:
        parameters: weights in the checkpoint.
        precision: what the graph computes in: ``float32``, ``bfloat16`` or ``int8``.
        requested_precision: what was asked for; differs only when it was ``auto``.
        stored_precision: the type of the weights in the file, such as ``float32`` or ``int8``;
            ``asymmetric int8`` (zero points) and ``grouped int8`` run as floats.
        compute_note: how the processor carries the precision out, where that needs saying.
        runtime: such as ``openvino 2026.4.1``.
        device: the device's own name, such as the processor's.
        max_input_tokens: longest text, special tokens included; more is truncated.
        max_batch_tokens: cells of the largest batch.
        embedding_rows: ids that the model has embeddings for; a text with another token is
            refused. None where that is not known.
        source: ``bundled``, the folder the files came from, or ``org/name@commit`` of the Hub,
            shortened.
        identity: distinguishes this load from any other, also of other files under the same id.
        certificate: how far the model is from its reference, as it runs here; None where nothing
            was compared.
        passed_over: certificates of faster precisions, which did not hold.
        load_s: seconds from opening the files to the first answer of the warm-up.
    """

    parameters: int
    precision: str
    requested_precision: str
    stored_precision: str
    compute_note: str
    runtime: str
    device: str
    max_input_tokens: int
    max_batch_tokens: int
    source: str
    identity: str
    load_s: float
    embedding_rows: int | None = None
    certificate: Certificate | None = None
    passed_over: tuple[Certificate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts since the engine was loaded.

    Attributes:
        batches: runs of the model that succeeded.
        texts: texts in them.
        tokens: their tokens.
        cells: rows times width of the batches; ``tokens / cells`` is how well they were packed.
        failed_runs: runs that raised.
        run_s: seconds inside the runtime.
    """

    batches: int = 0
    texts: int = 0
    tokens: int = 0
    cells: int = 0
    failed_runs: int = 0
    run_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """Facts of this moment.

    Attributes:
        state: whether the engine can answer.
        waiting_texts: texts in the queue.
        waiting_tokens: their tokens.
        running_s: seconds the run in progress has taken; 0 when none is.
        totals: what has been run since the load.
    """

    state: EngineState
    waiting_texts: int
    waiting_tokens: int
    running_s: float
    totals: Totals = Totals()
