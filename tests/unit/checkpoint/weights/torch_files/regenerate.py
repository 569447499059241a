"""Writes the `.bin` files of this folder with real torch, which the tests do not need.

    PYTHON_WITH_TORCH tests/unit/checkpoint/weights/torch_files/regenerate.py

The values are whole numbers that every type holds exactly; `test_torch_pickle.py` says which.
"""

from collections import OrderedDict
from pathlib import Path

import torch

FOLDER = Path(__file__).parent


def state() -> "OrderedDict[str, torch.Tensor]":
    """Make one tensor of each kind that a checkpoint may hold."""
    counted = torch.arange(12, dtype=torch.float32)
    shared = torch.arange(20, dtype=torch.float32)
    tensors = OrderedDict(
        matrix=counted.reshape(3, 4).clone(),
        parameter=torch.nn.Parameter(counted.reshape(4, 3).clone()),
        transposed=counted.reshape(3, 4).clone().T,
        strided=shared[1::3],
        shared=shared[4:16].reshape(4, 3),
        scalar=torch.tensor(7.0),
        empty=torch.empty(0, 4),
        position_ids=torch.arange(8).expand(1, -1),
        expanded=torch.ones(1).expand(3, 4),
    )
    kinds = {
        "F64": torch.float64,
        "F16": torch.float16,
        "BF16": torch.bfloat16,
        "I32": torch.int32,
        "I16": torch.int16,
        "I8": torch.int8,
        "U8": torch.uint8,
        "BOOL": torch.bool,
    }
    tensors.update({name: torch.arange(3).to(kind) for name, kind in kinds.items()})
    # What a module's state_dict() carries, and pickles as the dictionary's state.
    tensors._metadata = OrderedDict({"": {"version": 1}})  # type: ignore[attr-defined]  # noqa: SLF001
    return tensors


if __name__ == "__main__":
    torch.save(state(), FOLDER / "zip.bin")
    torch.save(state(), FOLDER / "protocol-4.bin", pickle_protocol=4)
    torch.save(state(), FOLDER / "legacy.bin", _use_new_zipfile_serialization=False)
