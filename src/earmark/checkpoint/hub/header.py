"""The header of a `.safetensors` file of the Hub: names, types and shapes, without the weights.

Format: https://github.com/huggingface/safetensors#format. The library's own reading of it takes the
whole file into memory where a server knows no ranges; here the connection is closed when the header
has come.
"""

import json
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

# First of all that concerns the library: see there.
from earmark.checkpoint.hub.access import HubAccess  # isort: skip

from huggingface_hub import hf_hub_url
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # public, and not typed so
    build_hf_headers,
    get_session,
    hf_raise_for_status,
)

from earmark.checkpoint.hub.errors import told_plainly
from earmark.checkpoint.ref import HubRef
from earmark.checkpoint.weights.tensor_source import Shape, TensorSource
from earmark.errors import InvalidCheckpoint

__all__ = ["fetch_header"]

LARGEST_HEADER = 4_000_000
"""Bytes; a model of a thousand tensors has 100 kB."""
_COUNT_BYTES = 8
"""The length of the header, in front of it, as a little-endian number."""


class _Header:
    """Tensors that are not here."""

    def __init__(self, tensors: Mapping[str, tuple[str, Shape]]) -> None:
        self._tensors = tensors

    def shapes(self) -> Mapping[str, Shape]:
        return {name: shape for name, (_, shape) in self._tensors.items()}

    def dtype(self, name: str) -> str:
        return self._tensors[name][0]

    def read(self, name: str) -> NDArray[np.generic]:
        raise InvalidCheckpoint(f"tensor {name} is not fetched yet")

    def close(self) -> None:
        pass


def fetch_header(ref: HubRef, name: str, access: HubAccess) -> TensorSource:
    """Ask the Hub for the beginning of a file.

    Args:
        ref: the model, with its commit.
        name: of the file.
        access: as it was looked up.

    Raises:
        CheckpointNotFound: the file is not there, or not for this caller.
        HubUnavailable: it cannot be fetched now.
        InvalidCheckpoint: it is no such file.
    """
    with told_plainly(ref, access):
        text = _header_of(_beginning(ref, name, access))
    try:
        fields = json.loads(text or b"")
        tensors = {
            str(key): (str(one["dtype"]), tuple(int(axis) for axis in one["shape"]))
            for key, one in fields.items()
            if key != "__metadata__"
        }
    # ValueError: no JSON. The others: JSON of another form.
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidCheckpoint(f"{name} cannot be read as safetensors: {error}") from error
    return _Header(tensors)


def _beginning(ref: HubRef, name: str, access: HubAccess) -> bytes:
    """Fetch until the header is whole, however much the server would send."""
    url = hf_hub_url(ref.repo, name, revision=ref.revision, endpoint=access.endpoint)
    headers = build_hf_headers(token=access.token, headers=access.headers)
    headers |= {"range": f"bytes=0-{LARGEST_HEADER - 1}", "accept-encoding": "identity"}
    found = b""
    with get_session().stream("GET", url, headers=headers, timeout=access.timeout_s) as answer:
        hf_raise_for_status(answer)
        for more in answer.iter_bytes():
            found += more
            if len(found) >= LARGEST_HEADER or _header_of(found) is not None:
                break
    return found


def _header_of(found: bytes) -> bytes | None:
    """Cut the header out of a file's beginning; None where that is too short."""
    size = int.from_bytes(found[:_COUNT_BYTES], "little")
    end = _COUNT_BYTES + size
    return found[_COUNT_BYTES:end] if len(found) >= max(end, _COUNT_BYTES + 1) else None
