"""Runs the probes with `transformers`, a reference that shares no code with our graphs.

It runs in a separate process, ``python -m earmark.engine.transformers_reference``: the thread pools
of two runtimes slow each other down, and the server does not need PyTorch's memory afterwards.
"""

import subprocess
import sys
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from earmark.batching.packer import BatchLimits
from earmark.checkpoint.config import Config
from earmark.checkpoint.files.folder import LocalRepository
from earmark.domain.packing import Float32
from earmark.engine.model import OpenedModel, open_model
from earmark.engine.probes import encode_probes, run_probes
from earmark.errors import EarmarkError, EngineError, UnsupportedDevice
from earmark.graph.blocks.relative_keys import RelativeKeys
from earmark.runtime.pytorch import INSTALL, has_pytorch

_PATIENCE_S: Final = 900
"""Limit for a reference that hangs; longer than the largest encoders take on one core."""
_REFUSED: Final = 2
"""Exit code if the reference printed in one line why it cannot run."""


def transformers_release(*, installed: bool | None = None) -> str:
    """Return the name and release of the reference.

    Args:
        installed: whether PyTorch and `transformers` are installed; None checks.

    Raises:
        UnsupportedDevice: PyTorch or `transformers` is not installed.
    """
    try:
        if has_pytorch() if installed is None else installed:
            return f"transformers {version('transformers')}"
    except PackageNotFoundError:  # a folder of that name, not the package
        pass
    raise UnsupportedDevice(
        f"models are to be held against transformers, which is not installed; {INSTALL}, or "
        "leave certify at float32"
    )


def why_not_transformers(config: Config) -> str:
    """Return why `transformers` 5 computes a checkpoint otherwise than trained; empty if not.

    Raises:
        InvalidCheckpoint: a field is malformed.
    """
    if config.section("quantization_config").fields:
        return "transformers cannot run these weights without further code"
    if RelativeKeys.read(config) is not None:
        return "transformers 5 leaves distances out (position_embedding_type)"
    if config.is_null("local_rope_theta"):
        return "transformers 5 fails on a local_rope_theta that is null"
    return ""


def transformers_logits(model: OpenedModel, *, threads: int) -> list[Float32]:
    """Run the probes on a checkpoint with `transformers`, in float32.

    Args:
        model: the model to compare with it.
        threads: how many PyTorch may use.

    Returns:
        The logits of each probe, ``[answers, labels]``, as `probes.run_probes` returns them.

    Raises:
        EngineError: the reference could not run; the message says why.
    """
    folder = model.config.path.parent
    with TemporaryDirectory() as scratch:
        answers = Path(scratch) / "logits.npz"
        command = [sys.executable, "-m", __name__]
        arguments = [str(folder), str(answers), str(threads), str(model.max_tokens)]
        try:
            ended = subprocess.run(  # noqa: S603 - our own module, with our own paths
                [*command, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PATIENCE_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineError(
                f"{model.repository.source} cannot be held against transformers: {error}"
            ) from error
        if ended.returncode:
            said = ended.stderr.strip().splitlines() or [f"it ended with {ended.returncode}"]
            raise EngineError(
                f"{model.repository.source} cannot be held against transformers: {said[-1]}"
            )
        with np.load(answers, allow_pickle=False) as stored:
            return [stored[name] for name in stored.files]


def main(folder: str, answers: str, threads: str, max_tokens: str) -> None:
    """Run the reference and write its logits; arguments are strings from the command line."""
    repository = LocalRepository.open(Path(folder))
    model = open_model(repository, runtime="pytorch")
    probes = encode_probes(model.tokenizer, max_tokens=int(max_tokens), rows=model.rows)
    limits = BatchLimits().holding(model.max_tokens)
    with closing(model.way.start("float32", runtime="pytorch", threads=int(threads))) as session:
        np.savez(answers, *run_probes(session, probes, limits, model.head))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except EarmarkError as error:
        print(error, file=sys.stderr)  # noqa: T201 - read by the parent process
        raise SystemExit(_REFUSED) from None
