"""Reads a pickle without running it: it builds values, and refuses names that are not known.

Python's own unpickler imports and calls anything that a pickle names. Here a name becomes a `Name`,
which is only text. Only the names given to `read_pickle` are known, and only the builders given
there are called. `pickletools` decodes the opcodes, and runs nothing either.

The opcodes: https://github.com/python/cpython/blob/3.11/Lib/pickletools.py
"""

import mmap
import pickletools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeAlias, cast

LARGEST_PICKLE = 1 << 22
"""Bytes. A checkpoint of a thousand tensors needs about 100 kB; each byte of a pickle can cost some
microseconds and about a hundred bytes of memory."""
LONGEST_NAME_SHOWN = 200

Builder: TypeAlias = Callable[[Sequence[object]], object]
"""Builds a value from a call's arguments; raises `PickleRefused` if they are invalid."""

_NUMBERS = ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT")
_TEXTS = ("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8")
_BYTES = ("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8")
_LITERALS = frozenset((*_NUMBERS, *_TEXTS, *_BYTES))
"""Opcodes whose argument, as decoded, is the value."""
_SINGLES: Mapping[str, object] = {
    "NONE": None,
    "NEWTRUE": True,
    "NEWFALSE": False,
    "EMPTY_TUPLE": (),
}
_MAKERS: Mapping[str, Callable[[], object]] = {"EMPTY_LIST": list, "EMPTY_DICT": dict}
_TUPLES: Mapping[str, int] = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_SILENT = frozenset({"PROTO", "FRAME"})
_EXTENSIONS = frozenset({"EXT1", "EXT2", "EXT4"})


class PickleRefused(Exception):
    """The pickle is damaged, or asks for something that reading weights does not need."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a pickle, such as ``torch.FloatStorage``; it is never looked up."""

    text: str


def read_pickle(
    file: mmap.mmap | BytesIO,
    *,
    builders: Mapping[str, Builder],
    words: frozenset[str],
    persistent: Callable[[object], object],
) -> object:
    """Read one pickle from the file's position, and leave the position after its end.

    Args:
        file: in memory, so that a false size in it cannot make us allocate more than it has.
        builders: what may be called, by its full name.
        words: further names that may be arguments; each becomes a `Name`.
        persistent: returns the object for a persistent id.

    Raises:
        PickleRefused: it names anything else, is damaged, or is too large.
    """
    machine = _Machine(builders, words, persistent)
    start = file.tell()
    for opcode, argument, position in _opcodes(file):  # pragma: no branch
        if position - start > LARGEST_PICKLE:
            raise PickleRefused(f"its pickle is larger than {LARGEST_PICKLE} bytes")
        if opcode == "STOP":
            return machine.pop()
        machine.step(opcode, argument)
    raise AssertionError("pickletools ends with STOP or an error")  # pragma: no cover


def _opcodes(file: mmap.mmap | BytesIO) -> Iterator[tuple[str, object, int]]:
    """Decode opcode by opcode; raise `PickleRefused` if one cannot be decoded."""
    try:
        # Any: it needs a file with `read`, `readline` and `tell`, which a map has.
        decoded = pickletools.genops(cast("Any", file))
        for opcode, argument, position in decoded:  # pragma: no branch - STOP is its last
            yield opcode.name, argument, position or 0
    # OverflowError: a size that no machine can address. ValueError: invalid text. An invalid escape
    # is a warning, which some processes turn into an error.
    except (ValueError, OverflowError, MemoryError, Warning) as error:
        raise PickleRefused(f"it cannot be read as a pickle: {error}") from error


def _shown(name: str) -> str:
    """Make a name from a hostile file safe for a line of a log."""
    text = name if name.isprintable() else ascii(name)
    return text if len(text) <= LONGEST_NAME_SHOWN else text[:LONGEST_NAME_SHOWN] + "…"


