"""Whatever fits the document, or nearly does, gets an answer that the document describes."""

from typing import Any, TypeAlias
from zlib import crc32

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import Receive, Scope, Send
from support.fake_engine import FakeEngine, token_labeller, zero_shot_model

from earmark.serving.models import ServedModels
from earmark.serving.service import Service
from earmark.web.app import create_app

_AnyCase: TypeAlias = Case[Any]  # its operation is nobody's business here
_SERVED = ("acme/tc", "acme/zs", "tk")
_EXAMPLES = 12
"""Random ones for each operation, beside those that cover the document's own limits."""

_ENGINES = (FakeEngine(_SERVED[0]), zero_shot_model(_SERVED[1]), token_labeller(_SERVED[2]))

# The same examples in every run: what fails here has to fail again.
_CONFIG = SchemathesisConfig(
    seed=3,
    projects=ProjectsConfig(
        default=ProjectConfig(
            generation=GenerationConfig(deterministic=True, max_examples=_EXAMPLES)
        )
    ),
)

_served = create_app(Service(ServedModels(_ENGINES)))


async def _never_closed(scope: Scope, receive: Receive, send: Send) -> None:
    """Keep the models alive: the client starts and ends the app with every request."""
    if scope["type"] != "lifespan":
        await _served(scope, receive, send)
        return
    for step in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{step}.complete"})


schema = schemathesis.openapi.from_asgi("/openapi.json", _never_closed, config=_CONFIG)


def _name_a_model(case: _AnyCase) -> None:
    """Ask for models that are served, but for every fourth id: else nearly all answers were 404."""
    if "id" in case.path_parameters:
        draw = crc32(repr(case.body).encode("utf-8", "replace")) + len(case.headers)
        if draw % 4:
            case.path_parameters["id"] = _SERVED[draw % 4 - 1]


@schema.parametrize()
@settings(
    max_examples=_EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_of_those_described(case: _AnyCase) -> None:
    """No 5xx; status, type, schema and headers as the document has them."""
    _name_a_model(case)
    case.call_and_validate(
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
            response_headers_conformance,
        ]
    )
