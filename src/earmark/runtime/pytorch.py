"""Runs models with PyTorch and `transformers` if nothing else here can (extra ``torch``)."""

import inspect
import platform
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from earmark.checkpoint.weights.leftovers import refuse_computing
from earmark.domain.head import HeadKind
from earmark.domain.packing import Float32
from earmark.errors import EngineError, InvalidCheckpoint, UnsupportedCheckpoint, UnsupportedDevice
from earmark.runtime.padding import PaddedRows
from earmark.runtime.session import SessionOptions

INSTALL = "pip install 'earmark[torch]'"

_HEADS: dict[HeadKind, str] = {
    "sequence": "AutoModelForSequenceClassification",
    "token": "AutoModelForTokenClassification",
}


def has_pytorch() -> bool:
    """Return whether PyTorch and `transformers` are installed, without importing either."""
    found = (find_spec(name) for name in ("torch", "transformers"))
    # A folder with the same name has no origin.
    return all(spec is not None and spec.origin is not None for spec in found)


class PyTorchModel:
    """A model of `transformers`, on the processor."""

    def __init__(self, module: Any, runtime: str) -> None:  # noqa: ANN401 - untyped here
        """Take a module that is ready to run; `open_pytorch` creates one."""
        # Any: the libraries' types are missing if the extra is not installed.
        self._module: Any | None = module
        self._runtime = runtime
        taken = inspect.signature(module.forward).parameters
        names = ("input_ids", "attention_mask", "token_type_ids")
        self._inputs = tuple(name for name in names if name in taken)

    @property
    def parameters(self) -> int:
        """Number of weights; those that several layers share are counted once."""
        return 0 if self._module is None else int(self._module.num_parameters())

    def run_rows(self, rows: PaddedRows) -> Float32:
        """Run rows.

        Raises:
            EngineError: PyTorch failed, or the model is closed.
        """
        import torch  # noqa: PLC0415 - an extra, already loaded

        if self._module is None:
            raise EngineError("this session is closed")
        feed = {name: torch.from_numpy(getattr(rows, name)) for name in self._inputs}
        try:
            with torch.inference_mode():
                answer = self._module(**feed, return_dict=True)
                logits: Float32 = answer.logits.float().numpy()
        # A model's own code may raise anything.
        except Exception as error:
            raise EngineError(f"PyTorch failed on a batch: {error}") from error
        return logits

    @property
    def runtime(self) -> str:
        """The names and releases of PyTorch and `transformers`."""
        return self._runtime

    @property
    def device(self) -> str:
        """The kind of processor; PyTorch does not report its name."""
        return platform.processor() or platform.machine()

    def kernels(self) -> tuple[str, ...]:
        """Return nothing: PyTorch does not report its kernels."""
        return ()

    def close(self) -> None:
        """Drop the module."""
        self._module = None


def open_pytorch(
    folder: Path,
    head: HeadKind,
    options: SessionOptions,
    *,
    architecture: str,
    brings_code: bool,
) -> PyTorchModel:
    """Load a folder with `transformers`' own class for its architecture, never code in the folder.

    Weights come from safetensors, or from a pickle that PyTorch reads with ``weights_only``, the
    default of `transformers` 5 (modeling_utils.py, load_state_dict), which refuses to do so with a
    PyTorch before 2.6, where that check could be circumvented.

    Args:
        folder: the checkpoint.
        head: which of the library's two kinds of classes to use.
        options: precision and threads.
        architecture: the `model_type` of the config.
        brings_code: whether the config names code in the folder (`auto_map`).

    Raises:
        UnsupportedDevice: the libraries are not installed.
        UnsupportedCheckpoint: `transformers` does not know the architecture or needs code in the
            folder for it, it cannot load the model, or it leaves out tensors that the model
            computes with.
        InvalidCheckpoint: weights of the model are missing.
    """
    try:
        import torch  # noqa: PLC0415 - an extra that takes a second to import
        import transformers  # noqa: PLC0415 - the same
    except ImportError as error:
        raise UnsupportedDevice(f"the runtime pytorch is not installed; {INSTALL}") from error
    if architecture not in transformers.CONFIG_MAPPING:
        code = " (its folder brings code of its own, which is never run)" if brings_code else ""
        raise UnsupportedCheckpoint(
            f"{folder}: transformers {transformers.__version__} does not know the architecture "
            f"(model_type) {architecture!r}{code}; a newer one may, or export the model to "
            "onnx/model.onnx"
        )
    torch.set_num_threads(options.threads)
    with _quiet(transformers.logging), _named(folder):
        config = transformers.AutoConfig.from_pretrained(folder, **_LOCAL)
        # A config may name attention that is code on the Hub; PyTorch's own is always available.
        config._attn_implementation = None  # noqa: SLF001 - there is no public name for it
        module, found = getattr(transformers, _HEADS[head]).from_pretrained(
            folder,
            config=config,
            dtype=getattr(torch, options.compute),
            output_loading_info=True,
            **_LOCAL,
        )
    _refuse_missing(folder, module, found["missing_keys"])
    _refuse_leftovers(folder, module, found["unexpected_keys"])
    names = f"pytorch {torch.__version__}, transformers {transformers.__version__}"
    return PyTorchModel(module.eval(), names)


def _refuse_missing(folder: Path, module: Any, names: Collection[str]) -> None:  # noqa: ANN401 - untyped here
    """Raise an error for missing weights, which the library would fill with random numbers.

    Raises:
        InvalidCheckpoint: weights are missing.
    """
    missing = sorted(names)
    if missing:
        raise InvalidCheckpoint(
            f"{folder} lacks {len(missing)} weights of {type(module).__name__}, such as "
            f"{', '.join(missing[:4])}; expected a checkpoint that was trained with its head"
        )


def _refuse_leftovers(folder: Path, module: Any, unexpected: Collection[str]) -> None:  # noqa: ANN401 - untyped here
    """Raise an error for tensors that the library leaves out, though the model needs them.

    Raises:
        UnsupportedCheckpoint: there are such tensors.
    """
    prefix = f"{module.base_model_prefix}."
    refuse_computing(
        folder,
        [name.removeprefix(prefix) for name in module.state_dict()],
        [name.removeprefix(prefix) for name in unexpected],
        [name.removeprefix(prefix) for name in unexpected if name.startswith(prefix)],
    )


_LOCAL = {"local_files_only": True, "trust_remote_code": False}


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Turn any error of the library about a folder into one that names the folder.

    Raises:
        UnsupportedCheckpoint: the library raised something.
    """
    try:
        yield
    # ValueError, OSError, ImportError, RuntimeError, KeyError and more, without a common class.
    except Exception as error:
        raise UnsupportedCheckpoint(
            f"{folder}: transformers cannot load it, code of the folder left out "
            f"({type(error).__name__}: {error})"
        ) from error


@contextmanager
def _quiet(logging: Any) -> Iterator[None]:  # noqa: ANN401 - as above
    """Make the library log only errors and show no progress bars."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
