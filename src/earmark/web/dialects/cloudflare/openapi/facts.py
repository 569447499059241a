"""What look-ups answer: made of the very types, so never malformed."""

from typing import Final

import msgspec

from earmark.web.dialects.cloudflare.access import Verified
from earmark.web.dialects.cloudflare.catalogue import TASK, Author, Model, Property, Schema
from earmark.web.dialects.cloudflare.envelope import Envelope, Message, Paging
from earmark.web.dialects.cloudflare.openapi.examples import CLASSIFIER
from earmark.web.openapi import Json

__all__ = ["AUTHORS", "FINETUNES", "MODELS", "SCHEMA", "TASKS", "VERIFIED"]

_RUNS: Final = "distilbert/distilbert-base-uncased-finetuned-sst-2-english:int8"


def _json(result: object, messages: tuple[Message, ...] = (), paging: Paging | None = None) -> Json:
    envelope = Envelope(result, True, (), messages, paging)  # noqa: FBT003
    found: Json = msgspec.json.decode(msgspec.json.encode(envelope))
    return found


MODELS: Final = _json(
    [
        Model(
            "6e1ac3cb-ef6c-5c7e-9d32-5b4b2e7d2f0a",
            1,
            CLASSIFIER,
            f"Labels a text NEGATIVE, POSITIVE: {_RUNS} (distilbert, int8)",
            TASK,
            (),
            (
                Property("runs", _RUNS),
                Property("labels", ("NEGATIVE", "POSITIVE")),
                Property("state", "ready"),
                Property("precision", "int8"),
                Property("max_input_tokens", "512"),
            ),
        )
    ],
    paging=Paging(count=1, page=1, per_page=50, total_count=1),
)
SCHEMA: Final = _json(
    Schema(
        {
            "type": "object",
            "properties": {"text": {"type": "string", "minLength": 1}},
            "required": ["text"],
        },
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"label": {"type": "string"}, "score": {"type": "number"}},
                "required": ["label", "score"],
            },
            "contentType": "application/json",
        },
    )
)
TASKS: Final = _json([TASK])
AUTHORS: Final = _json([Author("a2b2f1f8-7a0c-5b6f-8f6e-2b1c6f4a3d9e", "huggingface", "")])
FINETUNES: Final = _json([])
VERIFIED: Final = _json(
    Verified("bf64e829", "active"), (Message(10000, "This API Token is valid and active"),)
)
