"""Which model a request means that names none. Pure."""

from collections.abc import Iterable, Sequence

from earmark.engine.info import ModelFacts
from earmark.tasks.task import TaskName

__all__ = ["fitting"]


def fitting(models: Iterable[ModelFacts], task: TaskName) -> tuple[str, ...]:
    """List the models that fit a task best; a request that names none means the only one.

    A model with one label scores pairs. It can classify texts too, but is not meant where another
    model chooses between labels.

    Args:
        models: what may be meant.
        task: what is asked.

    Returns:
        Ids: of models made for the task; else of those that can do it; else nothing.
    """
    able = [each for each in models if task in each.tasks]
    choosing = [each for each in able if len(each.labels) > 1]
    made_for = [each for each in choosing if each.task == task]
    kinds: Sequence[Sequence[ModelFacts]] = (made_for, choosing, able)
    return next((tuple(each.model_id for each in kind) for kind in kinds if kind), ())
