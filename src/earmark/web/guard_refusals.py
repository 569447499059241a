"""What the guard of the server answers where no app sees the request."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import msgspec

from earmark.web.responses import JSON_TYPE


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of the guard itself, which is the last of its connection."""

    status: int
    text: str

    def written(self, *, of_head: bool) -> bytes:
        """Write the whole answer; that to a HEAD ends with its headers (RFC 9110, 9.3.2)."""
        body = msgspec.json.encode({"error": self.text})
        head = (
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n"
            f"content-type: {JSON_TYPE}\r\ncontent-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        return head.encode("ascii") + (b"" if of_head else body)


INVALID: Final = Refusal(400, "the request is not valid HTTP/1.1")
NO_HOST: Final = Refusal(400, "the request has no Host header, which HTTP/1.1 demands")
MANY_HOSTS: Final = Refusal(400, "the request has more than one Host header")
