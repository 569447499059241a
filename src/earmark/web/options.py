"""The options of the HTTP edge."""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from earmark.domain.setting import Setting

ZeroShotForm = Literal["labels", "object", "objects", "both"]
"""`labels`: ``[{"label", "score"}, …]``, which the documentation shows. `object`:
``{"sequence", "labels", "scores"}``, as `transformers` answers. `objects`: a list of one such.
`both`: the first, each item carrying the second's fields as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebOptions:
    """How the HTTP edge behaves.

    Attributes:
        max_body_bytes: 2 MiB hold 1,024 texts of 300 words.
        cors_origins: ``*`` stands for every origin.
        zero_shot_form: for other clients; official ones get the form that their version reads.
        accounts: empty for any.
        hosts: names, beside those of loopback, by which requests may call an open server on
            loopback; None allows any.
    """

    max_body_bytes: Annotated[
        int, Meta(ge=1, le=1 << 30), Setting("Longer request bodies are refused.")
    ] = 2 * 1024 * 1024
    cors_origins: Annotated[
        tuple[str, ...],
        Setting(
            "Origin whose pages may ask from a browser, as https://app.example.",
            flag="--cors-origin",
            default="any",
        ),
    ] = ("*",)
    zero_shot_form: Annotated[
        ZeroShotForm, Setting("Form of zero-shot answers for clients that are no official ones.")
    ] = "labels"
    strict: Annotated[
        bool, Setting("Refuse parameters that nothing reads, rather than warn of them.")
    ] = False
    accounts: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Setting("Account that addresses of Workers AI may name.", flag="--account", default="any"),
    ] = ()
    hosts: tuple[str, ...] | None = None
