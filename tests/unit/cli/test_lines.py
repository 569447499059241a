"""Texts from arguments and from a pipe."""

import io
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earmark.cli.lines import MAX_LINE_BYTES, Line, argument_chunks, stream_chunks
from earmark.errors import InvalidInput

CHUNK = 1 << 16
texts = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\ufeff"))


class Pieces:
    """A stream that brings the pieces of the test one by one."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        """Take the pieces in order; none may be empty."""
        self._pieces = pieces
        self.read_bytes = 0

    def read1(self, size: int, /) -> bytes:
        """Bring the next piece."""
        piece = next(self._pieces, b"")
        assert len(piece) <= size
        self.read_bytes += len(piece)
        return piece


def texts_of(chunks: Iterator[list[Line]]) -> list[str]:
    """Read everything."""
    return [line.text for chunk in chunks for line in chunk]


@settings(deadline=None)
@given(st.lists(texts, min_size=1), st.integers(1, 7), st.sampled_from(["\n", "\r\n"]))
def test_lines_are_read_alike_however_the_stream_cuts_them(
    lines: list[str], size: int, end: str
) -> None:
    """Neither the size of a read, even inside a character, nor the line ends change a text."""
    data = "".join(line + end for line in lines).encode()
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    assert texts_of(stream_chunks(Pieces(pieces))) == lines


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a\n\nb\n", ["a", "", "b"]),
        (b"a\nb", ["a", "b"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", ["a", "\ufeffb"]),
        (b"a\rb\n", ["a\rb"]),
    ],
)
def test_each_line_is_a_text_empty_ones_too(data: bytes, expected: list[str]) -> None:
    """The n-th text is the n-th line; a byte order mark counts only at the start."""
    assert texts_of(stream_chunks(io.BytesIO(data))) == expected


def test_a_line_is_handed_on_before_the_next_is_waited_for() -> None:
    """A slow pipe, such as `tail -f`, is answered line by line."""
    stream = Pieces(iter([b"first\n", b"second\n"]))
    chunks = stream_chunks(stream)
    assert [line.text for line in next(chunks)] == ["first"]
    assert stream.read_bytes == len(b"first\n")


def test_a_line_that_is_not_utf8_is_named_after_those_before_it() -> None:
    """The lines before are answered; the error names the line and the byte, not the text."""
    chunks = stream_chunks(io.BytesIO(b"good\nsecret \xff\nnever\n"))
    assert [line.text for line in next(chunks)] == ["good"]
    with pytest.raises(InvalidInput, match=r"line 2 .* byte 0xff at position 8") as caught:
        next(chunks)
    assert "secret" not in str(caught.value)


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    """Reading stops at the limit: a stream of zeros is no text."""
    stream = Pieces(iter(lambda: bytes(CHUNK), b""))
    with pytest.raises(InvalidInput, match=f"line 1 .* longer than {MAX_LINE_BYTES} bytes"):
        next(stream_chunks(stream))
    assert stream.read_bytes <= MAX_LINE_BYTES + CHUNK


def test_a_line_as_long_as_allowed_is_read() -> None:
    """The limit itself is not over the limit."""
    text = "x" * MAX_LINE_BYTES
    assert texts_of(stream_chunks(io.BytesIO(text.encode() + b"\n"))) == [text]


@settings(deadline=None)
@given(st.lists(st.integers(0, 3 * CHUNK), max_size=6))
def test_arguments_come_in_order_in_bounded_chunks(lengths: list[int]) -> None:
    """A chunk closes as soon as it holds what a read of a pipe may bring."""
    arguments = ["x" * length for length in lengths]
    chunks = list(argument_chunks(arguments))
    assert texts_of(iter(chunks)) == arguments
    for chunk in chunks:
        assert sum(len(line.text) for line in chunk[:-1]) < CHUNK


def test_an_argument_that_is_not_utf8_is_named() -> None:
    """Python hands undecodable bytes on as lone surrogates, which no tokenizer takes."""
    with pytest.raises(InvalidInput, match="text 2 of the command line is not UTF-8"):
        list(argument_chunks(["fine", "\udcff"]))


@pytest.mark.parametrize(
    ("data", "coding"),
    [
        ("café\n".encode("latin1"), "latin1"),
        ("a\n".encode("utf-16"), "utf-16"),
        ("ä\n".encode("utf-16-le"), "utf-16"),
    ],
)
def test_the_hint_names_the_coding_that_a_line_seems_to_have(data: bytes, coding: str) -> None:
    """Shells of Windows write UTF-16."""
    with pytest.raises(InvalidInput) as caught:
        list(stream_chunks(io.BytesIO(data)))
    (note,) = caught.value.__notes__
    assert note == f"convert it first, for example with iconv -f {coding} -t utf-8"
