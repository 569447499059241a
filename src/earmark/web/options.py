"""The options of the HTTP edge."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["WebOptions", "ZeroShotForm"]

ZeroShotForm = Literal["labels", "object", "objects", "both"]
"""`labels`: ``[{"label", "score"}, …]``, which the documentation shows. `object`:
``{"sequence", "labels", "scores"}``, as `transformers` answers. `objects`: a list of one such.
`both`: the first, each item carrying the second's fields as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebOptions:
    """The HTTP edge.

    Attributes:
        max_body_bytes: longer bodies are refused. 2 MiB hold 1,024 texts of 300 words.
        cors_origins: pages of these origins may ask; ``*`` lets every page.
        zero_shot_form: how zero-shot answers look to a caller that is no official client; those
            get what their version reads.
        strict: refuse a request with a member that nothing reads, rather than answer it with a
            warning.
        accounts: those that an address of Workers AI may name; none stands for any.
        hosts: names beside those of loopback that an open server on loopback is called by; None
            allows any.
    """

    max_body_bytes: int = 2 * 1024 * 1024
    cors_origins: tuple[str, ...] = ("*",)
    zero_shot_form: ZeroShotForm = "labels"
    strict: bool = False
    accounts: tuple[str, ...] = ()
    hosts: tuple[str, ...] | None = None
