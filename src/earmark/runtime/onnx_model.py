"""An ONNX file as somebody exported it, described for a runtime."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from earmark.runtime.padding import PaddedRows

__all__ = ["Feed", "IndexType", "OnnxModelFile", "feed_of"]

IndexType = Literal["int64", "int32"]
"""What token ids may be declared as."""

Feed: TypeAlias = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class OnnxModelFile:
    """What a runtime has to know to run a file.

    Attributes:
        path: the file; a runtime finds by it what weights lie beside it.
        inputs: names among the attributes of `PaddedRows`, and the types they are declared as.
        output: name of the logits.
    """

    path: Path
    inputs: Mapping[str, IndexType]
    output: str


def feed_of(file: OnnxModelFile, rows: PaddedRows) -> Feed:
    """Pick the arrays that a file's graph takes, in the types that it declares."""
    return {
        name: getattr(rows, name).astype(kind, copy=False) for name, kind in file.inputs.items()
    }
