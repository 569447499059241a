"""From the bytes of a request to a typed value: bounded, and with one sentence on what is wrong."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec
from starlette.requests import Request

from earmark.engine.beside import INLINE_BYTES, beside
from earmark.errors import InvalidInput, RequestTooLarge
from earmark.web.body_budget import BODIES, Held
from earmark.web.compression import Expanding

__all__ = [
    "HELD_BODY",
    "EmptyArray",
    "Misfit",
    "decode_json",
    "decoder",
    "default_misfit",
    "members",
    "read_beside",
    "read_body",
]

T = TypeVar("T")

EmptyArray: TypeAlias = Annotated[
    list[None], msgspec.Meta(max_length=0, description="What PHP writes for an object of nothing.")
]

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""What some programs of Windows write before UTF-8; RFC 8259, section 8.1, lets it be ignored."""

_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
"""Half of a UTF-16 pair, written as an escape; alone it is no character."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """Where JSON does not fit the type that is expected.

    Attributes:
        path: such as ``parameters.top_k``; empty for the whole body.
        complaint: such as ``Expected `int`, got `str` ``, in msgspec's words.
    """

    path: str
    complaint: str

    @classmethod
    def of(cls, error: msgspec.ValidationError) -> "Misfit":
        """Take apart "Expected `int`, got `str` - at `$.a.b`"."""
        complaint, _, place = str(error).partition(" - at `$")
        return cls(place.rstrip("`").removeprefix("."), complaint)


def default_misfit(found: Misfit) -> str:
    """Put a misfit into a sentence, the place first."""
    place = f"`{found.path}`" if found.path else "the body"
    return f"{place}: {found.complaint[:1].lower()}{found.complaint[1:]}"


HELD_BODY: Final = "earmark.body"
"""Where in a request's scope its share of the memory for bodies stands; `endpoint` ends it."""


async def read_body(request: Request, *, max_bytes: int) -> bytes:
    """Read a whole body, but never more than `max_bytes` of it, compressed or expanded.

    A body that says it is longer is refused before any of it is read.

    Raises:
        UnsupportedCoding: the body is compressed in a way that is not accepted.
        RequestTooLarge: the body is longer.
        InvalidInput: it is not compressed as it says.
        QueueFull: the bodies of other requests leave no memory for it.
        ClientDisconnect: the client left before the end.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise RequestTooLarge(
            f"the body is {int(announced):,} bytes, at most {max_bytes:,} bytes are accepted;"
            " send the texts in several requests"
        )
    body = Expanding(request.headers.get("content-encoding", ""), max_bytes=max_bytes)
    held: Held = request.scope.setdefault(HELD_BODY, Held(BODIES))
    held.reserve(int(announced) if announced.isdecimal() else 0)
    async for chunk in request.stream():
        held.reserve(body.size + len(chunk))
        body.feed(chunk)
        held.reserve(body.size)
    return body.end().removeprefix(_BYTE_ORDER_MARK)


async def read_beside(body: bytes, read: Callable[[], T]) -> T:
    """Read a body that has come: a small one at once, a large one beside the event loop.

    Args:
        body: what is read.
        read: reads it, and must touch nothing that belongs to the event loop.

    Raises:
        InvalidInput: and whatever else `read` raises.
    """
    if len(body) <= INLINE_BYTES:
        return read()
    return await beside(len(body), read)


def decoder(of: type[T]) -> msgspec.json.Decoder[T]:
    """Make a decoder that is as lax as servers in Python are: ``"true"`` and 1 for true, ``"3"``.

    Args:
        of: what a body is expected to be.
    """
    return msgspec.json.Decoder(of, strict=False)


def members(given: T | EmptyArray | None, nothing: T) -> T:
    """Return an object that may have been left out, or written as an empty array."""
    return nothing if given is None or isinstance(given, list) else given


def decode_json(
    body: bytes,
    decoder: msgspec.json.Decoder[T],
    *,
    misfit: Callable[[Misfit], str] = default_misfit,
) -> T:
    """Decode a body whatever its Content-Type says: `curl -d` announces a form.

    Args:
        body: as it came.
        decoder: of the type that is expected.
        misfit: puts what does not fit the type into the words of a dialect.

    Raises:
        InvalidInput: it is empty, no JSON, or not of the decoder's type. The message names the
            place, and quotes nothing of the body.
    """
    if not body or body.isspace():
        raise InvalidInput("the body is empty; expected a JSON object")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidInput(misfit(Misfit.of(error))) from None
    except msgspec.DecodeError as error:
        raise InvalidInput(_malformed(str(error), body)) from None
    except UnicodeDecodeError as error:  # msgspec before 0.23
        raise InvalidInput(_no_utf8(error)) from None
    except RecursionError:
        raise InvalidInput("the body is nested too deeply") from None


def _malformed(complaint: str, body: bytes) -> str:
    if complaint == "Input data was truncated":
        # msgspec says the same of a lone surrogate, whose other half it goes looking for.
        if _SURROGATE_ESCAPE.search(body):
            return "the body is not valid JSON: half of a surrogate pair, or it ends too early"
        return "the body is not valid JSON: it ends too early"
    if complaint.startswith("Invalid UTF-8"):
        try:
            body.decode()
        except UnicodeDecodeError as error:
            return _no_utf8(error)
    return f"the body is not valid JSON: {complaint.removeprefix('JSON is malformed: ')}"


def _no_utf8(error: UnicodeDecodeError) -> str:
    return f"the body is not UTF-8: {error.reason}"
