"""How long a run may take before it counts as stalled, and before it is ended as a hang."""

from dataclasses import dataclass
from typing import Final

_LEAST_STALLED_S: Final = 1.25
"""A run that is only slow, on a busy machine, is no stall. Health has to report one within 2 s."""
_LEAST_HANG_S: Final = 10.0
_STALLED, _HANG = 8, 32
"""Times the expected duration. A batch costs more per token than the warm-up's single text where
texts are long, and shares the processor with other models and with HTTP."""


@dataclass(frozen=True, slots=True)
class RunBound:
    """The bounds of a model's runs.

    Attributes:
        stalled_s: a run that takes longer makes the model count as stalled.
        hang_s: a run that takes longer is ended.
    """

    stalled_s: float
    hang_s: float

    @classmethod
    def of(
        cls, token_s: float, max_batch_tokens: int, *, run_timeout_s: float | None
    ) -> "RunBound":
        """Return the bounds of a model.

        Args:
            token_s: seconds per token of the warm-up.
            max_batch_tokens: of the largest batch.
            run_timeout_s: after which the operator wants a run to be ended; None for a bound that
                follows from the warm-up.
        """
        expected_s = token_s * max_batch_tokens
        stalled_s = max(_LEAST_STALLED_S, _STALLED * expected_s)
        hang_s = max(_LEAST_HANG_S, _HANG * expected_s)
        if run_timeout_s is not None:
            return cls(min(stalled_s, run_timeout_s), run_timeout_s)
        return cls(stalled_s, hang_s)
