"""What the clients speak to: one server of a model for each task and of a reranker, with a key."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
from e2e.processes import PATIENCE_S, command, environment, running_server
from support.checkpoints import CheckpointSpec, write_checkpoint

from earmark.checkpoint.bundled import bundled_ids

__all__ = ["Features", "Job", "Models", "Samples", "running_job"]

TINY = {
    "earmark/zero-shot": CheckpointSpec(
        seed=3, num_labels=3, label_names=("entailment", "neutral", "contradiction")
    ),
    "earmark/ner": CheckpointSpec(
        head="token",
        seed=6,
        max_positions=64,
        num_labels=5,
        label_names=("O", "B-PER", "I-PER", "B-LOC", "I-LOC"),
    ),
}
"""Stand in for models that are not in the box yet; nothing is asked of their judgement."""

RERANKER = CheckpointSpec(seed=5, num_labels=1)


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """The ids that the models are served by; each is asked its own task."""

    sentiment: str = "earmark/sentiment"
    zero_shot: str = "earmark/zero-shot"
    ner: str = "earmark/ner"
    reranker: str = "tiny/reranker"
    unknown: str = "nobody/nothing"


class Samples(msgspec.Struct, frozen=True, kw_only=True):
    """What the clients send, the same for all, so that their answers can be compared."""

    liked: str = "I like you. I love you"
    disliked: str = "I hate the film."
    refund: str = (
        "Hi, I recently bought a device from your company but it is not working as advertised "
        "and I would like to get reimbursed!"
    )
    labels: tuple[str, ...] = ("refund", "legal", "faq")
    template: str = "This text is about {}."
    person: str = "My name is Sarah Jessica Parker but you can call me Jessica"
    query: str = "What is Paris?"
    passages: tuple[str, ...] = ("Paris is a city in France", "The kettle is loud")


class Sense(msgspec.Struct, frozen=True, kw_only=True):
    """What a model has to say to be believed; None where a stand-in is served."""

    zero_shot: str | None
    persons: tuple[tuple[int, int], ...] | None
    liked: str = "POSITIVE"
    disliked: str = "NEGATIVE"


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """What this server does, as found by asking it."""

    streams: bool
    keys: bool


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """All that a script is told, as JSON on its standard input.

    Attributes:
        url: of the server, without a slash at its end.
        key: what the server lets in.
    """

    url: str
    key: str
    models: Models
    samples: Samples
    sense: Sense
    features: Features


@dataclass(frozen=True, slots=True)
class _Access:
    key: str
    demanded: bool


@contextmanager
def running_job(folder: Path) -> Iterator[Job]:
    """Start the server, and stop it at the end whatever happens.

    Args:
        folder: an empty one, for the stand-ins and for what the server keeps.
    """
    env = environment({"EARMARK_STATE_FOLDER": str(folder / "state")})
    models, flags = Models(), []
    boxed = bundled_ids()
    for model_id in (models.sentiment, models.zero_shot, models.ner):
        source = (
            "" if model_id in boxed else f"={write_checkpoint(folder / model_id, TINY[model_id])}"
        )
        flags += ["--model", f"{model_id}{source}"]
    reranker = write_checkpoint(folder / models.reranker, RERANKER)
    flags += ["--model", f"{models.reranker}={reranker}"]
    access = _key(folder, env)
    with running_server(*flags, env=env, folder=folder) as server:
        yield Job(
            url=server.address,
            key=access.key,
            models=models,
            samples=Samples(),
            sense=Sense(
                zero_shot="refund" if models.zero_shot in boxed else None,
                persons=((11, 31), (52, 59)) if models.ner in boxed else None,
            ),
            features=Features(
                streams=_streams(f"{server.address}/models/{models.ner}", access.key),
                keys=access.demanded,
            ),
        )


def _key(folder: Path, env: dict[str, str]) -> _Access:
    made = subprocess.run(  # noqa: S603 - our own words
        command("keys", "create", "clients"),
        env=env,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return _Access(made.stdout.strip() or "any", demanded=made.returncode == 0)


def _streams(url: str, key: str) -> bool:
    answer = httpx.post(
        url,
        json={"inputs": "a text", "stream": True},
        headers={"authorization": f"Bearer {key}"},
        timeout=PATIENCE_S,
    )
    return answer.headers["content-type"].startswith("text/event-stream")
