"""A Hub in memory: knows models, or fails, as fast as a test lets it."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from support.fake_loader import FAKE_WEIGHTS_BYTES, FakeLoader

from earmark.checkpoint.ref import BundledRef, HubRef
from earmark.errors import CheckpointNotFound, HubUnavailable
from earmark.models.catalogue import Catalogue, KnownModel
from earmark.models.discovery import Discovery, DiscoveryOptions
from earmark.models.on_demand import OnDemand, OnDemandOptions
from earmark.models.policy import HubPolicy, HubRule
from earmark.models.registry import Registry
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.store import KeysInMemory, KeyStore

_ID = re.compile(r"[\w.-]+/[\w.-]+|[\w.]+-[\w.-]+")


def found(model_id: str, *, commit: str = "1" * 40) -> KnownModel:
    """Return what the Hub would say of a model."""
    return KnownModel(
        model_id,
        HubRef(model_id, commit),
        facts=FakeLoader().facts(KnownModel(model_id, HubRef(model_id))),
        download_bytes=FAKE_WEIGHTS_BYTES,
    )


@dataclass(slots=True)
class FakeHub:
    """Answers from what it was given.

    Attributes:
        models: ids that it has.
        failures: raised for the ids named here.
        reachable: whether it answers.
        gate: an answer waits until it is set.
        entered: set when a question has arrived.
        asked: ids that were asked for, in order.
    """

    models: frozenset[str] = frozenset()
    failures: Mapping[str, Exception] = field(default_factory=dict)
    reachable: bool = True
    gate: threading.Event | None = None
    entered: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def is_id(self, model_id: str) -> bool:
        """Take a name with an owner, or with a hyphen."""
        return _ID.fullmatch(model_id) is not None

    def look_up(self, model_id: str) -> KnownModel:
        """Wait for the gate, then answer or fail."""
        self.asked.append(model_id)
        self.entered.set()
        if self.gate is not None:
            self.gate.wait(10)
        if not self.reachable:
            raise HubUnavailable("hub.test cannot be reached: no route")
        if model_id in self.failures:
            raise self.failures[model_id]
        if model_id not in self.models:
            raise CheckpointNotFound(f"hub.test has no model {model_id}")
        return found(model_id)


def policy(
    *rule: str, keys: KeyStore | None = None, loopback: bool = True, unset: bool = False
) -> HubPolicy:
    """Make a policy: of a rule, `any` by default, or of none."""
    chosen = None if unset else HubRule.read(rule or ("any",))
    gate = AccessGate(keys or KeysInMemory())
    return HubPolicy(chosen, demands_key=lambda: gate.demands_key, loopback=loopback)


def on_the_hub(
    hub: FakeHub,
    loader: FakeLoader | None = None,
    rule: HubPolicy | None = None,
    *,
    aliases: Mapping[str, str] | None = None,
    hold_s: float = 10.0,
) -> Registry:
    """Serve `at/hand`, which is loaded on demand, and what the Hub has."""
    discovery = Discovery(hub, rule or policy(), DiscoveryOptions(hold_s=hold_s))
    on_demand = OnDemand(
        Catalogue({"at/hand": BundledRef("at/hand")}, discovered=discovery),
        loader or FakeLoader.open(),
        OnDemandOptions(hold_s=hold_s),
    )
    return Registry(
        (), named=("at/hand",), on_demand=on_demand, aliases=aliases or {}, discovery=discovery
    )
