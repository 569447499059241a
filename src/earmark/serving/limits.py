"""What one request may ask for, and what may be in flight over all of them."""

from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from msgspec import Meta

from earmark.domain.setting import Setting
from earmark.errors import InvalidInput, RequestTooLarge
from earmark.serving.admission import AdmissionLimits
from earmark.tasks.task import TaskRequest

_UpToAdmitted: TypeAlias = Annotated[int, Meta(ge=1, le=AdmissionLimits().max_texts)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """What a caller may ask for.

    Attributes:
        max_characters: Unicode code points of one request's texts. A body of the default size
            holds at most half as many, so that only inputs beside labels reach it. Encoding so many
            takes some 4 seconds and 300 MB.
        request_timeout_s: below the 300 s after which Node's fetch gives up on its own.
        cache_bytes: of all models; with 0, texts in flight are not joined either. 64 MiB hold some
            200,000 results of two labels.
        admission: what may be in flight over all callers.
    """

    max_inputs: Annotated[_UpToAdmitted, Setting("Texts in one request.")] = 1024
    max_texts: Annotated[
        _UpToAdmitted,
        Setting("Texts that the model reads for one request: of zero-shot, inputs times labels."),
    ] = 4096
    max_characters: int = 4 * 1024 * 1024
    request_timeout_s: Annotated[
        float, Meta(gt=0, le=3600), Setting("Seconds until an unanswered request is given up.")
    ] = 60.0
    cache_bytes: Annotated[
        int,
        Meta(ge=0, le=1 << 40),
        Setting("Memory for results that may be given again; 0 keeps none."),
    ] = 64 * 1024 * 1024
    admission: AdmissionLimits = field(default_factory=AdmissionLimits)

    def __post_init__(self) -> None:
        """Refuse a combination under which a legal request could never be admitted."""
        if not 1 <= self.max_inputs <= self.max_texts <= self.admission.max_texts:
            raise ValueError(
                f"max_inputs is {self.max_inputs} and max_texts {self.max_texts}: expected 1 or"
                f" more, not falling, and at most {self.admission.max_texts}, the texts that may"
                " be in flight"
            )

    def check(self, request: TaskRequest[object]) -> None:
        """Refuse a request that asks for too much.

        Raises:
            RequestTooLarge: more texts than one request may bring.
            InvalidInput: its texts and labels, or its characters, are too many together.
        """
        if request.items > self.max_inputs:
            raise RequestTooLarge(
                f"the request brings {request.items:,} texts, at most"
                f" {self.max_inputs:,} are accepted; send them in several requests"
            )
        if request.texts > self.max_texts:
            raise InvalidInput(
                f"{request.items:,} texts and {request.texts // request.items:,} labels make"
                f" {request.texts:,} pairs, at most {self.max_texts:,} are accepted;"
                " send fewer at once"
            )
        if request.characters > self.max_characters:
            raise InvalidInput(
                f"the request's {request.texts:,} texts have {request.characters:,} characters,"
                f" every text beside every label; at most {self.max_characters:,} are"
                " accepted; send fewer at once"
            )
