"""Reads the body of a request, within a bound, and decodes it into a typed value."""

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec
from starlette.requests import Request

from earmark.engine.beside import INLINE_BYTES, beside
from earmark.errors import InvalidInput, RequestTooLarge
from earmark.web.body_budget import BODIES, Held
from earmark.web.compression import Expanding

T = TypeVar("T")

EmptyArray: TypeAlias = Annotated[
    list[None], msgspec.Meta(max_length=0, description="What PHP writes for an object of nothing.")
]

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""Some programs of Windows write this before UTF-8; RFC 8259, section 8.1, allows ignoring it."""

_WIDE_MARKS: Final = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order marks, the longer ones first: a mark of UTF-32 begins like one of UTF-16. Shells of
Windows write them, and Python's own `json.loads` reads them."""

_FORM: Final = re.compile(rb"--|[\w.%+\[\]-]+=")
"""How a form begins, in parts or with ``name=value``."""

_MISSING: Final = "Object missing required field"
_MOST_NAMES_SHOWN: Final = 4
_LONGEST_NAME_SHOWN: Final = 40
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_plain = msgspec.json.Decoder()
_MALFORMED: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
"""Half of a UTF-16 pair, written as an escape; alone it is no character."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """Where JSON does not fit the type that is expected.

    Attributes:
        path: such as ``parameters.top_k``; empty for the whole body.
        complaint: such as ``Expected `int`, got `str` ``, in msgspec's words.
        held: where a member is missing, the names that the body has, in a form that can be shown.
    """

    path: str
    complaint: str
    held: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: msgspec.ValidationError, body: bytes) -> "Misfit":
        """Take apart "Expected `int`, got `str` - at `$.a.b`".

        Args:
            error: the decoder's error.
            body: as it came.
        """
        complaint, _, place = str(error).partition(" - at `$")
        names = _unread_members(body) if not place and complaint.startswith(_MISSING) else ()
        held = tuple(map(shown_name, islice(names, _MOST_NAMES_SHOWN)))
        return cls(place.rstrip("`").removeprefix("."), complaint, held)


def default_misfit(found: Misfit) -> str:
    """Describe a misfit in a sentence that begins with its place."""
    place = f"`{found.path}`" if found.path else "the body"
    held = f"; it holds {', '.join(f'`{name}`' for name in found.held)}" if found.held else ""
    return f"{place}: {found.complaint[:1].lower()}{found.complaint[1:]}{held}"


def shown_name(name: str) -> str:
    """Write a name from a request so that a header, and the topic in it, can carry it."""
    return ascii(name[:_LONGEST_NAME_SHOWN])[1:-1].replace(";", ",")


def _unread_members(body: bytes) -> dict[str, msgspec.Raw]:
    """Return the members of an object, whatever they hold; none where the body is malformed."""
    try:
        return _members.decode(body)
    except _MALFORMED:
        return {}


HELD_BODY: Final = "earmark.body"
"""Key in a request's scope of its share of the memory for bodies; `endpoint` gives it back."""


