"""Every setting, checked; and what each floor needs of them."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from platformdirs import user_cache_path, user_state_path

from earmark.checkpoint.bundled import bundled_ids
from earmark.checkpoint.files.models_folder import ModelsFolder
from earmark.checkpoint.ref import BundledRef, ModelRef
from earmark.engine.certificate import ReferenceKind
from earmark.engine.load import EngineOptions
from earmark.errors import CheckpointNotFound, SettingsError
from earmark.graph.precision import Precision
from earmark.models.aliases import DEFAULT_ALIASES, Alias
from earmark.models.catalogue import Catalogue, Discovered
from earmark.models.discovery import DiscoveryOptions
from earmark.models.on_demand import OnDemandOptions
from earmark.models.policy import DENY, HubRule
from earmark.runtime.session import RuntimeName
from earmark.serving.jobs.runner import JobOptions
from earmark.serving.service import ServiceOptions
from earmark.settings.named_model import NamedModel
from earmark.web.app import WebOptions
from earmark.web.dialects.huggingface.clients import ZeroShotForm

__all__ = ["LogFormat", "LogLevel", "Settings"]

LogFormat = Literal["console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
_ENGINE = EngineOptions()
_SERVICE = ServiceOptions()
_WEB = WebOptions()
_JOBS = JobOptions()
_ON_DEMAND = OnDemandOptions()

_ORIGIN = re.compile(r"\*|null|[A-Za-z][A-Za-z0-9+.-]*://[^/\s]+")
"""As a browser writes it (RFC 6454, section 6.1): a scheme, a host, a port, and no path."""

COMPILED = "compiled"
"""The folder in the cache folder; see `runtime.compiled`."""
DATABASE = "earmark.sqlite"
"""The file in the state folder; see `database`."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting, checked.

    Attributes:
        models: as written; `named_models` reads them.
        preload: load them before listening; False loads them on demand.
        load_on_demand: load what else is at hand when a request asks for it.
        models_folder: checkpoints below it, as ``org/name``, can be loaded on demand.
        hub_models: which other models of the Hub requests may have fetched, as written; `hub_rule`
            reads them. None follows from who can reach the server.
        aliases: other names for models, as written; `alias_table` reads them.
        max_loaded: models loaded on demand at once.
        hold_s: a request that waits for its model is held so long at most.
        load_timeout_s: a load on demand that takes longer, downloads not counted, has failed.
        host: address to listen on.
        port: 0 lets the system choose a free one.
        hosts: names, beside those of loopback, that requests may call this machine by where it
            listens on loopback and no access key was created.
        precision: what the graphs compute in.
        runtime: what runs them.
        threads: for one batch; None takes all cores this process may use.
        certify: what a model is held against when it is loaded.
        tolerance: greatest difference of a probability that passes; None leaves it to the
            precision.
        max_batch_tokens: cells of the largest batch.
        max_body_bytes: a larger request body is refused.
        max_inputs: texts in one request.
        max_texts: inputs times labels of one zero-shot request.
        zero_shot_form: how zero-shot answers look to whoever is no official client.
        strict: refuse a parameter that nothing reads, rather than warn of it.
        request_timeout_s: a request not answered by then is given up.
        cache_bytes: memory for results that may be given again; 0 keeps none.
        log_format: how log lines look.
        cors_origins: pages of these origins may ask from a browser; ``*`` stands for any.
        log_level: the least grave lines that are written; each request is one of `info`.
        accounts: ids of accounts that an address of Workers AI may name; none stands for any.
        keep_answers_h: hours for which the answer to an asynchronous batch can be had.
        allow_anonymous: listen where other machines reach it though no access key was created.
            Once there is one it is demanded all the same.
        cache_folder: where compiled models are kept; None is the platform's own place.
        compiled_bytes: of disk for them; 0 keeps none.
        state_folder: where what has to outlive a run is kept; None is the platform's own place.
    """

    models: Annotated[tuple[str, ...], Meta(min_length=1)] = bundled_ids()
    preload: bool = True
    load_on_demand: bool = True
    models_folder: Annotated[str, Meta(min_length=1)] | None = None
    hub_models: tuple[str, ...] | None = None
    aliases: tuple[str, ...] = ()
    max_loaded: Annotated[int, Meta(ge=1, le=1024)] = _ON_DEMAND.max_loaded
    hold_s: Annotated[float, Meta(ge=0, lt=300)] = _ON_DEMAND.hold_s
    load_timeout_s: Annotated[float, Meta(gt=0)] = _ON_DEMAND.load_s
    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    hosts: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    precision: Precision = _ENGINE.precision
    runtime: RuntimeName = _ENGINE.runtime
    threads: Annotated[int, Meta(ge=1, le=1024)] | None = _ENGINE.threads
    certify: ReferenceKind = _ENGINE.reference
    tolerance: Annotated[float, Meta(gt=0, le=1)] | None = _ENGINE.tolerance
    max_batch_tokens: Annotated[int, Meta(ge=16, le=1 << 20)] = _ENGINE.max_batch_tokens
    max_body_bytes: Annotated[int, Meta(ge=1, le=1 << 30)] = _WEB.max_body_bytes
    max_inputs: Annotated[int, Meta(ge=1, le=_SERVICE.admission.max_texts)] = _SERVICE.max_inputs
    max_texts: Annotated[int, Meta(ge=1, le=_SERVICE.admission.max_texts)] = _SERVICE.max_texts
    zero_shot_form: ZeroShotForm = _WEB.zero_shot_form
    strict: bool = _WEB.strict
    request_timeout_s: Annotated[float, Meta(gt=0, le=3600)] = _SERVICE.request_timeout_s
    cache_bytes: Annotated[int, Meta(ge=0, le=1 << 40)] = _SERVICE.cache_bytes
    log_format: LogFormat = "console"
    cors_origins: tuple[str, ...] = _WEB.cors_origins
    log_level: LogLevel = "info"
    accounts: tuple[Annotated[str, Meta(min_length=1)], ...] = _WEB.accounts
    keep_answers_h: Annotated[float, Meta(gt=0, le=24 * 365)] = _JOBS.keep_answers_s / 3600
    allow_anonymous: bool = False
    cache_folder: Annotated[str, Meta(min_length=1)] | None = None
    compiled_bytes: Annotated[int, Meta(ge=0, le=1 << 50)] = 16_000_000_000
    state_folder: Annotated[str, Meta(min_length=1)] | None = None

    @property
    def database(self) -> Path:
        """The file that outlives a run; it need not be there."""
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
        """Read the models.

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
        """Read the aliases: the operator's, and those that there are of themselves.

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
        """Find what can be loaded on demand; None where nothing is to be.

        Args:
            models: the named ones; as the settings have them when None.
            discovered: finds what requests asked the Hub for.

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
        """Pick what loading on demand needs."""
        return OnDemandOptions(
            max_loaded=self.max_loaded, hold_s=self.hold_s, load_s=self.load_timeout_s
        )

    def discovery_options(self) -> DiscoveryOptions:
        """Pick what looking for models of the Hub needs."""
        return DiscoveryOptions(hold_s=self.hold_s)

    def engine_options(self) -> EngineOptions:
        """Pick what one engine needs."""
        return EngineOptions(
            precision=self.precision,
            runtime=self.runtime,
            threads=self.threads,
            reference=self.certify,
            tolerance=self.tolerance,
            max_batch_tokens=self.max_batch_tokens,
        )

    def service_options(self) -> ServiceOptions:
        """Pick what the service needs."""
        return ServiceOptions(
            max_inputs=self.max_inputs,
            # Inputs and labels are bounded apart: every input may at least have one label.
            max_texts=max(self.max_texts, self.max_inputs),
            # The same for characters: a body that is not too large is one of them each at most.
            max_characters=max(_SERVICE.max_characters, self.max_body_bytes),
            request_timeout_s=self.request_timeout_s,
            cache_bytes=self.cache_bytes,
        )

    def job_options(self) -> JobOptions:
        """Pick what asynchronous batches need."""
        return JobOptions(keep_answers_s=self.keep_answers_h * 3600)

    def web_options(self, *, loopback: bool = False) -> WebOptions:
        """Pick what the HTTP edge needs.

        Args:
            loopback: only this machine reaches the server.

        Raises:
            SettingsError: an origin is none.
        """
        for origin in self.cors_origins:
            if _ORIGIN.fullmatch(origin) is None:
                raise SettingsError(
                    f"{origin!r} is no origin; expected a scheme and a host without a path, such as"
                    " https://app.example or http://localhost:3000, or * for any"
                )
        return WebOptions(
            hosts=self.hosts if loopback else None,
            max_body_bytes=self.max_body_bytes,
            zero_shot_form=self.zero_shot_form,
            cors_origins=self.cors_origins,
            strict=self.strict,
            accounts=self.accounts,
        )
