"""Loads fake engines, as fast as a test lets it, or fails to."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from support.fake_engine import FakeEngine

from earmark.domain.labels import LabelSet
from earmark.engine.facts import ModelFacts
from earmark.errors import CheckpointError
from earmark.serving.catalogue import KnownModel

__all__ = ["FAKE_WEIGHTS_BYTES", "FakeLoader"]

FAKE_WEIGHTS_BYTES = 400_000_000
"""What every fake model's weights are said to weigh."""


@dataclass(slots=True)
class FakeLoader:
    """Loads without a model.

    Attributes:
        gate: a load waits until it is set; `open` makes one whose loads do not wait.
        failures: raised by the loads of the models named here.
        unreadable: models whose facts cannot be read.
        engines: what was loaded, in order.
        begun: models whose load began, in order.
        entered: set when a load has begun.
    """

    gate: threading.Event = field(default_factory=threading.Event)
    failures: Mapping[str, Exception] = field(default_factory=dict)
    unreadable: Mapping[str, CheckpointError] = field(default_factory=dict)
    engines: list[FakeEngine] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    entered: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def open(cls, *, failures: Mapping[str, Exception] | None = None) -> "FakeLoader":
        """Make one whose loads do not wait."""
        loader = cls(failures=failures or {})
        loader.gate.set()
        return loader

    def facts(self, known: KnownModel) -> ModelFacts:
        """Tell what the engine will say of itself."""
        if known.model_id in self.unreadable:
            raise self.unreadable[known.model_id]
        info = FakeEngine(known.model_id).info
        return ModelFacts(
            model_id=known.model_id,
            tasks=info.tasks,
            architecture=info.architecture,
            labels=LabelSet(info.labels.names, info.labels.problem_type),
            weights_bytes=FAKE_WEIGHTS_BYTES,
        )

    def load(self, known: KnownModel) -> FakeEngine:
        """Wait for the gate, then load or fail."""
        self.begun.append(known.model_id)
        self.entered.set()
        self.gate.wait(10)
        if known.model_id in self.failures:
            raise self.failures[known.model_id]
        engine = FakeEngine(known.model_id)
        self.engines.append(engine)
        return engine
