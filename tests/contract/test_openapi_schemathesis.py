"""Whatever fits the document, or nearly does, gets an answer that the document describes."""

from collections.abc import Mapping
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
from support.fake_engine import FakeEngine, reranker, token_labeller, zero_shot_model

from earmark.models.registry import Registry
from earmark.serving.service import Service
from earmark.web.app import create_app

_AnyCase: TypeAlias = Case[Any]  # its operation is nobody's business here
_SERVED = ("acme/tc", "acme/zs", "tk", "acme/rr")
_EXAMPLES = 12
"""Random ones for each operation, beside those that cover the document's own limits."""

_ENGINES = (
    FakeEngine(_SERVED[0]),
    zero_shot_model(_SERVED[1]),
    token_labeller(_SERVED[2]),
    reranker(_SERVED[3]),
)

# The same examples in every run: what fails here has to fail again.
_CONFIG = SchemathesisConfig(
    seed=3,
    projects=ProjectsConfig(
        default=ProjectConfig(
            generation=GenerationConfig(deterministic=True, max_examples=_EXAMPLES)
        )
    ),
)

_served = create_app(Service(Registry(_ENGINES)))


async def _never_closed(scope: Scope, receive: Receive, send: Send) -> None:
    """Keep the models alive: the client starts and ends the app with every request."""
    if scope["type"] != "lifespan":
        await _served(scope, receive, send)
        return
    for step in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{step}.complete"})


schema = schemathesis.openapi.from_asgi("/openapi.json", _never_closed, config=_CONFIG)


_NAMED_IN = ("id", "model", "cf-consn-model-id")
"""Where a request names its model, in whatever part of it."""


def _name_a_model(case: _AnyCase) -> None:
    """Ask for models that are served, but for every fifth: else nearly all answers were 404."""
    draw = crc32(repr(case.body).encode("utf-8", "replace")) + len(case.headers)
    served = draw % (len(_SERVED) + 1)
    if served == len(_SERVED):
        return
    body = case.body if isinstance(case.body, dict) else {}
    for part in (case.path_parameters, case.headers, case.query):
        for name in _NAMED_IN:
            if name in part:
                part[name] = _SERVED[served]
    # A name that may be left out is given where several models could be meant.
    if "model" in body or "/predict" in case.path:
        body["model"] = _SERVED[served]


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
    answer = case.call()
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_headers_conformance,
    ]
    # OpenAPI 3.1 describes a stream as one text; the check would hold that against each event.
    if not _streams(answer.headers):
        checks.append(response_schema_conformance)
    case.validate_response(answer, checks=checks)


def _streams(headers: Mapping[str, list[str]]) -> bool:
    """Say whether an answer comes in events."""
    return headers.get("content-type") == ["text/event-stream"]
