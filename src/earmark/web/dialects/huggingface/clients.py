"""Which client sent a request, as far as the form of the answer depends on it.

Official clients disagree on the form of a zero-shot answer; the version limits below are from the
source of each release of `huggingface_hub` and `@huggingface/inference`.
"""

import re
from collections.abc import Mapping
from typing import Final

from earmark.web.options import ZeroShotForm

ZERO_SHOT_FORMS: tuple[ZeroShotForm, ...] = ("labels", "object", "objects", "both")

_HUB = re.compile(r"hf_hub/(\d+)\.(\d+)(?:\.(\d+))?")
_JAVASCRIPT = re.compile(r"@huggingface/inference/(\d+)\.(\d+)(?:\.(\d+))?")

_HUB_READS_LABELS: Final = (1, 1, 5)
_JAVASCRIPT_READS_LABELS: Final = (4, 5, 0)
_RUNTIMES: Final = ("node", "undici", "bun/", "deno/", "cloudflare-workers", "mozilla/")
"""JavaScript clients before 3.1.4 send the name of their runtime; browsers may not let scripts
change theirs at all. Such a caller may be of any version, and only `both` is read by every one."""

_WORKERS: Final = "Cloudflare-Workers"
"""The name of a Worker. Its runtime sends no ``User-Agent``, but ``CF-Worker`` when it is deployed,
and from `wrangler dev` in late versions; seen with 4.164."""

_HUB_FAILS_ON_503: Final = (0, 29, 0)
"""From this version on a 503 is an error at once; before it, the client asks again every second."""
_JAVASCRIPT_SPINS_ON_503: Final = (3, 4, 0)
"""From this version on the client repeats after a 503 at once and without end; before it, once, and
asking to wait."""


def name_of_caller(headers: Mapping[str, str]) -> str:
    """Return the name of a caller or of its runtime; an empty string where it sends none.

    Args:
        headers: of the request, by lower-case names.
    """
    return headers.get("user-agent") or (_WORKERS if "cf-worker" in headers else "")


def expects_to_wait(user_agent: str) -> bool:
    """Return whether it is best to hold a client's request while a model loads.

    Args:
        user_agent: from `name_of_caller`.
    """
    hub = _version(_HUB, user_agent)
    if hub is not None:
        return hub >= _HUB_FAILS_ON_503
    javascript = _version(_JAVASCRIPT, user_agent)
    return javascript is not None and javascript >= _JAVASCRIPT_SPINS_ON_503


def reads_first_list(user_agent: str) -> bool:
    """Return whether a client keeps only the first list of a text classification's answer.

    All versions of both official clients do; `transformers` and the Hub answer a list per text.

    Args:
        user_agent: from `name_of_caller`.
    """
    return any(_version(each, user_agent) is not None for each in (_HUB, _JAVASCRIPT))


def zero_shot_form(user_agent: str, *, unknown: ZeroShotForm, listed: bool) -> ZeroShotForm:
    """Choose the form that a client reads.

    Args:
        user_agent: from `name_of_caller`.
        unknown: the form for every other client.
        listed: whether a list of texts was sent. Clients other than the official ones then get an
            object for each text, as `transformers` and the Hub answer.
    """
    hub = _version(_HUB, user_agent)
    if hub is not None:
        return "labels" if hub >= _HUB_READS_LABELS else "object"
    javascript = _version(_JAVASCRIPT, user_agent)
    if javascript is not None:
        return "labels" if javascript >= _JAVASCRIPT_READS_LABELS else "objects"
    if listed:
        return "objects"
    return "both" if user_agent.lower().startswith(_RUNTIMES) else unknown


def _version(pattern: re.Pattern[str], user_agent: str) -> tuple[int, int, int] | None:
    """Read a version by its numbers; a pre-release counts as its release."""
    match = pattern.search(user_agent)
    if match is None:
        return None
    major, minor, patch = match.groups(default="0")
    return int(major), int(minor), int(patch)
