"""Facts about a model that are known before it is loaded."""

from dataclasses import dataclass

from earmark.checkpoint.config import Config, read_config
from earmark.checkpoint.ref import ModelRef
from earmark.domain.head import HeadKind
from earmark.domain.labels import LabelSet
from earmark.engine.load import tasks_of
from earmark.engine.model import open_at_hand
from earmark.engine.ways.choice import choose_way
from earmark.tasks.task import TaskName

__all__ = ["ModelFacts", "config_facts", "read_facts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """Facts from a checkpoint's files, without its weights; names as in `EngineInfo`.

    Attributes:
        model_id: the id requests name it by.
        tasks: what it can do, its own task first.
        architecture: the `model_type` of the config.
        labels: the head's labels.
        weights_bytes: size of the weight files.
        revision: the commit of a model of the Hub.
    """

    model_id: str
    tasks: tuple[TaskName, ...]
    architecture: str
    labels: LabelSet
    weights_bytes: int
    revision: str | None = None

    @property
    def task(self) -> TaskName:
        """The model's own task."""
        return self.tasks[0]


def read_facts(ref: ModelRef, *, model_id: str) -> ModelFacts:
    """Read a checkpoint's config.

    Args:
        ref: the model; one of the Hub must be in the cache, since this must not wait for the
            network.
        model_id: its id in requests.

    Raises:
        CheckpointError: a file is missing or malformed, or the architecture is not supported.
    """
    repository = open_at_hand(ref)
    config = read_config(repository.require("config.json"))
    choice = choose_way(repository, config)
    return config_facts(
        choice.config,
        choice.head,
        model_id=model_id,
        weights_bytes=choice.weights_size(repository),
        revision=repository.revision,
    )


def config_facts(
    config: Config, head: HeadKind, *, model_id: str, weights_bytes: int, revision: str | None
) -> ModelFacts:
    """Collect the facts that a config states.

    Args:
        config: the checkpoint's.
        head: what its logits mean.
        model_id: its id in requests.
        weights_bytes: size of the weight files.
        revision: the commit of a model of the Hub.

    Raises:
        InvalidCheckpoint: the config does not hold what it should.
    """
    labels = config.labels()
    return ModelFacts(
        model_id=model_id,
        tasks=tasks_of(head, labels),
        architecture=config.model_type,
        labels=labels,
        weights_bytes=weights_bytes,
        revision=revision,
    )
