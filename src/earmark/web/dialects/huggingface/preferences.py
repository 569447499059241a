"""A caller's preferences, from headers and from the body's ``options``.

The headers ``x-use-cache``, ``x-wait-for-model`` and ``x-load-model`` come as ``true``, ``false``,
``1`` or ``0`` from clients of different ages; ``options.use_cache`` and ``options.wait_for_model``
say the same in the body. Where both are given the header wins.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from earmark.domain.preferences import Preferences
from earmark.errors import InvalidInput
from earmark.web.body import EmptyArray, ParsedBody, decoder, members
from earmark.web.dialects.huggingface.clients import expects_to_wait, name_of_caller
from earmark.web.unread import Reading

_WORDS: Final = {"true": True, "1": True, "false": False, "0": False}


class _Options(msgspec.Struct, frozen=True):
    use_cache: bool | None = None
    wait_for_model: bool | None = None


class _Body(msgspec.Struct, frozen=True):
    options: _Options | EmptyArray | None = None


OF_OPTIONS: Final = Reading(
    of="`options`",
    read=_Options.__struct_fields__,
    # Members that the Hub's own servers accepted, and that JavaScript clients spread into it.
    harmless=frozenset({"use_gpu", "dont_load_model", "retry_on_error", "includeCredentials"}),
)

_decoder = decoder(_Body)
_NO_OPTIONS = _Options()


def read_preferences(headers: Mapping[str, str], body: ParsedBody | None = None) -> Preferences:
    """Read a caller's preferences.

    A client that repeats after a 503 at once and without end, or takes a 503 for a failure, counts
    as one that asked to wait, unless it says otherwise.

    Args:
        headers: names in lower case.
        body: None while it is not read, or where it has no ``options``.

    Raises:
        InvalidInput: a header holds no truth value, or the body's ``options`` are malformed.
    """
    options = _NO_OPTIONS if body is None else members(body.decode(_decoder).options, _NO_OPTIONS)
    use_cache = _flag(headers, "x-use-cache", options.use_cache)
    wait = _flag(headers, "x-wait-for-model", options.wait_for_model)
    load = _flag(headers, "x-load-model", None)
    return Preferences(
        use_cache=use_cache is not False,
        wait=expects_to_wait(name_of_caller(headers)) if wait is None else wait,
        load=load is not False,
    )


def _flag(headers: Mapping[str, str], name: str, option: bool | None) -> bool | None:  # noqa: FBT001 - three-valued
    """Read a header; where there is none, the option of the body counts."""
    written = headers.get(name, "").strip().lower()
    if not written:
        return option
    if written not in _WORDS:
        raise InvalidInput(f"the header {name} is {written[:40]!r}; expected {', '.join(_WORDS)}")
    return _WORDS[written]