async def read_body(request: Request, *, max_bytes: int) -> bytes:
    """Read a whole body, but never more than `max_bytes` of it, compressed or expanded.

    A body whose ``Content-Length`` is larger is refused before any of it is read.

    Raises:
        UnsupportedCoding: the body is compressed in a way that is not accepted.
        RequestTooLarge: the body is longer.
        InvalidInput: it is not compressed in the way that its header names.
        QueueFull: the bodies of other requests leave no memory for it.
        ClientDisconnect: the client left before the end.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise RequestTooLarge(
            f"the body is {int(announced):,} bytes, at most {max_bytes:,} bytes are accepted;"
            " send the texts in several requests"
        )
    # Several fields are one list (RFC 9110, section 5.3).
    coding = ", ".join(request.headers.getlist("content-encoding"))
    body = Expanding(coding, max_bytes=max_bytes)
    held: Held = request.scope.setdefault(HELD_BODY, Held(BODIES))
    held.reserve(int(announced) if announced.isdecimal() else 0)
    size = 0
    async for chunk in request.stream():
        held.reserve(size + len(chunk))
        size = body.feed(chunk)
        held.reserve(size)
    return _as_utf8(body.end(), max_bytes=max_bytes)


def _as_utf8(body: bytes, *, max_bytes: int) -> bytes:
    """Return a body as UTF-8, from the encoding that its byte order mark names.

    Raises:
        InvalidInput: the body is not in that encoding.
        RequestTooLarge: as UTF-8 it is longer.
    """
    wide = next((name for mark, name in _WIDE_MARKS.items() if body.startswith(mark)), None)
    if wide is None:
        return body.removeprefix(_BYTE_ORDER_MARK)
    try:
        narrow = body.decode(wide).encode()
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"the body begins as {wide.upper()} does, and is not: {error.reason}; expected UTF-8"
        ) from None
    if len(narrow) > max_bytes:
        raise RequestTooLarge(
            f"the body is {len(narrow):,} bytes in UTF-8, at most {max_bytes:,} bytes are accepted;"
            " send the texts in several requests"
        )
    return narrow


async def read_beside(body: bytes, read: Callable[[], T]) -> T:
    """Read a received body: a small one at once, a large one in another thread.

    Args:
        body: what is read.
        read: reads it; it must not touch anything that belongs to the event loop.

    Raises:
        InvalidInput: and whatever else `read` raises.
    """
    if len(body) <= INLINE_BYTES:
        return read()
    return await beside(len(body), read)


@dataclass(frozen=True, slots=True)
class ParsedBody:
    """A body that is parsed once, for all code that looks into it.

    Attributes:
        raw: as it came.
        value: what it holds, of Python's own types.
    """

    raw: bytes
    value: object

    @classmethod
    def of(cls, raw: bytes) -> "ParsedBody":
        """Parse a body; one that is malformed is refused when it is decoded."""
        try:
            return cls(raw, _plain.decode(raw))
        except _MALFORMED:
            # Perhaps only in a member that nothing reads, such as a number beyond all floats.
            return cls(raw, _unread_members(raw))

    def decode(self, decoder: msgspec.json.Decoder[T]) -> T:
        """Convert what it holds; arguments and errors are those of `decode_json`."""
        try:
            decoded: T = msgspec.convert(self.value, decoder.type, strict=decoder.strict)
        except msgspec.ValidationError:
            # Once more from the bytes, whose first error is the one to report.
            return decode_json(self.raw, decoder)
        return decoded


def given_members(value: object) -> Mapping[str, object]:
    """Return the members of an object that are not null; none where it is no object."""
    if not isinstance(value, dict):
        return {}
    return {name: member for name, member in value.items() if member is not None}


def decoder(of: type[T]) -> msgspec.json.Decoder[T]:
    """Make a decoder that is as lax as servers in Python: ``"true"`` and 1 are true, ``"3"`` is 3.

    Args:
        of: the type that a body is expected to have.
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
        misfit: describes what does not fit the type in the words of a dialect.

    Raises:
        InvalidInput: it is empty, no JSON, or not of the decoder's type. The message names the
            place, and quotes nothing of the body.
    """
    if not body or body.isspace():
        raise InvalidInput("the body is empty; expected a JSON object")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidInput(misfit(Misfit.of(error, body))) from None
    except msgspec.DecodeError as error:
        raise InvalidInput(_malformed(str(error), body)) from None
    except UnicodeDecodeError as error:  # msgspec before 0.23
        raise InvalidInput(_no_utf8(error)) from None
    except RecursionError:
        raise InvalidInput("the body is nested too deeply") from None


def _malformed(complaint: str, body: bytes) -> str:
    if complaint == "Input data was truncated":
        # msgspec raises the same error for a lone surrogate, since it looks for the other half.
        if _SURROGATE_ESCAPE.search(body):
            return "the body is not valid JSON: half of a surrogate pair, or it ends too early"
        return "the body is not valid JSON: it ends too early"
    if complaint.startswith("Invalid UTF-8"):
        try:
            body.decode()
        except UnicodeDecodeError as error:
            return _no_utf8(error)
    if _FORM.match(body):
        return "the body is not valid JSON: it is a form; expected a JSON object"
    return f"the body is not valid JSON: {complaint.removeprefix('JSON is malformed: ')}"


def _no_utf8(error: UnicodeDecodeError) -> str:
    return f"the body is not UTF-8: {error.reason}"
