"""Loads fake engines, as fast as a test lets it, or fails to."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from support.fake_engine import FakeEngine

from earmark.domain.labels import LabelSet
from earmark.engine.info import ModelFacts
from earmark.errors import ShuttingDown
from earmark.models.catalogue import KnownModel

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
        fetched: models whose files were brought here, in order.
        unfetchable: raised where the files of the models named here are to be fetched.
        downloads: a download goes on until it is set, or is not wanted any more.
    """

    gate: threading.Event = field(default_factory=threading.Event)
    failures: Mapping[str, Exception] = field(default_factory=dict)
    unreadable: Mapping[str, Exception] = field(default_factory=dict)
    engines: list[FakeEngine] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    entered: threading.Event = field(default_factory=threading.Event)
    fetched: list[str] = field(default_factory=list)
    unfetchable: Mapping[str, Exception] = field(default_factory=dict)
    downloads: threading.Event | None = None

    @classmethod
    def open(cls, *, failures: Mapping[str, Exception] | None = None) -> "FakeLoader":
        """Make one whose loads do not wait."""
        loader = cls(failures=failures or {})
        loader.gate.set()
        return loader

    def facts(self, known: KnownModel) -> ModelFacts:
        """Return the facts that the engine will have."""
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

    def fetch(self, known: KnownModel, wanted: Callable[[], bool]) -> None:
        """Wait for the downloads, then bring the files here or fail."""
        self.entered.set()
        while self.downloads is not None and not self.downloads.wait(0.01):
            if not wanted():
                raise ShuttingDown("the server is going down")
        if known.model_id in self.unfetchable:
            raise self.unfetchable[known.model_id]
        self.fetched.append(known.model_id)

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
