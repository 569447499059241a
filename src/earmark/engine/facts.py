"""What can be known of a model before it is loaded."""

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
    """What a checkpoint's files say, its weights unread; names as in `EngineInfo`.

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
        """What the model is for, first of all."""
        return self.tasks[0]


def read_facts(ref: ModelRef, *, model_id: str) -> ModelFacts:
    """Read a checkpoint's config.

    Args:
        ref: the model; one of the Hub has to be in the cache: a server that wants to know what a
            model is does not wait for the network.
        model_id: what requests call it.

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
    """Put together what a config says.

    Args:
        config: the checkpoint's.
        head: what its logits are for.
        model_id: what requests call it.
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
