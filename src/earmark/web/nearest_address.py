"""Finds the addresses that were probably meant by an unknown one.

Pure. An address is nearer the more of its words a request's path has in the same places; a part in
braces may be anything.
"""

import difflib
from collections.abc import Iterable
from typing import Final

_NEAR: Final = 0.7
"""The least nearness: a part of all characters of the words. `/predictions` is near `/predict`, and
`/embed` is not."""

_PREFIXES: Final = 2
"""The most leading segments that are ignored, as in `/api/v1/rerank`."""

_MOST_SHOWN: Final = 3
_LONGEST: Final = 500
"""Characters of a path that are compared; it may hold kilobytes, and no address is that long."""


def nearest_addresses(path: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses that were probably meant, the nearest first.

    Args:
        path: of a request.
        known: addresses, such as ``POST /models/{id}``, whose last part in braces may have several
            segments.
    """
    asked = [segment for segment in path[:_LONGEST].lower().split("/") if segment]
    found = []
    for address in known:
        wanted = [segment for segment in address.partition("/")[2].split("/") if segment]
        near = max(
            (_nearness(asked[left_out:], wanted), -left_out) for left_out in range(_PREFIXES + 1)
        )
        if near[0] >= _NEAR:
            found.append((near, address))
    # Sorted by nearness alone, so that of equally near ones the first known comes first.
    found.sort(key=lambda one: one[0], reverse=True)
    return tuple(address for _, address in found[:_MOST_SHOWN])


def _nearness(asked: list[str], wanted: list[str]) -> float:
    """Return the part of all characters of the words that is in place; 0 where segments lack."""
    takes_rest = bool(wanted) and wanted[-1].startswith("{")
    if len(asked) < len(wanted) or not any(not _is_free(one) for one in wanted):
        return 0.0
    extra = 0 if takes_rest else sum(map(len, asked[len(wanted) :]))
    pairs = [(a, w) for a, w in zip(asked, wanted, strict=False) if not _is_free(w)]
    alike = sum(difflib.SequenceMatcher(None, a, w).ratio() * (len(a) + len(w)) for a, w in pairs)
    return alike / (sum(len(a) + len(w) for a, w in pairs) + extra)


def _is_free(segment: str) -> bool:
    return segment.startswith("{")
