"""The program of an engine process; the server starts it, with a socket to itself."""

# Nothing here may import NumPy, which starts a thread: see `runtime.sandbox`.
import ctypes
import gc
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from earmark.engine.process.settings import EngineProcessSettings
from earmark.runtime.sandbox.confinement import Confinement, confine

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
    confined = _confined(settings) if settings.sandbox else None
    _serve(settings, confined, int(descriptor))


def _confined(settings: EngineProcessSettings) -> Confinement:
    """Take away what running a model does not need; compiled models and certificates are kept."""
    folders = (Path(settings.compiled_folder), Path(settings.database).parent)
    for folder in folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return confine(folders)


def _serve(settings: EngineProcessSettings, confined: Confinement | None, descriptor: int) -> None:
    import structlog  # noqa: PLC0415 - as the rest: only once the process is confined

    from earmark.cli.logs import configure_logs  # noqa: PLC0415
    from earmark.engine.load import EngineOptions, LoadedModel, load_model  # noqa: PLC0415
    from earmark.engine.process.child import serve_models  # noqa: PLC0415
    from earmark.engine.process.frames import FrameSocket  # noqa: PLC0415
    from earmark.engine.process.messages import Recipe  # noqa: PLC0415
    from earmark.models.certificates import Certificates  # noqa: PLC0415
    from earmark.runtime.compiled import CompiledModels  # noqa: PLC0415

    configure_logs(settings.log_format, settings.log_level)
    if confined is not None and not confined.complete:
        structlog.get_logger("earmark.engine").warning(
            "the sandbox is not complete",
            left=[f"{one.what}: {one.detail}" for one in confined.left],
        )
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

    with socket.socket(fileno=descriptor) as stream:
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
