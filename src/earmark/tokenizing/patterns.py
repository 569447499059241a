"""Refuses a tokenizer whose own regular expressions take exponential time for some texts.

The `tokenizers` library searches with a backtracking engine (Oniguruma). It ends a match after ten
million steps, a quarter of a second, and panics; but a text of a few thousand characters may have
hundreds of places at which a match takes nearly as long. Nothing can interrupt such a search. So an
expression that may backtrack much is tried on short texts made for that, when the tokenizer is
loaded. The engine's own bound decides, a count of steps: a clock would refuse harmless ones on a
busy machine.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
from tokenizers import Tokenizer
from tokenizers.decoders import Decoder
from tokenizers.normalizers import Normalizer
from tokenizers.pre_tokenizers import PreTokenizer

from earmark.errors import InvalidCheckpoint
from earmark.tokenizing.library import PANIC

RUN: Final = 128
"""How often a probe repeats its character. Ten million steps are exponential time then, or a power
above the third; the square and the cube of it are allowed."""
MOST_LETTERS: Final = 24
"""Characters of an expression that probes are made of."""

_USUAL: Final = "a1 \n!\u00e9\u4e2d"
"""A letter, a digit, spaces, a mark, and letters that are not ASCII."""
_ESCAPED: Final = re.compile(r"\\[pP]\{[^}]*\}|\\.", re.DOTALL)
_CLASS: Final = re.compile(r"\[[^\]]*\]")
_REPEATED_GROUP: Final = re.compile(r"\)[*+?{]")
_UNBOUNDED: Final = re.compile(r"[*+]|\{\d*,\}|\{\d{3,}")


def check_patterns_of(tokenizer: Tokenizer, path: Path) -> None:
    """Try the expressions of a tokenizer that the library has loaded.

    Raises:
        InvalidCheckpoint: one takes too many steps for a short text.
    """

    def encode(probe: str) -> None:
        # As a batch, since only then does the library release the interpreter's lock.
        tokenizer.encode_batch([probe], add_special_tokens=False)

    for pattern in _doubtful(tokenizer.normalizer, tokenizer.pre_tokenizer):
        for probe in _probes(pattern):
            _try(encode, probe, pattern, path)
    decoder = tokenizer.decoder
    for pattern in _doubtful(decoder):
        for probe in _probes(pattern):
            _try(lambda text: decoder.decode([text]), probe, pattern, path)


def _doubtful(*parts: Normalizer | PreTokenizer | Decoder | None) -> tuple[str, ...]:
    """List the expressions in parts of a tokenizer that may take more than linear time."""
    states = (msgspec.json.decode(part.__getstate__()) for part in parts if part is not None)
    return tuple(one for state in states for one in _patterns(state) if not is_plain(one))


def is_plain(pattern: str) -> bool:
    r"""Return whether an expression certainly needs few steps for each place of a text.

    It repeats no group, and each of its alternatives repeats one thing at most, such as `` {2,}``
    or ``\s+$``. Others may be harmless too.
    """
    bare = _CLASS.sub("c", _ESCAPED.sub("e", pattern))
    alternatives = bare.split("|")
    return not _REPEATED_GROUP.search(bare) and all(
        len(_UNBOUNDED.findall(one)) <= 1 for one in alternatives
    )


def _patterns(state: object) -> Iterator[str]:
    """Find the expressions in a part's state, nested ones included."""
    if isinstance(state, dict):
        pattern = state.get("pattern")
        if isinstance(pattern, dict) and isinstance(pattern.get("Regex"), str):
            yield pattern["Regex"]
        for value in state.values():
            yield from _patterns(value)
    elif isinstance(state, list):
        for one in state:
            yield from _patterns(one)


def _probes(pattern: str) -> Iterator[str]:
    """Write texts that make an expression backtrack: one thing many times, then another."""
    letters = [*dict.fromkeys(_USUAL + pattern.replace("\\", ""))][:MOST_LETTERS]
    every = "".join(letters)
    for letter in letters:
        yield from (letter * RUN + other for other in letters if other != letter)
        # The engine looks first whether a character that the expression needs is there at all.
        yield from (every + letter * RUN + other + every for other in ("", "!"))


def _try(run: Callable[[str], object], probe: str, pattern: str, path: Path) -> None:
    try:
        run(probe)
    except Exception:  # noqa: BLE001 - the library raises bare ones; a later text gets the error
        return
    except BaseException as error:
        if type(error).__name__ != PANIC:
            raise
        raise InvalidCheckpoint(
            f"{path}: its regular expression {pattern[:100]!r} takes too long for a text of"
            f" {len(probe)} characters; expected one that does not backtrack, such as one without"
            " repeated groups"
        ) from None
