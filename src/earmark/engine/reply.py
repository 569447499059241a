"""What an engine answers to one request."""

from dataclasses import dataclass

from earmark.domain.results import Classification
from earmark.domain.timings import Timings
from earmark.errors import EarmarkError

__all__ = ["Reply"]


@dataclass(frozen=True, slots=True)
class Reply:
    """One outcome per text, in the order of the request.

    Attributes:
        outcomes: a result, or the error of that text alone.
        timings: where the time went.
    """

    outcomes: tuple[Classification | EarmarkError, ...]
    timings: Timings

    def results(self) -> tuple[Classification, ...]:
        """Return all results.

        Raises:
            EarmarkError: the first text's error, where one failed.
        """
        for outcome in self.outcomes:
            if isinstance(outcome, EarmarkError):
                raise outcome
        return tuple(one for one in self.outcomes if isinstance(one, Classification))
