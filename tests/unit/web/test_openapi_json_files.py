"""What JSON files describe for the document."""

from collections.abc import Sequence

import pytest

from earmark import __version__
from earmark.web.dialects.cloudflare import operations as cloudflare
from earmark.web.dialects.cloudflare.catalogue import MOST_PER_PAGE
from earmark.web.dialects.huggingface import operations as huggingface
from earmark.web.dialects.huggingface.exchanges import TASK_NAMES
from earmark.web.dialects.rerank import operations as rerank
from earmark.web.openapi.json_files import (
    answers,
    read_components,
    read_exchanges,
    read_lookups,
    requests,
)
from earmark.web.openapi.parts import Components, Example, Json, Operation


def _schema(components: Components, name: str) -> Json:
    parameter = components["parameters"][name]
    assert isinstance(parameter, dict)
    return parameter["schema"]


def test_a_parameter_has_the_name_and_the_place_of_its_key() -> None:
    """One of the path is required, one that says so too, and no other."""
    found = read_components("earmark.web.dialects.cloudflare")["parameters"]
    expected = {
        "path.model": ("path", "model", True),
        "query.model": ("query", "model", True),
        "query.page": ("query", "page", False),
        "header.x-forwarded": ("header", "x-forwarded", False),
    }
    for key, (where, name, required) in expected.items():
        parameter = found[key]
        assert isinstance(parameter, dict)
        assert parameter["in"] == where
        assert parameter["name"] == name
        assert parameter["required"] is required


def test_the_tasks_of_an_address_are_those_that_are_known() -> None:
    """The file lists them by hand."""
    schema = _schema(huggingface.COMPONENTS, "path.task")
    assert schema == {"type": "string", "enum": list(TASK_NAMES)}


def test_the_most_on_a_page_is_what_the_catalogue_gives() -> None:
    """The file has the number by hand."""
    schema = _schema(cloudflare.COMPONENTS, "query.per_page")
    assert schema == {"type": "integer", "minimum": 1, "maximum": MOST_PER_PAGE}


def test_an_exchange_is_shown_as_a_request_and_as_an_answer() -> None:
    """Under one name and one summary."""
    found = {"text": read_exchanges("earmark.web.dialects.cloudflare", "runs")["text"]}
    assert requests(found) == {"text": Example("A text", {"text": "This pizza is great!"})}
    assert answers(found) == {
        "text": Example(
            "A text",
            [{"label": "NEGATIVE", "score": 0.0266}, {"label": "POSITIVE", "score": 0.9734}],
        )
    }


def test_examples_have_the_version_of_earmark() -> None:
    """Which no file can know."""
    (index,) = read_lookups("earmark.web.dialects.huggingface")["index"].values()
    assert isinstance(index.answer, dict)
    assert index.answer["version"] == __version__


@pytest.mark.parametrize(
    ("operations", "components"),
    [
        (cloudflare.OPERATIONS, cloudflare.COMPONENTS),
        (huggingface.OPERATIONS, huggingface.COMPONENTS),
        (rerank.OPERATIONS, rerank.COMPONENTS),
    ],
)
def test_every_component_is_named_by_an_operation(
    operations: Sequence[Operation], components: Components
) -> None:
    """What no operation names would be read by nobody."""
    named = {
        "tags": {each.tag for each in operations},
        "parameters": {name for each in operations for name in each.parameters},
        "headers": {
            name
            for each in operations
            for answer in each.answers.values()
            for name in answer.headers
        },
        "securitySchemes": {name for each in operations for name in each.key_headers},
    }
    for kind, parts in components.items():
        assert set(parts) - named[kind] == set(), kind
