"""What an engine answers to one request."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from earmark.domain.timings import Timings
from earmark.errors import EarmarkError, InvalidInput

__all__ = ["Reply"]

Result = TypeVar("Result", covariant=True)  # noqa: PLC0105 - the name of what it stands for


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
            EarmarkError: the first input's error, where one failed; of several inputs, one that
                the client can mend is named by its number.
        """
        results: list[Result] = []
        for index, outcome in enumerate(self.outcomes):
            if isinstance(outcome, InvalidInput) and len(self.outcomes) > 1:
                raise InvalidInput(f"input {index}: {outcome}") from outcome
            if isinstance(outcome, EarmarkError):
                raise outcome
            results.append(outcome)
        return tuple(results)
