"""Text classification with Hugging Face encoder checkpoints, without PyTorch.

    >>> import earmark
    >>> earmark.classify(["I like it", "I don't"])[0].label
    'POSITIVE'

`load` keeps a model for many calls; ``earmark serve`` puts models behind HTTP.
"""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from earmark.domain.results import Classification, LabelScore
from earmark.domain.texts import TextInput
from earmark.errors import (
    CapacityError,
    CheckpointError,
    EarmarkError,
    EngineError,
    RequestError,
    SettingsError,
)

if TYPE_CHECKING:
    from earmark.graph.precision import Precision
    from earmark.inprocess import Classifier, TextLike
    from earmark.runtime.session import RuntimeName

__all__ = [
    "CapacityError",
    "CheckpointError",
    "Classification",
    "EarmarkError",
    "EngineError",
    "LabelScore",
    "RequestError",
    "SettingsError",
    "TextInput",
    "__version__",
    "classify",
    "load",
]

__version__ = "0.1.0"


def load(
    source: "str | os.PathLike[str]" = "earmark/sentiment",
    *,
    precision: "Precision" = "auto",
    runtime: "RuntimeName" = "openvino",
    threads: int | None = None,
) -> "Classifier":
    """Load a model into this process.

    Args:
        source: a bundled id, a checkpoint folder, or a model of the Hugging Face Hub, such as
            ``org/name@revision``, which is fetched if it has to be.
        precision: what to compute in.
        runtime: what runs the graph.
        threads: how many it may use; None for all cores this process may.

    Raises:
        SettingsError: `precision`, `runtime` or `threads` is none that there is.
        CheckpointError: the model cannot be loaded; the message says what to do.
        EngineError: the runtime failed.
    """
    # Imported here: `import earmark` and the command line's --help stay quick.
    from earmark.checkpoint.ref import read_ref  # noqa: PLC0415
    from earmark.engine.load import EngineOptions, load_engine  # noqa: PLC0415
    from earmark.inprocess import Classifier, check_load  # noqa: PLC0415

    source = check_load(source, precision=precision, runtime=runtime, threads=threads)
    options = EngineOptions(precision=precision, runtime=runtime, threads=threads)
    return Classifier(load_engine(read_ref(source), options=options))


def classify(
    texts: "Iterable[TextLike]",
    *,
    model: "str | os.PathLike[str]" = "earmark/sentiment",
    top_k: int | None = None,
    precision: "Precision" = "auto",
) -> list[Classification]:
    """Classify texts once: load, answer, free. For many calls, `load` a model instead.

    Args:
        texts: texts, or pairs of texts.
        model: a bundled id, a checkpoint folder, or a model of the Hugging Face Hub.
        top_k: how many of the best labels to keep; None keeps all.
        precision: what to compute in.

    Raises:
        SettingsError: `precision` is none that there is.
        CheckpointError: the model cannot be loaded.
        RequestError: a text or `top_k` is not what it should be.
        EngineError: the runtime failed.
    """
    with load(model, precision=precision) as classifier:
        return classifier.classify(texts, top_k=top_k)
