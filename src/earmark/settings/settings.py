"""Every setting, checked, and the options that each package gets from them."""

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta
from platformdirs import user_cache_path, user_state_path

from earmark.checkpoint.bundled import bundled_ids
from earmark.checkpoint.files.models_folder import ModelsFolder
from earmark.checkpoint.ref import BundledRef, ModelRef
from earmark.domain.setting import Setting
from earmark.engine.load import EngineOptions
from earmark.errors import CheckpointNotFound, SettingsError
from earmark.models.aliases import DEFAULT_ALIASES, Alias
from earmark.models.catalogue import Catalogue, Discovered
from earmark.models.on_demand import OnDemandOptions
from earmark.models.policy import DENY, HubRule
from earmark.serving.jobs.runner import JobOptions
from earmark.serving.limits import ServiceOptions
from earmark.settings.known import settings_in, with_chosen
from earmark.settings.named_model import NamedModel
from earmark.settings.quantities import read_bytes, read_seconds
from earmark.web.options import WebOptions
from earmark.web.serve import ServerOptions

EnginePlace = Literal["auto", "process", "thread"]
LogFormat = Literal["console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
_Named: TypeAlias = Annotated[str, Meta(min_length=1)]

_ORIGIN = re.compile(r"\*|null|[A-Za-z][A-Za-z0-9+.-]*://[^/\s]+")
"""An origin as a browser writes it (RFC 6454, section 6.1): scheme, host and port, and no path."""

COMPILED = "compiled"
"""The name of a folder in the cache folder; see `runtime.compiled`."""
DATABASE = "earmark.sqlite"
"""The name of a file in the state folder; see `database`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, checked: those of this class, and those of each package's options.

    Attributes:
        web: less what `web_options` adds.
    """

    models: Annotated[
        tuple[str, ...],
        Meta(min_length=1),
        Setting(
            "A bundled id, a folder, org/name of the Hub, or my-id=one of these.", flag="--model"
        ),
    ] = bundled_ids()
    preload: Annotated[bool, Setting("Load these models before listening, not on demand.")] = True
    load_on_demand: Annotated[bool, Setting("Load other models at hand when asked for.")] = True
    models_folder: Annotated[
        _Named | None,
        Setting(
            "Folders below it, such as org/name, are models to load on demand.", default="none"
        ),
    ] = None
    hub_models: Annotated[
        tuple[str, ...] | None,
        Setting(
            "Models of the Hub that a request may have fetched: deny, any, or a pattern such as"
            " 'dslim/*'.",
            default="any for this machine alone without keys, else deny",
        ),
    ] = None
    aliases: Annotated[
        tuple[str, ...],
        Setting(
            "Another name for a model, as name=model-id or name=model-id:int8.",
            flag="--alias",
            default="names of Workers AI for the models they are",
        ),
    ] = ()
    on_demand: OnDemandOptions = field(default_factory=OnDemandOptions)
    memory: Annotated[
        _Named | None,
        Setting(
            "Memory that the engines of all models may take, such as 8GB; what was used least"
            " recently makes room.",
            default="no bound",
        ),
    ] = None
    idle_unload: Annotated[
        _Named | None,
        Setting(
            "Time without a request after which a model that was loaded on demand leaves memory,"
            " such as 30m.",
            default="never",
        ),
    ] = None
    host: Annotated[_Named, Setting("Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535), Setting("0 takes any free one.")] = 8080
    allow_anonymous: Annotated[
        bool,
        Setting("Listen on an address that others can reach although there is no access key."),
    ] = False
    hosts: Annotated[
        tuple[_Named, ...],
        Setting(
            "Name that a request's Host header may have, beside those of loopback, where the server"
            " listens on loopback without access keys.",
            flag="--allowed-host",
        ),
    ] = ()
    server: ServerOptions = field(default_factory=ServerOptions)
    web: WebOptions = field(default_factory=WebOptions)
    service: ServiceOptions = field(default_factory=ServiceOptions)
    jobs: JobOptions = field(default_factory=JobOptions)
    engine: EngineOptions = field(default_factory=EngineOptions)
    engine_place: Annotated[
        EnginePlace,
        Setting(
            "Whether models run in processes of their own, which may die, or in threads of the"
            " server; auto is process where the system can.",
            name="engine",
        ),
    ] = "auto"
    shared_engine_bytes: Annotated[
        int,
        Meta(ge=0, le=1 << 50),
        Setting(
            "Weights of the models that share one engine process; a larger model, and one of more"
            " than 64 MB that is loaded on demand, has its own."
        ),
    ] = 512_000_000
    sandbox: Annotated[
        bool,
        Setting(
            "Take network, changing of files, starting of programs and privileges away from engine"
            " processes, where Linux can; the log says what it cannot."
        ),
    ] = False
    cache_folder: Annotated[
        _Named | None,
        Setting(
            "Folder of compiled models, with which the next start is quicker.",
            default=str(user_cache_path("earmark", appauthor=False)),
        ),
    ] = None
    compiled_bytes: Annotated[
        int, Meta(ge=0, le=1 << 50), Setting("Disk for compiled models; 0 keeps none.")
    ] = 16_000_000_000
    state_folder: Annotated[
        _Named | None,
        Setting(
            "Folder of what outlives a run, such as access keys.",
            default=str(user_state_path("earmark", appauthor=False)),
        ),
    ] = None
    log_format: Annotated[LogFormat, Setting("How log lines look.")] = "console"
    log_level: Annotated[
        LogLevel,
        Setting("Least grave log lines that are written; each request is one of info."),
    ] = "info"

    @property
    def database(self) -> Path:
        """The database file, which outlives a run; it need not be there."""
        if self.state_folder is not None:
            return Path(self.state_folder).expanduser() / DATABASE
        return user_state_path("earmark", appauthor=False) / DATABASE

    @property
    def compiled_folder(self) -> Path:
        """Where compiled models are kept; it need not be there."""
        if self.cache_folder is not None:
            return Path(self.cache_folder).expanduser() / COMPILED
        return user_cache_path("earmark", appauthor=False) / COMPILED

    def named_models(self) -> tuple[NamedModel, ...]:
        """Read the models that the operator named.

        Raises:
            SettingsError: one is malformed, or two have the same id.
        """
        named = tuple(map(NamedModel.read, self.models))
        seen: dict[str, str] = {}
        for one in named:
            if one.model_id in seen:
                raise SettingsError(
                    f"two models have the id {one.model_id!r}: {seen[one.model_id]} and "
                    f"{one.ref}; name one of them as another-id=folder"
                )
            seen[one.model_id] = str(one.ref)
        return named

    def alias_table(self) -> tuple[Alias, ...]:
        """Read the aliases: the operator's and the built-in ones.

        Raises:
            SettingsError: one is malformed, is given twice, or is a model's own id.
        """
        ids = {one.model_id for one in self.named_models()}
        table: dict[str, Alias] = {}
        for one in map(Alias.read, self.aliases):
            if one.name in ids or one.name in table:
                other = "a model's own id" if one.name in ids else "an alias already"
                raise SettingsError(f"the alias {one.name!r} is {other}; choose another name")
            table[one.name] = one
        for one in DEFAULT_ALIASES:
            table.setdefault(one.name, one)
        return tuple(table.values())

    def hub_rule(self) -> HubRule | None:
        """Read which models of the Hub requests may have fetched; None where that is not set.

        Raises:
            SettingsError: it is malformed; or loading on demand is off, but this needs it.
        """
        rule = None if self.hub_models is None else HubRule.read(self.hub_models)
        if self.load_on_demand:
            return rule
        if rule not in (None, DENY):
            raise SettingsError(
                f"load_on_demand is off, so that hub_models ({rule}) would fetch models that nobody"
                " could ever use; leave either out"
            )
        return DENY

    def catalogue(
        self,
        models: Iterable[NamedModel] | None = None,
        discovered: Discovered | None = None,
    ) -> Catalogue | None:
        """Return the models that can be loaded on demand; None where loading on demand is off.

        Args:
            models: the named ones; as the settings have them when None.
            discovered: finds models of the Hub that requests named.

        Raises:
            SettingsError: loading on demand is off, but something else needs it; or there is no
                such models folder.
        """
        if not self.load_on_demand:
            if self.models_folder is not None or not self.preload:
                raise SettingsError(
                    "load_on_demand is off, so that models_folder and no preload leave models that"
                    " nobody could ever use; leave either out"
                )
            return None
        bundled: dict[str, ModelRef] = {name: BundledRef(name) for name in bundled_ids()}
        named = {one.model_id: one.ref for one in (models or self.named_models())}
        folder = None
        if self.models_folder is not None:
            try:
                folder = ModelsFolder.open(Path(self.models_folder).expanduser())
            except CheckpointNotFound as error:
                raise SettingsError(str(error)) from None
        return Catalogue(
            named | bundled | named, folder, variants=self.alias_table(), discovered=discovered
        )

    def on_demand_options(self) -> OnDemandOptions:
        """Return how models are loaded on demand.

        Raises:
            SettingsError: a size or a time is none; or loading on demand is off, but a model is to
                stay once it is loaded so, or to leave.
        """
        if not self.load_on_demand and (self.on_demand.kept or self.idle_unload):
            raise SettingsError(
                "load_on_demand is off, so that kept and idle_unload mean nothing; leave them out"
            )
        return replace(
            self.on_demand,
            memory_bytes=None if self.memory is None else read_bytes("memory", self.memory),
            idle_s=None
            if self.idle_unload is None
            else read_seconds("idle_unload", self.idle_unload),
        )

    def web_options(self, *, loopback: bool = False) -> WebOptions:
        """Return what the HTTP edge needs.

        Args:
            loopback: only this machine reaches the server.

        Raises:
            SettingsError: an origin is none.
        """
        for origin in self.web.cors_origins:
            if _ORIGIN.fullmatch(origin) is None:
                raise SettingsError(
                    f"{origin!r} is no origin; expected a scheme and a host without a path, such as"
                    " https://app.example or http://localhost:3000, or * for any"
                )
        return replace(self.web, hosts=self.hosts if loopback else None)


def runs_in_processes(place: EnginePlace) -> bool:
    """Return whether models run in processes of their own.

    Raises:
        SettingsError: this system cannot, and the operator asked for it.
    """
    able = sys.platform != "win32"
    if place == "process" and not able:
        raise SettingsError(
            "engine is process, which needs Unix sockets that a child inherits; this system has"
            " none: choose thread, or leave it out"
        )
    return able and place != "thread"


KNOWN = {one.name: one for one in settings_in(Settings())}
"""Every setting by its name."""


def settings_of(chosen: Mapping[str, Any]) -> Settings:
    """Return settings with what was chosen, and the limits that have to follow from it.

    Args:
        chosen: values by the name of the setting, each of its type.
    """
    limits = ServiceOptions()
    # Inputs and labels are bounded together too: this many let every input have at least one label.
    texts = max(
        chosen.get("max_inputs", limits.max_inputs), chosen.get("max_texts", limits.max_texts)
    )
    settings = with_chosen(Settings(), {**chosen, "max_texts": texts})
    # The same for characters: a body within its bound has at most one per byte.
    characters = max(limits.max_characters, settings.web.max_body_bytes)
    return replace(settings, service=replace(settings.service, max_characters=characters))
