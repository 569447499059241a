"""The key of a result: a digest of all that the result depends on.

SHA-256: with a weaker hash, a client could choose two texts of one key, so that one caller's text
is answered with another's result. No text is kept, only its digest.
"""

import hashlib

from earmark.engine.info import EngineInfo
from earmark.tasks.task import Part, TaskRequest

_FORM = 2
"""Increased when the form of written results changes."""


def item_keys(info: EngineInfo, request: TaskRequest[object]) -> list[bytes]:
    """Return the key of each input of a request, in order; equal inputs have equal keys.

    Args:
        info: of the model.
        request: to the model.

    Returns:
        32 bytes for each.
    """
    common = (_FORM, info.model_id, info.identity, request.task, request.parameters())
    # A digest, so that the same number of bytes stands before every input.
    prefix = hashlib.sha256(hashlib.sha256(canonical(common)).digest())
    keys = []
    for item in range(request.items):
        digest = prefix.copy()
        digest.update(canonical(request.content(item)))
        keys.append(digest.digest())
    return keys


def canonical(part: Part) -> bytes:
    """Write a value down so that no two different ones look alike.

    Every piece begins with its type and its length. `True` is not `1`, `("ab", "c")` is not
    `("a", "bc")`, and half of a UTF-16 pair, which UTF-8 cannot hold, has bytes of its own.
    """
    if isinstance(part, str):
        written = part.encode("utf-8", "surrogatepass")
        return b"s%d:%b" % (len(written), written)
    if isinstance(part, tuple):
        return b"(%d:%b" % (len(part), b"".join(map(canonical, part)))
    if part is None:
        return b"n"
    if isinstance(part, bool):  # before int: a bool is an int too
        return b"t" if part else b"f"
    return b"i%d;" % part
