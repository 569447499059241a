"""The program of an engine process; the server starts it, with a socket to itself.

``python -m earmark.cli.engine_process SETTINGS DESCRIPTOR``
"""

import ctypes
import gc
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from earmark.cli.logs import configure_logs
from earmark.compose import EngineProcessSettings
from earmark.engine.load import EngineOptions, LoadedModel, load_model
from earmark.engine.process.child import serve_models
from earmark.engine.process.frames import FrameSocket
from earmark.engine.process.messages import Recipe
from earmark.models.certificates import Certificates
from earmark.runtime.compiled import CompiledModels

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15


def main(arguments: Sequence[str]) -> None:
    """Run models until the server closes the socket, or dies.

    Args:
        arguments: `EngineProcessSettings` as JSON, and the number of the socket's descriptor.
    """
    # A terminal and systemd send these to every process: the server decides when this one ends.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _end_with_the_server()
    written, descriptor = arguments
    settings = msgspec.json.decode(written, type=EngineProcessSettings)
    configure_logs(settings.log_format, settings.log_level)
    certificates = Certificates(Path(settings.database))
    compiled = CompiledModels(Path(settings.compiled_folder), most_bytes=settings.compiled_bytes)

    def load(recipe: Recipe) -> LoadedModel:
        options = EngineOptions(
            precision=recipe.precision,
            runtime=recipe.runtime,
            threads=recipe.threads,
            max_batch_tokens=recipe.max_batch_tokens,
            reference=recipe.reference,
            tolerance=recipe.tolerance,
            certificates=certificates,
            compiled=compiled,
        )
        loaded = load_model(recipe.ref, model_id=recipe.model_id, options=options)
        gc.collect()
        gc.freeze()
        return loaded

    with socket.socket(fileno=int(descriptor)) as stream:
        serve_models(FrameSocket(stream), load)


def _end_with_the_server() -> None:
    """Have Linux end this process when the server dies, also while native code hangs.

    On other systems it ends when it next reads the socket.
    """
    if sys.platform != "linux":
        return
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(_PR_SET_NAME, b"earmark-engine")


if __name__ == "__main__":
    main(sys.argv[1:])
