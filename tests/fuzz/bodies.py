"""Bodies: a correct example that is changed in its structure, then in its bytes; or no JSON."""

import codecs
import json
from collections.abc import Sequence
from random import Random
from typing import Final

from fuzz.values import MARKER, Members, Tree, Verbatim, any_name, any_scalar, any_text, any_tree

_NO_JSON: Final = (
    b"", b" ", b"\n", b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"a", b"hello world",
    b"inputs=a&x=%00", b"--b\r\ncontent-disposition: form-data; name=inputs\r\n\r\na\r\n--b--\r\n",
    b"<?xml version='1.0'?><a/>", b"\x80\x81\x82", b"\xed\xa0\x80", b"\xc0\xaf",
    b"\xf4\x90\x80\x80", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"\x81\xa6inputs\xa1a",
    b"%PDF-1.7", b"\x00" * 500, b"null", b"true", b"0", b'""', b"[]", b"{}", b"[[]]", b'[""]',
    b"[null]", b"{}{}", b"{}\n{}\n", b'data: {"inputs": "a"}\n\n', b"\x1e{}\n", b"1e999", b"NaN",
    b"-", b'"\\ud800"', b'{"inputs"',
)  # fmt: skip
_DEEP: Final = ("[", '{"inputs":', '{"a":[', "[[", '{"text":', "[{")
_CODECS: Final = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "latin-1", "utf-7")
_BLANKS: Final = (b" ", b"\n", b"\t\r\n ", b"\xef\xbb\xbf", b"\xc2\xa0", b"\x00", b"/**/")

_CHANGES: Final = (0, 0, 1, 1, 1, 1, 1, 2, 2, 3, 4)
_HUGE: Final = 2_200_000
"""Bytes: more than a body may have, unless the operator allows more."""
_MOST_TEXTS: Final = 1_100
"""More than one request may have."""


def any_body(rng: Random, examples: Sequence[Tree], names: Sequence[str]) -> bytes:
    """Draw a body.

    Args:
        rng: where chance comes from.
        examples: correct bodies; may be empty.
        names: members that bodies of the address may have.
    """
    draw = rng.random()
    if draw < 0.04:
        return rng.choice(_NO_JSON)
    if draw < 0.06:
        return rng.randbytes(rng.randrange(1, 200))
    if draw < 0.07:
        return rng.choice(_DEEP).encode() * rng.choice((50, 900, 1100, 5_000, 60_000))
    if draw < 0.0705:
        return _huge(rng)
    if draw < 0.15 or not examples:
        tree = any_tree(rng, names)
    else:
        tree = rng.choice(examples)
        for _ in range(rng.choice(_CHANGES)):
            tree = changed(rng, tree, names)
    body = written(tree, as_ascii=rng.random() < 0.5)
    return damaged(rng, body) if rng.random() < 0.08 else body


def written(tree: Tree, *, as_ascii: bool = True) -> bytes:
    """Write a tree as JSON, as far as it is."""
    return _written(tree, as_ascii=as_ascii).encode("utf-8", "surrogatepass")


def _written(tree: Tree, *, as_ascii: bool) -> str:
    if isinstance(tree, Verbatim):
        return tree.text
    if isinstance(tree, Members):
        pairs = (
            f"{json.dumps(name, ensure_ascii=as_ascii)}: {_written(one, as_ascii=as_ascii)}"
            for name, one in tree.pairs
        )
        return f"{{{', '.join(pairs)}}}"
    if isinstance(tree, list):
        return f"[{', '.join(_written(one, as_ascii=as_ascii) for one in tree)}]"
    return json.dumps(tree, ensure_ascii=as_ascii)


