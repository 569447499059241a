"""Hostile values: texts, numbers and trees that a program rarely sends, as JSON could hold them.

A tree is what JSON holds, with two kinds more: `Verbatim`, bytes that stand in place of a value and
need not be JSON, and `Members`, an object whose names may come twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeAlias

from earmark.web.openapi.parts import Json


@dataclass(frozen=True, slots=True)
class Verbatim:
    """What is written in place of a value, as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Members:
    """An object: names and values in their order; a name may come more than once."""

    pairs: tuple[tuple[str, "Tree"], ...]


Tree: TypeAlias = "bool | int | float | str | Verbatim | Members | list[Tree] | None"

MARKER: Final = "qzx-text-of-a-caller-qzx"
"""A text that must never come up in the server's log."""

_SPECIAL_TOKENS: Final = (
    "[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "<s>", "</s>", "<pad>", "<unk>", "<mask>",
    "[CLS] a [SEP] b [SEP]", "</s></s>", "##ing", "##", "\u2581", "\u2581\u2581a", "\u0120a",
    "<|endoftext|>", "<0x00>", "[unused1]", "[SEP]" * 200,
)  # fmt: skip
_PLAIN_ODDITIES: Final = (
    "", " ", "\t\n\r\v\f", "\x00", "a\x00b", "\x1b[31m", "\x7f", "\x80", "\ufeff", "\ufffe",
    "\uffff", "\ufffd", "\u200b", "\u200d", "\u202e\u0645\u0631", "\u2028\u2029", "\u00ad",
    "e\u0301", "a" + "\u0300" * 60, "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0010ffff",
    "\u0130\u0131\u1e9e\ufb01", "\u3300\ufdfa" * 20, "\uac00\u1100\u1161", "\u0e01\u0e33", "\ud800",
    "\udfff\ud800", "x\udc00y", "{}", "{", "{{}}", "{} {}", "{0.__class__}", "{!r}", "{:>99999999}",
    "%s%n%x", "${7*7}", "../../etc/passwd", "' OR 1=1 --", "<script>", "\\", '"',
    "\r\nx-injected: 1", "null", "true", "NaN", "1e999", "-0", "0x10", "LABEL_0", "entailment", ",",
    ",,,", "a,b,,c", "|", "a|b", "\n" * 300, " " * 3000, "a" * 700, "a " * 700, "\u4e2d" * 600,
    "." * 700, "a-" * 400, "9" * 500, "\U0001f600" * 300, "@cf/x/y", MARKER,
)  # fmt: skip
_NUMBERS: Final[tuple[int | float, ...]] = (
    0, 1, -1, 2, 3, 10, 100, 1000, 127, 255, 256, 512, 65_535, 65_536, 2**31 - 1, 2**31, -(2**31),
    2**32, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**30, -(10**60),
    10**400, 0.0, -0.0, 0.5, -0.5, 1.0, 2.0, 1e-9, 1e308, -1e308, 5e-324, 1e22, 3.14159265358979,
    float("nan"), float("inf"), float("-inf"),
)  # fmt: skip
_NOT_JSON: Final = (
    "1e999", "-1e99999999", "1E400", "-0", "01", "+1", ".5", "1.", "0x10", "1_000", "NaN",
    "Infinity", "-Infinity", "nul", "True", "None", "undefined", "'a'", "`a`", '"\\ud800"',
    '"\\udc00\\ud800"', '"\\u00"', '"\\x41"', '"\n"', '"\x00"', '"', "[", "{", "]", "}", "[,]",
    "[1,]", "{,}", '{"a"}', '{"a":}', '{"a":1,}', "{1:2}", "{null:1}", "// x", "/* x */ 1", "",
    "9" * 400, "0." + "0" * 400 + "1", "1" + "0" * 5000, "[" * 500, "[" * 500 + "]" * 500,
    '{"a":' * 300 + "1" + "}" * 300, '"\\u0000"', "\ufeff1", '"\\ud83d\\ude00"', "[[[[[]]]]]",
)  # fmt: skip
_NAMES: Final = (
    "", " ", "inputs", "Inputs", "inputs\x00", "text", "parameters", "options", "__class__",
    "__proto__", "constructor", "$ref", "0", "a.b", "a[0]", "\ud800", "n" * 300, "`", '"', ";",
)  # fmt: skip

_MOST_REPEATED: Final = 40
_LONG: Final = 20_000
"""Characters of a long text: more than any model reads."""


def tree_of(value: Json) -> Tree:
    """Return the tree of a JSON value."""
    if isinstance(value, dict):
        return Members(tuple((name, tree_of(one)) for name, one in value.items()))
    if isinstance(value, list):
        return [tree_of(one) for one in value]
    return value


def any_text(rng: Random) -> str:
    """Draw a text."""
    draw = rng.random()
    if draw < 0.5:
        return rng.choice(_PLAIN_ODDITIES)
    if draw < 0.65:
        return rng.choice(_SPECIAL_TOKENS)
    if draw < 0.75:
        return (
            rng.choice(_SPECIAL_TOKENS) + rng.choice(_PLAIN_ODDITIES) + rng.choice(_PLAIN_ODDITIES)
        )
    if draw < 0.76:
        word = rng.choice(_PLAIN_ODDITIES) or "a"
        return (word * _LONG)[:_LONG]
    if draw < 0.88:
        return " ".join(f"w{rng.randrange(10_000)}" for _ in range(rng.randrange(1, 12)))
    highest = rng.choice((0x7F, 0xFF, 0x7FF, 0xFFFF, 0x10FFFF))
    return "".join(chr(rng.randrange(highest + 1)) for _ in range(rng.randrange(1, 24)))


def any_scalar(rng: Random) -> Tree:
    """Draw a value that holds no other."""
    draw = rng.random()
    if draw < 0.5:
        return any_text(rng)
    if draw < 0.75:
        return rng.choice(_NUMBERS)
    if draw < 0.92:
        return rng.choice((None, True, False))
    return Verbatim(rng.choice(_NOT_JSON))


def any_tree(rng: Random, names: Sequence[str], depth: int = 3) -> Tree:
    """Draw a value of any shape.

    Args:
        rng: where chance comes from.
        names: members that bodies of the address may have.
        depth: of objects and lists in one another.
    """
    draw = rng.random()
    if depth == 0 or draw < 0.55:
        return any_scalar(rng)
    size = rng.randrange(4)
    if draw < 0.7:
        return [any_tree(rng, names, depth - 1) for _ in range(size)]
    if draw < 0.75:
        return [any_tree(rng, names, 0)] * rng.randrange(1, _MOST_REPEATED)
    return Members(
        tuple((any_name(rng, names), any_tree(rng, names, depth - 1)) for _ in range(size))
    )


def any_name(rng: Random, names: Sequence[str]) -> str:
    """Draw the name of a member, most often one that is known."""
    return rng.choice(names) if names and rng.random() < 0.75 else rng.choice(_NAMES)