class _Machine:
    """The stack, the marks and the memo of a pickle being read."""

    def __init__(
        self,
        builders: Mapping[str, Builder],
        words: frozenset[str],
        persistent: Callable[[object], object],
    ) -> None:
        self._builders = builders
        self._words = words
        self._persistent = persistent
        self._stack: list[object] = []
        self._below: list[list[object]] = []
        self._memo: dict[int, object] = {}
        self._handlers: dict[str, Callable[[object], None]] = {
            "MARK": self._mark,
            "POP": lambda _: self._drop(),
            "POP_MARK": lambda _: self._drop_mark(),
            "DUP": lambda _: self._push(self._top()),
            "TUPLE": lambda _: self._push_over_mark(tuple),
            "LIST": lambda _: self._push_over_mark(list),
            "DICT": self._dict,
            "APPEND": lambda _: self._append([self.pop()]),
            "APPENDS": lambda _: self._append(self._since_mark()),
            "SETITEM": lambda _: self._set_items(self._take(2)),
            "SETITEMS": lambda _: self._set_items(self._since_mark()),
            "GLOBAL": lambda argument: self._push(self._named(str(argument).replace(" ", ".", 1))),
            "INST": self._inst,
            "STACK_GLOBAL": self._stack_global,
            "REDUCE": self._reduce,
            "NEWOBJ": self._reduce,
            "BUILD": self._build,
            "PERSID": self._persistent_id,
            "BINPERSID": lambda _: self._persistent_id(self.pop()),
        }
        for kind in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self._handlers[kind] = self._put
        for kind in ("GET", "BINGET", "LONG_BINGET"):
            self._handlers[kind] = self._get

    def step(self, opcode: str, argument: object) -> None:
        if opcode in _LITERALS:
            self._push(argument)
        elif opcode in _SINGLES:
            self._push(_SINGLES[opcode])
        elif opcode in _MAKERS:
            self._push(_MAKERS[opcode]())
        elif opcode in _TUPLES:
            self._push(tuple(self._take(_TUPLES[opcode])))
        elif opcode in self._handlers:
            self._handlers[opcode](argument)
        elif opcode in _EXTENSIONS:
            raise PickleRefused(f"its pickle asks for the registered extension {argument}")
        elif opcode not in _SILENT:
            raise PickleRefused(f"its pickle uses the opcode {opcode}, which no weights need")

    def _push(self, value: object) -> None:
        self._stack.append(value)

    def pop(self) -> object:
        return self._take(1)[0]

    def _top(self) -> object:
        if not self._stack:
            raise PickleRefused("its pickle takes more than it has put down")
        return self._stack[-1]

    def _take(self, count: int) -> list[object]:
        if len(self._stack) < count:
            raise PickleRefused("its pickle takes more than it has put down")
        values = self._stack[-count:]
        del self._stack[-count:]
        return values

    def _drop(self) -> None:
        self.pop()

    def _mark(self, _: object) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list[object]:
        if not self._below:
            raise PickleRefused("its pickle looks for a mark that it has not set")
        values, self._stack = self._stack, self._below.pop()
        return values

    def _drop_mark(self) -> None:
        self._since_mark()

    def _push_over_mark(self, make: Callable[[list[object]], object]) -> None:
        # In two steps: taking the mark's values restores the stack below it.
        values = self._since_mark()
        self._push(make(values))

    def _dict(self, _: object) -> None:
        values = self._since_mark()
        self._push({})
        self._set_items(values)

    def _append(self, values: list[object]) -> None:
        target = self._top()
        if not isinstance(target, list):
            raise PickleRefused(f"its pickle appends to a {type(target).__name__}")
        target.extend(values)

    def _set_items(self, values: list[object]) -> None:
        target = self._top()
        if not isinstance(target, dict) or len(values) % 2:
            raise PickleRefused(f"its pickle sets items of a {type(target).__name__}")
        for key, value in zip(values[::2], values[1::2], strict=True):
            # A deeply shared tuple of tuples would take exponential time to hash.
            if not isinstance(key, str | int):
                raise PickleRefused(f"its pickle has a {type(key).__name__} for a key")
            target[key] = value

    def _named(self, text: str) -> Name:
        if text not in self._builders and text not in self._words:
            raise PickleRefused(
                f"its pickle asks for {_shown(text)}, which is no part of reading weights; "
                "it was refused, and nothing of the file was run"
            )
        return Name(text)

    def _inst(self, argument: object) -> None:
        values = self._since_mark()
        self._call(self._named(str(argument).replace(" ", ".", 1)), tuple(values))

    def _stack_global(self, _: object) -> None:
        module, name = self._take(2)
        if not isinstance(module, str) or not isinstance(name, str):
            raise PickleRefused("its pickle names something by what is no text")
        self._push(self._named(f"{module}.{name}"))

    def _reduce(self, _: object) -> None:
        function, arguments = self._take(2)
        self._call(function, arguments)

    def _call(self, function: object, arguments: object) -> None:
        if not isinstance(function, Name) or function.text not in self._builders:
            what = function.text if isinstance(function, Name) else f"a {type(function).__name__}"
            raise PickleRefused(f"its pickle calls {what}")
        if not isinstance(arguments, tuple):
            raise PickleRefused(f"its pickle calls {function.text} without a tuple of arguments")
        self._push(self._builders[function.text](arguments))

    def _build(self, _: object) -> None:
        """Drop the attributes of a dictionary: torch puts module versions on the outermost one."""
        self.pop()
        target = self._top()
        if not isinstance(target, dict):
            raise PickleRefused(f"its pickle sets the state of a {type(target).__name__}")

    def _persistent_id(self, what: object) -> None:
        self._push(self._persistent(what))

    def _put(self, index: object) -> None:
        place = index if isinstance(index, int) else len(self._memo)
        self._memo[place] = self._top()

    def _get(self, index: object) -> None:
        if not isinstance(index, int) or index not in self._memo:
            raise PickleRefused(f"its pickle recalls {index}, which it has not stored")
        self._push(self._memo[index])
