"""The composition root: from settings to engines, the service and the app, and back down again."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp

from earmark.engine.engine import Engine
from earmark.engine.info import EngineInfo
from earmark.engine.load import load_engine
from earmark.serving.access.gate import AccessGate
from earmark.serving.access.store import SqliteKeys
from earmark.serving.models import ServedModels
from earmark.serving.service import Service
from earmark.settings import ModelSource, Settings
from earmark.web.app import create_app

__all__ = ["Composition", "composed", "loaded_engine", "opened_gate"]


@dataclass(frozen=True, slots=True)
class Composition:
    """Everything that serves, put together.

    Attributes:
        app: what a server runs.
        models: what the app serves, in the order of the settings.
    """

    app: ASGIApp
    models: tuple[EngineInfo, ...]


@contextmanager
def opened_gate(settings: Settings) -> Iterator[AccessGate]:
    """Open the gate before the access keys of the settings' database, and close that at the end."""
    with closing(SqliteKeys(settings.database)) as keys:
        yield AccessGate(keys)


@contextmanager
def composed(settings: Settings, gate: AccessGate) -> Iterator[Composition]:
    """Load every model of the settings and put the app on top; at the end close the last first.

    Args:
        settings: of everything.
        gate: decides who is let in.

    Raises:
        SettingsError: a model is malformed, or two have one id.
        CheckpointError: a model's files, or the way it is to run, do not do.
    """
    with ExitStack() as stack:
        engines = [
            stack.enter_context(loaded_engine(settings, model)) for model in settings.sources()
        ]
        service = Service(ServedModels(engines), settings.service_options())
        app = create_app(service, settings.web_options(), gate=gate)
        yield Composition(app, tuple(engine.info for engine in engines))


@contextmanager
def loaded_engine(settings: Settings, model: ModelSource) -> Iterator[Engine]:
    """Load one model, and close it at the end.

    Raises:
        CheckpointError: its files, or the way it is to run, do not do.
    """
    options = settings.engine_options()
    with closing(load_engine(model.source, model_id=model.model_id, options=options)) as engine:
        yield engine
