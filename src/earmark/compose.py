"""The composition root: makes engines, service and app from the settings, and closes them."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import msgspec
from starlette.types import ASGIApp

from earmark.checkpoint.hub.progress import HubProgress
from earmark.checkpoint.ref import HubRef
from earmark.engine.engine import Engine
from earmark.engine.info import EngineInfo, ModelFacts
from earmark.engine.load import EngineOptions, load_engine
from earmark.engine.model import open_repository
from earmark.engine.preview import fetch_previewed_model, preview_model, read_facts
from earmark.engine.process.processes import EngineProcesses
from earmark.engine.process.settings import EngineProcessSettings
from earmark.errors import SettingsError
from earmark.models.aliases import Alias
from earmark.models.catalogue import KnownModel
from earmark.models.certificates import Certificates
from earmark.models.discovery import Discovery, DiscoveryOptions
from earmark.models.estimates import LoadTimes, first_estimate_bytes
from earmark.models.on_demand import OnDemand
from earmark.models.policy import HubPolicy
from earmark.models.registry import Registry
from earmark.models.threads import fetched_while_wanted, load_interruptibly
from earmark.runtime.compiled import CompiledModels
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.store import SqliteKeys
from earmark.serving.jobs.runner import JobRunner
from earmark.serving.jobs.store import SqliteJobs
from earmark.serving.service import Service
from earmark.settings import NamedModel, Settings, runs_in_processes
from earmark.web.app import create_app

_ENGINE_PROGRAM: Final = "from earmark.cli.engine_process import main; main(sys.argv[1:])"
_LATE_S: Final = 1.0
"""A load that takes too long is given up before its process is ended."""


@dataclass(frozen=True, slots=True)
class Composition:
    """The app, and what the server says about its models.

    Attributes:
        app: what a server runs.
        models: loaded ones, in the order of the settings.
        loadable: ids of others that can be loaded on demand.
        hub: which models of the Hub requests may have fetched.
    """

    app: ASGIApp
    models: tuple[EngineInfo, ...]
    hub: HubPolicy
    loadable: tuple[str, ...] = ()


def pinned(model: NamedModel, progress: HubProgress) -> NamedModel:
    """Fetch a model of the Hub into the cache, and return it with its commit as the revision.

    So a model that was named by a branch stays the same while it is served, and loading it again
    does not ask the Hub. Any other model is returned as it is.

    Args:
        model: as the operator named it.
        progress: shows a download.

    Raises:
        CheckpointError: there is no such model, or it cannot be fetched.
    """
    if not isinstance(model.ref, HubRef):
        return model
    commit = open_repository(model.ref, progress).revision
    return replace(model, ref=HubRef(model.ref.repo, commit))


@contextmanager
def opened_gate(settings: Settings) -> Iterator[AccessGate]:
    """Make a gate for the access keys of the settings' database, and close that at the end.

    Raises:
        StateUnavailable: the keys are lost, and the settings do not let everyone in.
    """
    with closing(SqliteKeys(settings.database)) as keys:
        if not settings.allow_anonymous:
            keys.refuse_loss()
        yield AccessGate(keys)


@contextmanager
def composed(
    settings: Settings,
    gate: AccessGate,
    *,
    models: Sequence[NamedModel] | None = None,
    loopback: bool = False,
) -> Iterator[Composition]:
    """Load the named models and make the app; at the end close what is loaded.

    Args:
        settings: of everything.
        models: those named; as the settings have them when None.
        gate: decides who is let in.
        loopback: whether only this machine can reach the server.

    Raises:
        SettingsError: a model is malformed, or two have one id.
        CheckpointError: a model's files, or the way it is to run, cannot be used.
        StateUnavailable: there is a database, but it cannot be used.
    """
    with ExitStack() as stack:
        named = settings.named_models() if models is None else tuple(models)
        web = settings.web_options(loopback=loopback)
        options = settings.on_demand_options()
        policy = HubPolicy(
            settings.hub_rule(), demands_key=lambda: gate.demands_key, loopback=loopback
        )
        discovery = Discovery(_Hub(), policy, DiscoveryOptions(hold_s=options.hold_s))
        catalogue = settings.catalogue(named, discovery)
        processes = stack.enter_context(engine_processes(settings))
        engines = [
            # A signal ends the program also while a model is loaded.
            stack.enter_context(
                closing(load_interruptibly(partial(_load, settings, model, processes)))
            )
            for model in named
            if settings.preload
        ]
        _refuse_too_many(engines, options.memory_bytes)
        on_demand = None
        if catalogue is not None:
            loader = _Loader(_engine_options(settings), processes, options.load_s)
            times = LoadTimes(settings.database)
            on_demand = OnDemand(catalogue, loader, options, times)
        aliases = _aliases(settings.alias_table(), [engine.info for engine in engines])
        served = Registry(
            engines,
            named=[one.model_id for one in named],
            on_demand=on_demand,
            aliases=aliases,
            discovery=discovery,
        )
        # Needed where no server ran: a server's end closes them too.
        stack.callback(served.close)
        served.statuses()  # now, so that what cannot be read is logged before a request
        service = Service(served, settings.service)
        jobs = stack.enter_context(closing(SqliteJobs(settings.database)))
        app = create_app(service, web, gate=gate, jobs=JobRunner(jobs, settings.jobs))
        loaded = tuple(engine.info for engine in engines)
        ready = {one.model_id for one in loaded}
        loadable = tuple(one for one in served.ids if one not in ready)
        yield Composition(app, loaded, policy, loadable)


@contextmanager
def engine_processes(settings: Settings) -> Iterator[EngineProcesses | None]:
    """Make the engine processes of a server, and end them at the end; None where threads do.

    Nothing is started before the first model.

    Raises:
        SettingsError: this system has no such processes, and another setting needs them.
    """
    if not runs_in_processes(settings.engine_place):
        if settings.sandbox:
            raise SettingsError(
                "sandbox is on, and engines run in threads of the server, from which nothing can be"
                " taken away; choose --engine process, or leave sandbox out"
            )
        yield None
        return
    wanted = EngineProcessSettings(
        database=str(settings.database),
        compiled_folder=str(settings.compiled_folder),
        compiled_bytes=settings.compiled_bytes,
        log_format=settings.log_format,
        log_level=settings.log_level,
        sandbox=settings.sandbox,
    )
    written = msgspec.json.encode(wanted).decode()
    # With the import path of this process: `-m` would put the working directory before it.
    program = f"import sys; sys.path[:] = {sys.path!r}; {_ENGINE_PROGRAM}"
    command = (sys.executable, "-P", "-c", program, written)
    with closing(EngineProcesses(command, shared_bytes=settings.shared_engine_bytes)) as processes:
        yield processes


@dataclass(frozen=True, slots=True)
class _Loader:
    """Loads the models of a catalogue, with the same options as at the start."""

    options: EngineOptions
    processes: EngineProcesses | None
    load_s: float

    def facts(self, known: KnownModel) -> ModelFacts:
        return read_facts(known.ref, model_id=known.model_id)

    def fetch(self, known: KnownModel, wanted: Callable[[], bool]) -> None:
        ref = known.ref
        if isinstance(ref, HubRef):
            fetched_while_wanted(lambda watch: fetch_previewed_model(ref, watch), wanted)

    def load(self, known: KnownModel) -> Engine:
        options = self.options
        if known.precision is not None:
            options = replace(options, precision=known.precision)
        model_id = known.model_id
        if self.processes is None:
            return load_engine(known.ref, model_id=model_id, options=options)
        return self.processes.load(
            known.ref,
            model_id=model_id,
            options=options,
            weights_bytes=self.facts(known).weights_bytes,
            stays=False,
            within_s=self.load_s + _LATE_S,
        )


class _Hub:
    """The Hugging Face Hub, or the one that `HF_ENDPOINT` names."""

    def is_id(self, model_id: str) -> bool:
        ref = HubRef.read(model_id)
        return ref is not None and ref.revision is None

    def look_up(self, model_id: str) -> KnownModel:
        found = preview_model(HubRef(model_id))
        return KnownModel(
            model_id, found.ref, facts=found.facts, download_bytes=found.to_come_bytes
        )


def _engine_options(settings: Settings) -> EngineOptions:
    return replace(
        settings.engine,
        certificates=Certificates(settings.database),
        compiled=CompiledModels(settings.compiled_folder, most_bytes=settings.compiled_bytes),
    )


def _aliases(table: Iterable[Alias], loaded: Iterable[EngineInfo]) -> dict[str, str]:
    """Return the id behind each alias: the model's, if it runs so; otherwise the variant's."""
    runs = {(info.model_id, info.precision) for info in loaded}
    return {
        one.name: one.model_id if (one.model_id, one.precision) in runs else one.runs
        for one in table
    }


def _refuse_too_many(engines: Iterable[Engine], memory_bytes: int | None) -> None:
    """Refuse named models that take more memory than all models may, together.

    Raises:
        SettingsError: they do.
    """
    if memory_bytes is None:
        return
    taken = sum(
        one.memory_bytes() or first_estimate_bytes(one.info.weights_bytes) for one in engines
    )
    if taken > memory_bytes:
        raise SettingsError(
            f"memory is {memory_bytes / 1e6:.0f} MB, and the models named at the start take"
            f" {taken / 1e6:.0f} MB; name fewer, leave them to be loaded on demand with"
            " --no-preload, or allow more"
        )


@contextmanager
def loaded_engine(settings: Settings, model: NamedModel) -> Iterator[Engine]:
    """Load one model, and close it at the end.

    Raises:
        CheckpointError: its files, or the way it is to run, cannot be used.
    """
    with closing(_load(settings, model)) as engine:
        yield engine


def _load(
    settings: Settings, model: NamedModel, processes: EngineProcesses | None = None
) -> Engine:
    options = _engine_options(settings)
    if processes is None:
        return load_engine(model.ref, model_id=model.model_id, options=options)
    return processes.load(
        model.ref,
        model_id=model.model_id,
        options=options,
        weights_bytes=read_facts(model.ref, model_id=model.model_id).weights_bytes,
        stays=True,
    )
