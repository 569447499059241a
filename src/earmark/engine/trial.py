"""Checks that a reused compiled model answers the probes as it did when it was kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from earmark.batching.packer import BatchLimits
from earmark.domain.head import HeadKind
from earmark.domain.labels import LabelSet
from earmark.domain.packing import Float32
from earmark.engine.certificate import compare
from earmark.engine.probes import Probe, run_probes
from earmark.errors import EngineError
from earmark.runtime.session import RuntimeSession

_WORK: Final = 150 * 1024 * 1024 * 1024
"""Tokens of the probes times bytes of the weights: all probes for a model of 300 MiB, and of one of
2 GiB so many that it still starts quickly."""
_WRITTEN: Final = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class Trial:
    """Runs the probes on a session; for a large model only the first of them.

    Attributes:
        probes: returns the probes; called when they are run.
        limits: of batches.
        head: for whole texts or for tokens.
        labels: how logits become probabilities.
        tolerance: greatest difference of a probability.
    """

    probes: Callable[[], Sequence[Probe]]
    limits: BatchLimits
    head: HeadKind
    labels: LabelSet
    tolerance: float

    def answers(self, session: RuntimeSession, weights_bytes: int) -> bytes:
        """Run the probes on a session.

        Args:
            session: runs the model.
            weights_bytes: size of the model's files; the larger, the fewer probes.

        Returns:
            The logits, in a form that can be kept.

        Raises:
            EngineError: the session failed, or an answer is not finite.
        """
        chosen = _within(self.probes(), _WORK // max(weights_bytes, 1))
        logits = np.concatenate(run_probes(session, chosen, self.limits, self.head))
        if not np.isfinite(logits).all():
            raise EngineError("an answer to a probe is not finite")
        return logits.astype(_WRITTEN).tobytes()

    def check(self, session: RuntimeSession, weights_bytes: int, kept: bytes) -> None:
        """Run the probes on a session, and compare the answers with kept ones.

        Args:
            session: of the reused model.
            weights_bytes: as in `answers`.
            kept: what `answers` returned when the model was kept.

        Raises:
            EngineError: the session failed, or its answers differ.
        """
        now = self.answers(session, weights_bytes)
        if len(now) != len(kept):
            raise EngineError("the probes were answered in another number before")
        found = compare(
            [self._read(kept)],
            [self._read(now)],
            labels=self.labels,
            head=self.head,
            tolerance=self.tolerance,
        )
        if not found.within(self.tolerance):
            raise EngineError(
                "it answers the probes otherwise than before it was kept: by"
                f" {found.greatest_difference:.2g} at most, {found.disagreements} of"
                f" {found.answers} labels differ"
            )

    def _read(self, kept: bytes) -> Float32:
        return np.frombuffer(kept, _WRITTEN).reshape(-1, len(self.labels)).astype(np.float32)


def _within(probes: Sequence[Probe], tokens: int) -> Sequence[Probe]:
    """Take probes in order up to so many tokens in all, but at least one."""
    for count, probe in enumerate(probes):
        tokens -= len(probe.encoding)
        if tokens < 0:
            return probes[: max(count, 1)]
    return probes
