"""Other names for models, such as those that Workers AI has for some.

An alias never stands for another model than the one it is said to: every answer names the model
that ran, and where that is not served, neither is its alias.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from earmark.checkpoint.ref import ID_PATTERN
from earmark.errors import SettingsError
from earmark.graph.precision import ComputePrecision

_PRECISIONS: Final[Mapping[str | None, ComputePrecision | None]] = {
    None: None,
    "float32": "float32",
    "bfloat16": "bfloat16",
    "int8": "int8",
}
_WRITTEN: Final = re.compile(
    rf"(?P<name>@?{ID_PATTERN})=(?P<model>{ID_PATTERN})(?::(?P<precision>\w+))?"
)


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name for a model.

    Attributes:
        name: may begin with ``@``.
        model_id: of the model that it stands for.
        precision: in which that is to run; None leaves it as it is served.
    """

    name: str
    model_id: str
    precision: ComputePrecision | None = None

    @classmethod
    def read(cls, written: str) -> "Alias":
        """Read an alias as the operator writes it, ``name=model-id`` or ``name=model-id:int8``.

        Raises:
            SettingsError: it is neither.
        """
        found = _WRITTEN.fullmatch(written)
        if not found or found["precision"] not in _PRECISIONS:
            raise SettingsError(
                f"{written!r} is no alias; expected name=model-id or name=model-id:precision, with"
                f" one of {', '.join(filter(None, _PRECISIONS))}"
            )
        return cls(found["name"], found["model"], _PRECISIONS[found["precision"]])

    @property
    def runs(self) -> str:
        """The id of what runs: a model in a precision of its own has an id of its own."""
        return self.model_id if self.precision is None else f"{self.model_id}:{self.precision}"


DEFAULT_ALIASES: Final = (
    Alias(
        "@cf/huggingface/distilbert-sst-2-int8",
        "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
        "int8",
    ),
    Alias("@cf/baai/bge-reranker-base", "BAAI/bge-reranker-base"),
)
"""Both models of the task "Text Classification" in Cloudflare's catalogue, by whose weights they
are."""
