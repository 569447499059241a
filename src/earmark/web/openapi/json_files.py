"""What is described in JSON: examples, and components that are derived from no code.

A file of examples holds exchanges by the names they have in the document. The tests send each
request to the running app and compare the answer. ``$version`` stands for the version of earmark.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from earmark import __version__
from earmark.web.openapi.parts import Components, Example, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer.

    Attributes:
        summary: what it shows.
        answer: of a model that is exactly so sure; of a stream the text itself.
        request: a body; none of a look-up.
        headers: that the request needs to be answered so.
    """

    summary: str
    answer: Json
    request: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)


def read_exchanges(package: str, name: str) -> dict[str, Exchange]:
    """Read ``examples/{name}.json`` of a package."""
    return {key: Exchange(**each) for key, each in _read(package, f"examples/{name}").items()}


def read_lookups(package: str) -> dict[str, dict[str, Exchange]]:
    """Read ``examples/lookups.json`` of a package: what each look-up answers."""
    return {
        lookup: {key: Exchange(**each) for key, each in exchanges.items()}
        for lookup, exchanges in _read(package, "examples/lookups").items()
    }


def read_components(package: str) -> Components:
    """Read ``components.json`` of a package.

    A parameter's name and place are its key's, such as ``query.page``; one of the path is required,
    any other is not unless it says so.
    """
    found: dict[str, dict[str, Any]] = _read(package, "components")
    for key, parameter in found.get("parameters", {}).items():
        where, _, name = key.partition(".")
        parameter.update({"name": name, "in": where, "required": where == "path", **parameter})
    return found


def _read(package: str, name: str) -> dict[str, Any]:  # each reader says what is in it
    text = (files(package) / f"{name}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text.replace("$version", __version__))
    return found


def requests(exchanges: Mapping[str, Exchange]) -> dict[str, Example]:
    """Show the requests."""
    return {name: Example(each.summary, each.request) for name, each in exchanges.items()}


def answers(exchanges: Mapping[str, Exchange]) -> dict[str, Example]:
    """Show the answers."""
    return {name: Example(each.summary, each.answer) for name, each in exchanges.items()}
