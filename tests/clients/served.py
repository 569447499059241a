"""What the clients speak to: one server of a model for each task and of a reranker, with a key."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from clients.table import CLIENTS, Client
from e2e.processes import PATIENCE_S, command, environment, running_server
from support.checkpoints import CheckpointSpec, write_checkpoint

RERANKER = CheckpointSpec(seed=5, num_labels=1)
COLD = CheckpointSpec(seed=2)


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """The ids that the models are served by; each is asked its own task.

    Attributes:
        cold: not loaded at first; one for each client, since it is cold only once.
        classifier: what clients of Workers AI call `sentiment`.
        ranker: what they call `reranker`.
    """

    sentiment: str = "earmark/sentiment"
    zero_shot: str = "earmark/zero-shot"
    ner: str = "earmark/ner"
    reranker: str = "tiny/reranker"
    cold: str = "cold"
    unknown: str = "nobody/nothing"
    classifier: str = "@cf/huggingface/distilbert-sst-2-int8"
    ranker: str = "@cf/baai/bge-reranker-base"

    def cold_for(self, client: Client) -> str:
        """Name the cold model of a client."""
        return f"{self.cold}/{client.folder}"

    def of(self, client: Client) -> "Models":
        """Return the models in the form that this client gets."""
        return msgspec.structs.replace(self, cold=self.cold_for(client))


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
    """What the models in the box have to say to be believed."""

    zero_shot: str = "refund"
    persons: tuple[tuple[int, int], ...] = ((11, 31), (52, 59))
    liked: str = "POSITIVE"
    disliked: str = "NEGATIVE"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """The input of a script, as JSON on its standard input.

    Attributes:
        url: of the server, without a slash at its end.
        key: what the server lets in.
    """

    url: str
    key: str
    models: Models
    samples: Samples
    sense: Sense

    def of(self, client: Client) -> "Job":
        """Return the job of this client."""
        return msgspec.structs.replace(self, models=self.models.of(client))


@contextmanager
def running_job(folder: Path) -> Iterator[Job]:
    """Start the server, and stop it at the end whatever happens.

    Args:
        folder: an empty one, for small checkpoints and for what the server keeps.
    """
    models = Models()
    for client in CLIENTS:
        write_checkpoint(folder / "models" / models.cold_for(client), COLD)
    env = environment(
        {
            "EARMARK_STATE_FOLDER": str(folder / "state"),
            "EARMARK_MODELS_FOLDER": str(folder / "models"),
            # Without the cache, so that each client's answers are computed for that client.
            "EARMARK_CACHE_BYTES": "0",
        }
    )
    flags = [f"--model={models.reranker}={write_checkpoint(folder / 'reranker', RERANKER)}"]
    flags += [f"--model={one}" for one in (models.sentiment, models.zero_shot, models.ner)]
    flags.append(f"--alias={models.classifier}={models.sentiment}")
    flags.append(f"--alias={models.ranker}={models.reranker}")
    key = _new_key(folder, env)
    with running_server(*flags, env=env, folder=folder) as server:
        yield Job(
            url=server.address,
            key=key,
            models=models,
            samples=Samples(),
            sense=Sense(),
        )


def _new_key(folder: Path, env: dict[str, str]) -> str:
    made = subprocess.run(  # noqa: S603 - our own words
        command("keys", "create", "clients"),
        env=env,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    return made.stdout.strip()
