"""What can be loaded when a request asks for it, and how."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Final, Never

from msgspec import Meta

from earmark.domain.setting import Setting
from earmark.errors import CheckpointNotFound
from earmark.models.catalogue import Catalogue, KnownModel
from earmark.models.engines import ModelLoader
from earmark.models.estimates import LoadTimes
from earmark.models.threads import start_load


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDemandOptions:
    """How models are loaded on demand.

    Attributes:
        max_loaded: those loaded at the start do not count.
        hold_s: below the 300 s after which Node's fetch gives up on its own.
        retry_after_s: a load that failed is not tried again for so long, unless files change.
        load_s: a load that has taken longer, downloads not counted, has failed: its place is free
            for another. What it still makes is closed, and as long as it goes on the same files
            are not loaded again.
        memory_bytes: memory that all engines may take; None for any.
        idle_s: a model that nobody has used for so long is put away; None for never.
        kept: ids of models that are not put away.
    """

    max_loaded: Annotated[int, Meta(ge=1, le=1024), Setting("Models loaded on demand at once.")] = 4
    hold_s: Annotated[
        float,
        Meta(ge=0, lt=300),
        Setting("Seconds for which a request waits for its model, if it does."),
    ] = 60.0
    retry_after_s: float = 30.0
    load_s: Annotated[
        float,
        Meta(gt=0),
        Setting(
            "Seconds after which a load on demand has failed, downloads not counted.",
            name="load_timeout_s",
        ),
    ] = 900.0
    memory_bytes: int | None = None
    idle_s: float | None = None
    kept: Annotated[
        tuple[str, ...],
        Setting("A model that stays in memory once it is loaded on demand.", flag="--pin"),
    ] = ()


@dataclass(frozen=True, slots=True)
class OnDemand:
    """Models that can be loaded on demand.

    Attributes:
        catalogue: which models there are.
        loader: loads one.
        options: limits.
        times: what is known of earlier loads.
        clock: seconds.
        start: runs a load in a thread of its own.
    """

    catalogue: Catalogue
    loader: ModelLoader
    options: OnDemandOptions = field(default_factory=OnDemandOptions)
    times: LoadTimes = field(default_factory=LoadTimes)
    clock: Callable[[], float] = time.monotonic
    start: Callable[[Callable[[], None]], None] = start_load


class _NoLoader:
    """The loader of an empty catalogue, which nothing calls."""

    def facts(self, known: KnownModel) -> Never:
        raise CheckpointNotFound(f"{known.model_id} is not loaded on demand")

    def fetch(self, known: KnownModel, wanted: Callable[[], bool]) -> Never:  # noqa: ARG002 - the protocol's
        raise CheckpointNotFound(f"{known.model_id} is not loaded on demand")

    def load(self, known: KnownModel) -> Never:
        raise CheckpointNotFound(f"{known.model_id} is not loaded on demand")


NOTHING: Final = OnDemand(Catalogue({}), _NoLoader())
"""For a server that loads no model on demand."""
