"""The models served here, found by the id a request names."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from earmark.domain.near_names import nearest_model
from earmark.domain.preferences import NO_PREFERENCES, Preferences
from earmark.errors import (
    ModelOutOfReach,
    ModelUnavailable,
    QueueFull,
    UnknownModel,
    UnusableModel,
)
from earmark.models.discovery import Discovery
from earmark.models.engines import ServedEngine
from earmark.models.fitting import fitting
from earmark.models.on_demand import OnDemand
from earmark.models.status import ModelStatus
from earmark.tasks.task import TaskName

__all__ = ["ServedModels"]

NO_ALIASES: Final[Mapping[str, str]] = MappingProxyType({})

_MOST_IDS_NAMED = 10
"""An error names no more served ids than this: it is read by people."""

_NEAR_PATIENCE_S = 5.0
"""For the Hub's answer about an id that is near a served one: more likely a slip than a model."""

_LONGEST_ID_SHOWN = 100
"""An error repeats no more of an unknown id than this: an address may hold kilobytes."""


class ServedModels:
    """Engines loaded at the start, and models that are loaded on demand."""

    def __init__(
        self,
        engines: Iterable[ServedEngine],
        *,
        named: Sequence[str] | None = None,
        on_demand: OnDemand | None = None,
        aliases: Mapping[str, str] = NO_ALIASES,
        discovery: Discovery | None = None,
    ) -> None:
        """Take the engines in the order in which they are to be listed.

        Args:
            engines: these stay until the end.
            named: the models that the operator chose, the only one of which needs no name in a
                request; the engines' when None.
            on_demand: loads the others.
            aliases: ids by other names; a model of the same name wins, and a name whose model is
                not served means nothing.
            discovery: looks for models of the Hub, which `on_demand` then loads.

        Raises:
            ValueError: nothing could be served, or two engines have one id.
        """
        self._engines: dict[str, ServedEngine] = {}
        for engine in engines:
            if engine.info.model_id in self._engines:
                raise ValueError(f"two engines have the model id {engine.info.model_id}")
            self._engines[engine.info.model_id] = engine
        self._on_demand = on_demand
        self._aliases = dict(aliases)
        self._discovery = discovery
        self._named = tuple(self._engines if named is None else named)
        if not self._named:
            raise ValueError("no engine to serve: expected at least one")

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids served here: those named first, then what else can be loaded."""
        others = self._on_demand.ids() if self._on_demand else ()
        return tuple(dict.fromkeys((*self._named, *others)))

    @property
    def named(self) -> tuple[str, ...]:
        """The ids that the operator named, at least one."""
        return self._named

    @property
    def engines(self) -> tuple[ServedEngine, ...]:
        """The engines in memory."""
        others = self._on_demand.engines() if self._on_demand else ()
        return (*self._engines.values(), *others)

    def knows(self, model_id: str) -> bool:
        """Say whether a model of this id or alias is served, loaded or not."""
        return self._serves(model_id) or self._serves(self._aliases.get(model_id, ""))

    def at_hand(self, model_id: str) -> bool:
        """Say whether a model is served, by this id or alias, without asking the Hub."""
        return any(
            each in self._engines or (self._on_demand is not None and self._on_demand.at_hand(each))
            for each in (model_id, self._aliases.get(model_id, ""))
        )

    async def discover(self, model_id: str | None, *, here: bool, hold_s: float = 0.0) -> None:
        """Find out whether the Hub has a model that is not served; from then on it is known.

        An id that is near a served one is a slip, unless the Hub says at once that it has a model
        of that id which can run here.

        Args:
            model_id: what a request calls it; None, and what is at hand, asks nobody.
            here: whether the request is surely of this machine; see `HubPolicy`.
            hold_s: how long a caller is held while the Hub cannot be reached.

        Raises:
            UnknownModel: there is none, or it may not be fetched; or it is near a served one, and
                the Hub does not say that it has it.
            UnusableModel: it cannot run here.
            CapacityError: it cannot be told for now.
        """
        if self._discovery is None or model_id is None or self.at_hand(model_id):
            return
        # What runs in a precision of its own is called `id:int8`: the Hub knows the id.
        meant = self._aliases.get(model_id, model_id).partition(":")[0]
        near = None
        if model_id not in self._aliases and self._discovery.find(meant) is None:
            # In a thread: a folder of models is looked through.
            near = await asyncio.to_thread(self._near, model_id, self.ids)
        hold_s, patience_s = (hold_s, None) if near is None else (0.0, _NEAR_PATIENCE_S)
        try:
            found = await self._discovery.discover(
                meant, here=here, hold_s=hold_s, patience_s=patience_s
            )
        except (ModelOutOfReach, QueueFull, UnusableModel) as error:
            if near is not None:
                raise self._unknown(model_id, near) from error
            if not isinstance(error, ModelOutOfReach):
                raise
            raise ModelOutOfReach(
                f"Model {_shown(model_id)} is not served here, and {error}; {self._served()}",
                retry_after_s=error.retry_after_s,
            ) from error
        if not found:
            raise self._unknown(model_id, near)

    def resolve(self, model_id: str | None) -> str:
        """Return the id of a model that is served; None means the only one named.

        Raises:
            UnknownModel: no such id or alias, or None where several models are named.
        """
        if model_id is None:
            return self._only()
        if self._serves(model_id):
            return model_id
        meant = self._aliases.get(model_id)
        if meant is None or not self._serves(meant):
            raise self._unknown(model_id)
        return meant

    def status(self, model_id: str | None) -> ModelStatus:
        """Tell how a model is, without loading it.

        Raises:
            UnknownModel: as `resolve`.
            UnusableModel: its files do not even say what it is for.
        """
        model_id = self.resolve(model_id)
        engine = self._engines.get(model_id)
        found = None
        if engine is not None:
            found = ModelStatus.of(engine)
        elif self._on_demand is not None:
            found = self._on_demand.status(model_id)
        if found is None:
            raise self._unknown(model_id)
        aliases = tuple(name for name, meant in self._aliases.items() if meant == model_id)
        return replace(found, aliases=aliases)

    def statuses(self) -> tuple[ModelStatus, ...]:
        """Tell how every model is, but for those whose files do not say what they are for."""
        return self._statuses(self.ids)

    def fitting(self, task: TaskName) -> tuple[str, ...]:
        """List the models that fit a task best, among those that the operator named."""
        return fitting((each.info for each in self._statuses(self._named)), task)

    def _statuses(self, ids: Iterable[str]) -> tuple[ModelStatus, ...]:
        found: list[ModelStatus] = []
        for model_id in ids:
            # Unknown: gone since they were listed.
            with suppress(ModelUnavailable, UnusableModel, UnknownModel):
                found.append(self.status(model_id))
        return tuple(found)

    @asynccontextmanager
    async def engine(
        self, model_id: str, preferences: Preferences = NO_PREFERENCES, *, until_s: float
    ) -> AsyncIterator[ServedEngine]:
        """Borrow an engine: it is not closed while the context lasts.

        Args:
            model_id: from `resolve`.
            preferences: whether to load the model, and to wait for that.
            until_s: moment on the clock after which nobody waits.

        Raises:
            UnknownModel: no such model is served.
            CapacityError: the model is not in memory, and the caller does not wait for it.
            ModelUnavailable: its load failed.
            UnusableModel: its files cannot run here.
        """
        engine = self._engines.get(model_id)
        if engine is not None:
            yield engine
        elif self._on_demand is None:
            raise self._unknown(model_id)
        else:
            async with self._on_demand.engine(model_id, preferences, until_s=until_s) as engine:
                yield engine

    def split(self, path: str, *, actions: frozenset[str]) -> tuple[str, str]:
        """Tell a model id from what an address wants of the model.

        ``foo/info`` is the model of that name where there is one, and otherwise the model ``foo``
        with the action ``info``: the longest known id wins.

        Args:
            path: what follows ``/models/`` in an address, such as ``org/name/info``.
            actions: last segments that are not part of an id.

        Returns:
            The id and the action, which is empty when the path is an id alone.

        Raises:
            UnknownModel: neither reading gives an id that is served.
        """
        if self.knows(path):
            return self.resolve(path), ""
        head, _, tail = path.rpartition("/")
        if not head or tail not in actions:
            raise self._unknown(path)
        return self.resolve(head), tail

    def close(self) -> None:
        """Close every engine, also when one fails to close; wait for no load.

        Raises:
            ExceptionGroup: what engines raised while closing.
        """
        if self._discovery is not None:
            self._discovery.close()
        faults: list[Exception] = []
        loaded = self._on_demand.close() if self._on_demand else ()
        for engine in (*self._engines.values(), *loaded):
            try:
                engine.close()
            except Exception as fault:  # noqa: BLE001 - raised below, once the others are closed
                faults.append(fault)
        if faults:
            raise ExceptionGroup("engines failed to close", faults)

    def _serves(self, model_id: str) -> bool:
        """Say whether a model of this very id is served."""
        return model_id in self._engines or bool(
            self._on_demand and self._on_demand.knows(model_id)
        )

    def _only(self) -> str:
        if len(self._named) > 1:
            raise UnknownModel(
                f"{len(self._named)} models are served here, so the address has to name one, as"
                f" /models/{{id}}; {self._served()}"
            )
        return self._named[0]

    def _unknown(self, model_id: str, near: str | None = None) -> UnknownModel:
        meant = self._aliases.get(model_id)
        near = near or (None if meant else self._near(model_id, self._named))
        stands = f"it stands for {meant}, which is not served here; " if meant else ""
        slip = f"did you mean {near}? " if near else ""
        # The Hub's own words come first: callers match on them.
        return UnknownModel(
            f"Model {_shown(model_id)} does not exist; {stands}{slip}{self._served()}"
        )

    def _near(self, model_id: str, ids: Sequence[str]) -> str | None:
        """Return the served id or alias that was probably meant."""
        aliases = (name for name in self._aliases if self.at_hand(name))
        return nearest_model(model_id, (*ids, *aliases))

    def _served(self) -> str:
        # Not what a folder holds: whoever guesses ids must not keep us reading it.
        more = len(self._named) - _MOST_IDS_NAMED
        named = ", ".join(self._named[:_MOST_IDS_NAMED])
        others = ", others on demand" if self._on_demand else ""
        return f"served here: {named}{f' and {more} more' if more > 0 else ''}{others}"


def _shown(model_id: str) -> str:
    return model_id[:_LONGEST_ID_SHOWN] + "..." * (len(model_id) > _LONGEST_ID_SHOWN)
