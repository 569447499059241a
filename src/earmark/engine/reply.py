"""An engine's reply to one request."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from earmark.domain.timings import Timings
from earmark.errors import EarmarkError, InvalidInput

Result = TypeVar("Result", covariant=True)  # noqa: PLC0105 - named after its meaning


@dataclass(frozen=True, slots=True)
class Reply(Generic[Result]):
    """One outcome per input, in the order of the request.

    Attributes:
        outcomes: a result, or the error of that input alone.
        timings: where the time went.
    """

    outcomes: tuple[Result | EarmarkError, ...]
    timings: Timings

    def results(self) -> tuple[Result, ...]:
        """Return all results.

        Raises:
            EarmarkError: the error of the first input that failed; if there are several inputs and
                the client can correct it, the message has the input's number.
        """
        results: list[Result] = []
        for index, outcome in enumerate(self.outcomes):
            if isinstance(outcome, InvalidInput) and len(self.outcomes) > 1:
                raise InvalidInput(f"input {index}: {outcome}") from outcome
            if isinstance(outcome, EarmarkError):
                raise outcome
            results.append(outcome)
        return tuple(results)
