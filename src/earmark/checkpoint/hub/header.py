"""Reads the header of a `.safetensors` file on the Hub: names, types and shapes, no weights.

Format: https://github.com/huggingface/safetensors#format. The library's own function reads the
whole file into memory if a server does not support ranges; here the connection is closed after the
header.
"""

import json
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

# Must be imported before the library: see `access`.
from earmark.checkpoint.hub.access import HubAccess  # isort: skip

from huggingface_hub import hf_hub_url
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # public, but not typed as such
    build_hf_headers,
    get_session,
    hf_raise_for_status,
)

from earmark.checkpoint.hub.errors import plain_errors
from earmark.checkpoint.ref import HubRef
from earmark.checkpoint.weights.safetensors_file import COUNT_BYTES, LARGEST_HEADER
from earmark.checkpoint.weights.tensor_source import Shape, TensorSource
from earmark.errors import InvalidCheckpoint


class _Header:
    """The names, types and shapes of tensors that are not fetched yet."""

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
    """Fetch the header of a file of the Hub.

    Args:
        ref: the model, with its commit.
        name: of the file.
        access: the access that it was looked up with.

    Raises:
        CheckpointNotFound: the file does not exist, or access is denied.
        HubUnavailable: it cannot be fetched now.
        InvalidCheckpoint: it is no `.safetensors` file.
    """
    with plain_errors(ref, access):
        text = _header_of(_beginning(ref, name, access))
    try:
        fields = json.loads(text or b"")
        tensors = {
            str(key): (str(one["dtype"]), tuple(int(axis) for axis in one["shape"]))
            for key, one in fields.items()
            if key != "__metadata__"
        }
    # ValueError: not JSON. The others: JSON of another structure.
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidCheckpoint(f"{name} cannot be read as safetensors: {error}") from error
    return _Header(tensors)


def _beginning(ref: HubRef, name: str, access: HubAccess) -> bytes:
    """Fetch a file's bytes until the header is complete."""
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
    """Cut the header out of a file's first bytes; None if they are too few."""
    size = int.from_bytes(found[:COUNT_BYTES], "little")
    end = COUNT_BYTES + size
    return found[COUNT_BYTES:end] if len(found) >= max(end, COUNT_BYTES + 1) else None
