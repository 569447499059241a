"""Describes an exported ONNX file for a runtime."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from earmark.runtime.padding import PaddedRows

IndexType = Literal["int64", "int32"]
"""The types that a graph may declare for token ids."""

Feed: TypeAlias = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class OnnxModelFile:
    """What a runtime needs to know to run a file.

    Attributes:
        path: the file; the runtime finds weights beside it.
        inputs: names among the attributes of `PaddedRows`, and their declared types.
        output: name of the logits.
    """

    path: Path
    inputs: Mapping[str, IndexType]
    output: str


def feed_of(file: OnnxModelFile, rows: PaddedRows) -> Feed:
    """Return the arrays that a file's graph takes, in the types that it declares."""
    return {
        name: getattr(rows, name).astype(kind, copy=False) for name, kind in file.inputs.items()
    }
