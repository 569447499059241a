"""Texts to classify, from arguments and from a pipe, in chunks of bounded size."""

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from earmark.errors import InvalidInput

STANDARD_INPUT = "\0-"
"""Stands for a lone `-` among the texts. No argument of a process can hold a NUL, so nothing else
reads as this."""
CHUNK_BYTES = 1 << 16
"""The size of a pipe on Linux, and some dozens of full batches: to read more at once gains nothing,
takes memory, and delays the first answer."""
MAX_LINE_BYTES = 1 << 20
"""Hundreds of times what any encoder reads; a longer line is not a line of text."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One text.

    Attributes:
        place: where it came from, for error messages, which never contain the text itself.
        text: without the end of its line.
    """

    place: str
    text: str


class ByteStream(Protocol):
    """A binary file to read: `sys.stdin.buffer`, or `io.BytesIO`."""

    def read1(self, size: int, /) -> bytes:
        """Return the bytes that are there, at most this many; wait only for the first one."""
        ...


def argument_chunks(texts: Sequence[str]) -> Iterator[list[Line]]:
    """Take texts from the command line, in order.

    Raises:
        InvalidInput: one holds bytes that are no UTF-8.
    """
    chunk: list[Line] = []
    characters = 0
    for number, text in enumerate(texts, 1):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            # Python keeps bytes of an argument that it cannot decode as lone surrogates (PEP 383).
            raise InvalidInput(f"text {number} of the command line is not UTF-8") from None
        chunk.append(Line(f"text {number}", text))
        characters += len(text)
        if characters >= CHUNK_BYTES:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def stream_chunks(stream: ByteStream) -> Iterator[list[Line]]:
    r"""Read lines as they arrive; a chunk has the lines of one read, so that a slow pipe can go on.

    Lines end in ``\n`` or ``\r\n``; the last may lack it. An empty line is an empty text, so that
    the n-th answer always belongs to the n-th line. A byte order mark at the start is dropped.

    Raises:
        InvalidInput: a line is not UTF-8 or longer than `MAX_LINE_BYTES`. The lines before it
            have been yielded.
    """
    number = 0
    for lines in _split(stream):
        chunk: list[Line] = []
        for raw in lines:
            number += 1
            place = f"line {number} of standard input"
            try:
                chunk.append(Line(place, _decode(raw, place, first=number == 1)))
            except InvalidInput:
                if chunk:
                    yield chunk
                raise
        if chunk:
            yield chunk


def _split(stream: ByteStream) -> Iterator[list[bytes]]:
    """Split a stream at its line ends; an unfinished line is kept for the next read."""
    rest = b""
    while data := stream.read1(CHUNK_BYTES):
        *lines, rest = (rest + data).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            # `_decode` refuses a line of this length, which ends the reading.
            lines.append(rest)
        yield lines
    if rest:
        yield [rest]


def _decode(raw: bytes, place: str, *, first: bool) -> str:
    if len(raw) > MAX_LINE_BYTES:
        raise InvalidInput(
            f"{place} is longer than {MAX_LINE_BYTES} bytes; expected one text a line"
        )
    raw = raw.removesuffix(b"\r")
    if first:
        raw = raw.removeprefix(BYTE_ORDER_MARK)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = InvalidInput(
            f"{place} is not UTF-8: byte 0x{raw[error.start]:02x} at position {error.start + 1}"
        )
        found = "utf-16" if _looks_utf16(raw) else "latin1"
        problem.add_note(f"convert it first, for example with iconv -f {found} -t utf-8")
        raise problem from None


def _looks_utf16(raw: bytes) -> bool:
    """Return whether a line looks like UTF-16, which shells of Windows write."""
    return raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in raw
