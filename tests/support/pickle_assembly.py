"""Pickles put together opcode by opcode, as `torch.save` would and as an attacker might.

Python's own pickler writes the name of nothing that it cannot import, and torch is not installed.
Opcodes: https://github.com/python/cpython/blob/3.11/Lib/pickletools.py
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

PROTOCOL_2 = b"\x80\x02"


@dataclass(frozen=True, slots=True)
class Member:
    """A module's member by its name."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the unpickler is to make."""

    function: object
    arguments: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Persistent:
    """A persistent id."""

    value: object


def assemble(value: object) -> bytes:
    """Write a whole pickle."""
    return PROTOCOL_2 + piece(value) + b"."


def piece(value: object) -> bytes:
    """Write what puts one value on the unpickler's stack; bytes are opcodes already."""
    match value:
        case bytes():
            return value
        case None | bool() | int() | str():
            return _plain(value)
        case tuple():
            return b"(" + b"".join(map(piece, value)) + b"t"
        case list():
            return b"](" + b"".join(map(piece, value)) + b"e"
        case Mapping():
            items = b"".join(piece(key) + piece(item) for key, item in value.items())
            return b"}(" + items + b"u"
        case _:
            return _named(value)


def _plain(value: str | int | None) -> bytes:
    if isinstance(value, str):
        text = value.encode()
        return b"X" + struct.pack("<I", len(text)) + text
    if value is None or isinstance(value, bool):
        return {None: b"N", True: b"\x88", False: b"\x89"}[value]
    digits = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(digits)]) + digits


def _named(value: object) -> bytes:
    match value:
        case Member():
            return f"c{value.module}\n{value.name}\n".encode()
        case Call():
            return piece(value.function) + piece(value.arguments) + b"R"
        case Persistent():
            return piece(value.value) + b"Q"
        case _:
            raise TypeError(f"no opcode for a {type(value).__name__}")