def changed(rng: Random, tree: Tree, names: Sequence[str]) -> Tree:
    """Change one place of a tree: somewhere below, or here."""
    if rng.random() < 0.75:
        if isinstance(tree, Members) and tree.pairs:
            place = rng.randrange(len(tree.pairs))
            name, inner = tree.pairs[place]
            pair = (name, changed(rng, inner, names))
            return Members((*tree.pairs[:place], pair, *tree.pairs[place + 1 :]))
        if isinstance(tree, list) and tree:
            place = rng.randrange(len(tree))
            return [*tree[:place], changed(rng, tree[place], names), *tree[place + 1 :]]
    if isinstance(tree, Members):
        return _changed_members(rng, tree, names)
    if isinstance(tree, list):
        return _changed_list(rng, tree, names)
    return _changed_scalar(rng, tree, names)


def _changed_members(rng: Random, tree: Members, names: Sequence[str]) -> Tree:
    pairs = list(tree.pairs)
    place = rng.randrange(len(pairs)) if pairs else 0
    match rng.randrange(7):
        case 0 if pairs:  # left out
            del pairs[place]
        case 1 if pairs:  # twice
            pairs.append(pairs[place])
        case 2 if pairs:  # twice, with two values
            pairs.append((pairs[place][0], any_tree(rng, names, 1)))
        case 3 if pairs:  # by another name
            pairs[place] = (any_name(rng, names), pairs[place][1])
        case 4:
            rng.shuffle(pairs)
        case 5:  # another kind altogether
            return rng.choice((list[Tree]([tree]), any_tree(rng, names, 2)))
        case _:
            pairs.insert(place, (any_name(rng, names), any_tree(rng, names, 2)))
    return Members(tuple(pairs))


def _changed_list(rng: Random, tree: list[Tree], names: Sequence[str]) -> Tree:
    match rng.randrange(7):
        case 0:
            return []
        case 1 if tree:
            return tree[0]
        case 2:
            return tree * rng.randrange(2, 12)
        case 3 if rng.random() < 0.02:
            return (tree or [""]) * _MOST_TEXTS
        case 4:
            return [tree]
        case 5:
            return any_tree(rng, names, 2)
        case _:
            return [*tree, any_tree(rng, names, 1)]


def _changed_scalar(rng: Random, tree: Tree, names: Sequence[str]) -> Tree:
    match rng.randrange(6):
        case 0 if isinstance(tree, str):
            return tree + any_text(rng)
        case 1 if isinstance(tree, str):
            return f"{MARKER} {tree}"
        case 2 if isinstance(tree, str):
            return any_text(rng)
        case 3:
            return [tree] * rng.randrange(1, 4)
        case 4:
            return any_tree(rng, names, 2)
        case _:
            return any_scalar(rng)


def damaged(rng: Random, body: bytes) -> bytes:
    """Change the bytes of a body."""
    place = rng.randrange(len(body) + 1)
    end = min(len(body), place + rng.randrange(1, 9))
    match rng.randrange(8):
        case 0:  # cut off
            return body[:place]
        case 1:  # a hole
            return body[:place] + body[end:]
        case 2:  # other bytes
            return body[:place] + rng.randbytes(end - place) + body[end:]
        case 3:  # more bytes
            return body[:place] + rng.randbytes(3) + body[place:]
        case 4:
            return rng.choice(_BLANKS) * rng.randrange(1, 4) + body
        case 5:
            return body + rng.choice((*_BLANKS, b",", b"}", b"]", b"a", body))
        case 6 if body:  # one bit
            place = min(place, len(body) - 1)
            return body[:place] + bytes([body[place] ^ 1 << rng.randrange(8)]) + body[place + 1 :]
        case _:
            return _encoded(body, rng.choice(_CODECS))


def _encoded(body: bytes, coding: str) -> bytes:
    text = body.decode("utf-8", "replace")
    return codecs.encode(text, coding, "replace")


def _huge(rng: Random) -> bytes:
    match rng.randrange(4):
        case 0:
            return b" " * _HUGE
        case 1:
            return b'{"inputs": "' + b"a" * _HUGE + b'"}'
        case 2:
            return b'{"inputs": [' + b'"a", ' * (_HUGE // 8) + b'"a"]}'
        case _:
            return b"[" * (_HUGE // 4)
