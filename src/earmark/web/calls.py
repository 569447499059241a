"""How a request over HTTP becomes a call of the service."""

from starlette.requests import Request

from earmark.domain.preferences import NO_PREFERENCES, Preferences
from earmark.serving.service import Call, Service
from earmark.web.origin import asked_here
from earmark.web.request_log import record_of


async def open_call(
    service: Service,
    request: Request,
    model: str | None,
    preferences: Preferences = NO_PREFERENCES,
) -> Call:
    """Find the model that a request means, and write it into the request's record.

    Args:
        service: has the models.
        request: shows where the caller is.
        model: what it calls the model; None for the only one that the operator named.
        preferences: how the caller wants it carried out, as far as the headers say.

    Raises:
        EarmarkError: as of `Service.open`.
    """
    call = await service.open(model, preferences, here=asked_here(request.headers))
    record_of(request.scope).model = call.model.info.model_id
    return call
