"""Facts of engines around made-up models, for tests that only need some."""

from earmark.domain.labels import LabelSet
from earmark.engine.info import EngineInfo
from earmark.tasks.task import TaskName


def small_facts(
    model_id: str,
    tasks: tuple[TaskName, ...],
    labels: LabelSet,
    *,
    max_input_tokens: int,
    max_batch_tokens: int = 64,
) -> EngineInfo:
    """State the facts of a model of one parameter, which no runtime runs."""
    return EngineInfo(
        model_id=model_id,
        tasks=tasks,
        architecture="bert",
        labels=labels,
        weights_bytes=4,
        parameters=1,
        precision="float32",
        requested_precision="float32",
        stored_precision="float32",
        compute_note="",
        runtime="none 0",
        device="none",
        max_input_tokens=max_input_tokens,
        max_batch_tokens=max_batch_tokens,
        source="tests",
        identity="tests",
        load_s=0.0,
    )
