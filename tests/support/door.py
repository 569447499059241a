"""Asks a service as a dialect does: a call is opened, then answered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from earmark.domain.preferences import NO_PREFERENCES, Preferences
from earmark.serving.service import Served, ServedStream, Service
from earmark.serving.status import ServedStatus
from earmark.tasks.task import TaskRequest
from earmark.tasks.token_classification import TokenClassification

Result = TypeVar("Result")


async def answer(
    service: Service,
    model_id: str | None,
    request: TaskRequest[Result],
    *,
    preferences: Preferences = NO_PREFERENCES,
) -> Served[Result]:
    """Open a call and answer it."""
    return await (await service.open(model_id, preferences, here=True)).answer(request)


@asynccontextmanager
async def stream(
    service: Service,
    model_id: str | None,
    request: TokenClassification,
    *,
    preferences: Preferences = NO_PREFERENCES,
) -> AsyncIterator[ServedStream]:
    """Open a call and answer it window by window."""
    call = await service.open(model_id, preferences, here=True)
    async with call.stream(request) as served:
        yield served


def status(service: Service, model_id: str | None) -> ServedStatus:
    """Return how a model is."""
    return service.with_cache(service.models.status(model_id))
