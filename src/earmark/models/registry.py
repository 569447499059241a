"""The models served here, named at the start or loaded on demand, found by the id of a request."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from earmark.domain.preferences import NO_PREFERENCES, Preferences
from earmark.engine.info import ModelFacts
from earmark.errors import (
    ModelOutOfReach,
    ModelUnavailable,
    QueueFull,
    UnknownModel,
    UnusableModel,
)
from earmark.models.discovery import Discovery
from earmark.models.engines import ServedEngine
from earmark.models.lifecycle import SHOWN
from earmark.models.names import Names, shown
from earmark.models.on_demand import NOTHING, OnDemand
from earmark.models.pool import EnginePool
from earmark.models.status import KnownFacts, ModelStatus
from earmark.tasks.task import TaskName

NO_ALIASES: Final[Mapping[str, str]] = MappingProxyType({})

_NEAR_PATIENCE_S: Final = 5.0
"""For the Hub's answer about an id that is near a served one: more likely a slip than a model."""


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that a request means.

    Attributes:
        info: what is known of it.
        loaded: whether it was in memory when it was found.
        pinned: its engine where that stays until the end.
    """

    info: ModelFacts
    loaded: bool
    pinned: ServedEngine | None = None


class Registry:
    """All models that are served: pinned ones stay in memory, others come and go on demand."""

    def __init__(
        self,
        pinned: Iterable[ServedEngine],
        *,
        named: Sequence[str] | None = None,
        on_demand: OnDemand | None = None,
        aliases: Mapping[str, str] = NO_ALIASES,
        discovery: Discovery | None = None,
    ) -> None:
        """Take the models.

        Args:
            pinned: engines that stay until the end, in the order in which they are listed.
            named: the models that the operator chose, the only one of which needs no name in a
                request; the pinned ones when None.
            on_demand: the others.
            aliases: ids by other names; a model of the same name comes first, and a name whose
                model is not served means nothing.
            discovery: looks for models of the Hub, which are then loaded on demand.

        Raises:
            ValueError: nothing could be served, or two engines have one id.
        """
        loadable = on_demand or NOTHING
        self._catalogue = loadable.catalogue
        self._facts = KnownFacts(loadable.loader)
        self._pool = EnginePool(pinned, loadable, self._facts)
        self._named = tuple(self._pool.pinned if named is None else named)
        if not self._named:
            raise ValueError("no engine to serve: expected at least one")
        self._names = Names(
            self._named,
            aliases,
            serves=self._serves,
            at_hand=self._serves_without_the_hub,
            others=on_demand is not None,
        )
        self._loads = on_demand is not None
        self._discovery = discovery

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids served here: those named first, then what else can be loaded.

        A model in memory whose files have gone is among them.
        """
        return tuple(dict.fromkeys((*self._named, *self._catalogue.ids(), *self._pool.placed())))

    @property
    def named(self) -> tuple[str, ...]:
        """The ids that the operator named, at least one."""
        return self._named

    @property
    def engines(self) -> tuple[ServedEngine, ...]:
        """The engines in memory."""
        return self._pool.engines()

    def knows(self, model_id: str) -> bool:
        """Return whether a model of this id or alias is served, loaded or not."""
        return self._names.knows(model_id)

    def at_hand(self, model_id: str) -> bool:
        """Return whether a model is served, by this id or alias, without asking the Hub."""
        return self._names.at_hand(model_id)

    def resolve(self, model_id: str | None) -> str:
        """Return the id of a model that is served; arguments and errors as of `Names.resolve`."""
        return self._names.resolve(model_id)

    def split(self, path: str, *, actions: frozenset[str]) -> tuple[str, str]:
        """Split an address into id and action; arguments and errors as of `Names.split`."""
        return self._names.split(path, actions=actions)

    async def find(self, name: str | None, *, here: bool, hold_s: float = 0.0) -> FoundModel:
        """Find the model that a request means; one that is not served is looked up on the Hub.

        Args:
            name: an id or an alias; None for the only model that the operator named.
            here: whether the request is surely of this machine; see `HubPolicy`.
            hold_s: how long a caller is held while the Hub cannot be reached.

        Raises:
            UnknownModel: there is none, or it may not be fetched; or it is near a served one, and
                the Hub does not say that it has it.
            UnusableModel: it cannot run here, or its files do not even say what it is for.
            CapacityError: the Hub cannot be asked for now.
        """
        pinned = self._pool.pinned.get(name or "")
        if pinned is not None:
            return FoundModel(pinned.info, loaded=True, pinned=pinned)
        if self._discovery is not None and name is not None and not self.at_hand(name):
            await self._discover(self._discovery, name, here=here, hold_s=hold_s)
        status = self.status(name)
        pinned = self._pool.pinned.get(status.info.model_id)
        return FoundModel(status.info, status.queue is not None, pinned)

    async def _discover(
        self, discovery: Discovery, model_id: str, *, here: bool, hold_s: float
    ) -> None:
        """Ask the Hub for a model that is not served; if it has one, the model is known afterwards.

        An id that is near a served one is a slip, unless the Hub says at once that it has a model
        of that id which can run here.
        """
        aliased = self._names.aliased(model_id)
        # What runs in a precision of its own is called `id:int8`: the Hub knows the id.
        meant = (aliased or model_id).partition(":")[0]
        near = None
        if not aliased and discovery.find(meant) is None:
            # In a thread: a folder of models is looked through.
            near = await asyncio.to_thread(self._names.near, model_id, self.ids)
        hold_s, patience_s = (hold_s, None) if near is None else (0.0, _NEAR_PATIENCE_S)
        try:
            found = await discovery.discover(meant, here=here, hold_s=hold_s, patience_s=patience_s)
        except (ModelOutOfReach, QueueFull, UnusableModel) as error:
            if near is not None:
                raise self._names.unknown(model_id, near) from error
            if not isinstance(error, ModelOutOfReach):
                raise
            raise ModelOutOfReach(
                f"Model {shown(model_id)} is not served here, and {error}; {self._names.served()}",
                retry_after_s=error.retry_after_s,
            ) from error
        if not found:
            raise self._names.unknown(model_id, near)

    def status(self, model_id: str | None) -> ModelStatus:
        """Return the status of a model without loading it.

        Raises:
            UnknownModel: as of `resolve`.
            UnusableModel: its files do not even say what it is for.
        """
        model_id = self._names.resolve(model_id)
        engine = self._pool.engine(model_id)
        found = self._unloaded(model_id) if engine is None else ModelStatus.of(engine)
        return replace(found, aliases=self._names.aliases_of(model_id))

    def statuses(self) -> tuple[ModelStatus, ...]:
        """Return the status of every model whose files say what it is for."""
        return self._statuses(self.ids)

    def fitting(self, task: TaskName) -> tuple[str, ...]:
        """List the models that fit a task best, among those that the operator named.

        A model with one label scores pairs. It can classify texts too, but is not meant where
        another model chooses between labels.

        Returns:
            Ids: of models made for the task; else of those that can do it; else nothing.
        """
        able = [each.info for each in self._statuses(self._named) if task in each.info.tasks]
        choosing = [each for each in able if len(each.labels) > 1]
        made_for = [each for each in choosing if each.task == task]
        kinds: Sequence[Sequence[ModelFacts]] = (made_for, choosing, able)
        return next((tuple(each.model_id for each in kind) for kind in kinds if kind), ())

    def engine(
        self, model_id: str, preferences: Preferences = NO_PREFERENCES, *, until_s: float
    ) -> AbstractAsyncContextManager[ServedEngine]:
        """Lend an engine: it is not closed while the context lasts.

        Args:
            model_id: from `resolve`.
            preferences: whether to load the model, and to wait for that.
            until_s: moment on the clock after which the caller does not wait.

        Raises:
            UnknownModel: no such model is served.
            CapacityError: the model is not in memory, and the caller does not wait for it.
            ModelUnavailable: its load failed.
            UnusableModel: its files cannot run here.
        """
        if not self._loads and model_id not in self._pool.pinned:
            raise self._names.unknown(model_id)
        return self._pool.lend(model_id, preferences, until_s=until_s)

    def close(self) -> None:
        """Close every engine, also when one fails to close; wait for no load.

        Raises:
            ExceptionGroup: what engines raised while closing.
        """
        if self._discovery is not None:
            self._discovery.close()
        faults = self._pool.close()
        if faults:
            raise ExceptionGroup("engines failed to close", faults)

    def _serves(self, model_id: str) -> bool:
        """Return whether a model of this very id is in memory or can be had."""
        return (
            model_id in self._pool.pinned
            or self._pool.engine(model_id) is not None
            or self._catalogue.find(model_id) is not None
        )

    def _serves_without_the_hub(self, model_id: str) -> bool:
        """Return whether a model of this very id is in memory, or can be had without the Hub."""
        if self._pool.engine(model_id) is not None:
            return True
        known = self._catalogue.find(model_id)
        return known is not None and known.facts is None

    def _unloaded(self, model_id: str) -> ModelStatus:
        known = self._catalogue.find(model_id)
        if known is None:
            raise self._names.unknown(model_id)
        facts = self._facts.of(known)
        state, engine = self._pool.state(known)
        # It may have been loaded since it was looked for.
        return ModelStatus(facts, SHOWN[state, None]) if engine is None else ModelStatus.of(engine)

    def _statuses(self, ids: Iterable[str]) -> tuple[ModelStatus, ...]:
        found: list[ModelStatus] = []
        for model_id in ids:
            # Unknown: gone since they were listed.
            with suppress(ModelUnavailable, UnusableModel, UnknownModel):
                found.append(self.status(model_id))
        return tuple(found)
