"""What a result is remembered by: a digest of all that it depends on.

SHA-256, since a faster hash lets whoever chooses the texts make two of one key, and so one caller's
text answered with another's result. No text is kept, only its digest.
"""

import hashlib

from earmark.engine.info import EngineInfo
from earmark.tasks.task import Part, TaskRequest

__all__ = ["canonical", "item_keys"]

_FORM = 2
"""Raised when results are written down differently."""


def item_keys(info: EngineInfo, request: TaskRequest[object]) -> list[bytes]:
    """Name the result of each input of a request, in order; equal inputs have equal names.

    Args:
        info: of the model that is asked.
        request: what is asked of it.

    Returns:
        32 bytes for each.
    """
    common = (_FORM, info.model_id, info.identity, request.task, request.parameters())
    # A digest, so that every input follows on the same number of bytes.
    prefix = hashlib.sha256(hashlib.sha256(canonical(common)).digest())
    keys = []
    for item in range(request.items):
        digest = prefix.copy()
        digest.update(canonical(request.content(item)))
        keys.append(digest.digest())
    return keys


def canonical(part: Part) -> bytes:
    """Write a value down so that no two different ones look alike.

    Every piece begins with its type and says where it ends. `True` is not `1`, `("ab", "c")` is
    not `("a", "bc")`, and half of a UTF-16 pair, which UTF-8 has no room for, is still itself.
    """
    if isinstance(part, str):
        written = part.encode("utf-8", "surrogatepass")
        return b"s%d:%b" % (len(written), written)
    if isinstance(part, tuple):
        return b"(%d:%b" % (len(part), b"".join(map(canonical, part)))
    if part is None:
        return b"n"
    if isinstance(part, bool):  # before int, of which it is a kind
        return b"t" if part else b"f"
    return b"i%d;" % part
