"""An engine process with a model that needs no files, and does on demand what models should not.

Run as ``python -m support.engine_child DESCRIPTOR``; `COMMAND` starts it from anywhere.
"""

import os
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from support.small_facts import small_facts

import earmark.errors
from earmark.batching.packer import BatchLimits
from earmark.domain.labels import LabelSet
from earmark.domain.packing import Float32, PackedBatch
from earmark.engine.load import LoadedModel
from earmark.engine.process.child import serve_models
from earmark.engine.process.frames import FrameSocket
from earmark.engine.process.messages import Recipe
from earmark.errors import InvalidCheckpoint

ABORTS, HANGS, RAISES, SLOW, BABBLES = 1001, 1002, 1003, 1004, 1005
"""Tokens; a batch with one of them aborts the process, does not end, raises, takes a while, or says
once to the owner what is no message."""
SLOW_S = 0.3
LIMITS = BatchLimits(64)
_PATHS = (Path(earmark.errors.__file__).parents[1], Path(__file__).parents[1])
COMMAND = (
    sys.executable,
    "-c",
    (
        f"import sys; sys.path[:0] = {[str(path) for path in _PATHS]!r}\n"
        "from support.engine_child import main; main(sys.argv[1])"
    ),
)


frames: list[FrameSocket] = []
"""The socket to the owner, once it is there."""


class SummingSession:
    """Answers each text with the sum of its ids, their number and the number of the process."""

    runtime = "summing 1"
    device = "no device"
    layout = ""

    def run(self, batch: PackedBatch) -> Float32:
        """Run a batch."""
        ids = batch.input_ids
        if (ids == ABORTS).any():
            os.abort()
        if (ids == HANGS).any():
            time.sleep(3600)
        if (ids == RAISES).any():
            raise RuntimeError("the device is lost")
        if (ids == BABBLES).any() and len(batch.lengths) > 1:
            frames[0].send(b"\xc1")
            time.sleep(3600)
        if (ids == SLOW).any():
            time.sleep(SLOW_S)
        flat = ids.reshape(-1)
        rows = [
            (flat[start : start + length].sum(), length, os.getpid())
            for start, length in zip(batch.first_token, batch.lengths, strict=True)
        ]
        return np.asarray(rows, np.float32)

    def kernels(self) -> tuple[str, ...]:
        """Return none."""
        return ()

    def close(self) -> None:
        """Do nothing."""


def load(recipe: Recipe) -> LoadedModel:
    """Make a model; the name says what becomes of the load."""
    if recipe.name == "broken":
        raise InvalidCheckpoint("config.json is empty")
    if recipe.name == "dies":
        os.abort()
    if recipe.name == "endless":
        time.sleep(3600)
    # The identity of a model whose files change is another one each time.
    identity = str(os.getpid()) if recipe.name == "changing" else recipe.name
    info = small_facts(
        recipe.model_id,
        ("text-classification",),
        LabelSet(("sum", "tokens", "process")),
        max_input_tokens=LIMITS.max_cells,
        max_batch_tokens=LIMITS.max_cells,
    )
    info = replace(info, identity=identity)
    # No tokenizer: it stays in this process.
    return LoadedModel(info, SummingSession(), None, "sequence", LIMITS, 1e-5)  # type: ignore[arg-type]


def main(descriptor: str) -> None:
    """Run models until the owner closes the socket."""
    frames.append(FrameSocket(socket.socket(fileno=int(descriptor))))
    serve_models(frames[0], load)
