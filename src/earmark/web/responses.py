"""The form of all JSON answers."""

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.responses import Response

JSON_TYPE: Final = "application/json"
"""Exactly this, no charset: older `huggingface_hub` clients compare the header for equality."""

_encoder = msgspec.json.Encoder()


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong; of a model that is being loaded, also how many seconds that may take.

    `error_type` is a member of text-embeddings-inference, whose clients ask at the root too.
    """

    error: str
    estimated_time: float | None = None
    error_type: str | None = None


def json_response(
    value: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer a value that msgspec can encode."""
    return Response(_encoder.encode(value), status, headers, JSON_TYPE)


def error_response(status: int, text: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """Answer an error as ``{"error": "text"}``."""
    return json_response(ErrorBody(text), status=status, headers=headers)
