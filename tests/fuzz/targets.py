"""Targets of requests: addresses with models in them, spelt in every way, and query strings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final
from urllib.parse import quote, unquote

from fuzz.addresses import Operation

MODEL_PLACES: Final = ("id", "model", "path")
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
TASKS: Final = (
    "text-classification",
    "zero-shot-classification",
    "token-classification",
    "text-ranking",
    "sentiment-analysis",
    "ner",
)
_ODD_PLACES: Final = (
    "", ".", "..", "../..", "%2e%2e%2fetc", "%00", "%FF", "%", "%%", "%zz", "%2", "%25%32%46",
    "a%20b", "%E2%82%AC", "\xe9", "%ED%A0%80", "a;b=c", "a,b", "'", "{id}", "a" * 300, "a/" * 60,
    "//", "@cf/x/y", "%40cf%2Fx%2Fy", "org/none", "org%2Fnone", "none", "%0d%0ax-injected:%201",
    "a+b", "a\\b", "info", "health", "a/info", "a/health", "a/pipeline/ner", "pipeline/ner", "*",
    "~", "-1", "%C3%28", "a%23b", "a%3Fb", "models/a", "proxy", "run", "%F0%9F%98%80", "a:int8",
    "a:b:c", "CON", "a%2F%2Fb", "\x7f",
)  # fmt: skip
_ODD_ADDRESSES: Final = (
    "/", "//", "/.", "/..", "/%2e", "/%", "/*", "/models//", "/models/%2F", "/favicon.ico",
    "/robots.txt", "/embed", "/v1/chat/completions", "/v1/embeddings", "/classify", "/ranking",
    "/metrics", "/generate", "/client/v4", "/client/v4/", "/client/v4/user", "/client/v4/accounts",
    "/client/v4/accounts//ai/run", "/client/v4/zones", "/clientv4", "/v1", "/v1/", "/v1/models",
    "/v1/a/b/workers-ai", "/v1/a/b/openai", "/v2/rerank/", "/rerank/x", "/predictions", "/%72erank",
    "/rerank%2F", "/docs/", "/docs/../info", "/docs/none.js", "/openapi.yaml", "/.git/config",
    "/admin", "/models/a/b/c/d/e/f/g", "/status", "/" + "a" * 3000, "/" + "a/" * 1500,
    "/" + "%41" * 900, "/\xff", "/%FF", "/a?b?c", "/api", "/api/models",
)  # fmt: skip
_ODD_VALUES: Final = (
    "", "true", "1", "0", "-1", "1e9", "99999999999999999999", "%00", "%FF", "%", "a%20b", "+",
    "NaN", "Text%20Classification", "a" * 400, "%ED%A0%80", "{}", "[]", "true&queueRequest=false",
    "%F0%9F%98%80", "\xe9", "2147483648", "2147483649", "1.5", "%E2%88%9E",
    "\u0661".encode().decode("latin-1"),
)  # fmt: skip
_ODD_QUERIES: Final = (
    "?", "?&", "?=", "?&&&=&=", "?a", "?a=b=c", "?%=%", "?" + "a=1&" * 300, "?" + "a" * 3000, "?#x",
    "?a[]=1", "?access_token=x", "?queueRequest=true", "?queueRequest=1",
    "?tags=a,b&rejectIfBusy=true", "??",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a request.

    Attributes:
        raw: as it stands in the request line, in Latin-1.
        path: as the server reads it: decoded, without the query.
        operation: whose address it is for certain; None where it may be another's, or nobody's.
    """

    raw: str
    path: str
    operation: Operation | None


@dataclass(frozen=True, slots=True)
class Models:
    """Ids that requests name.

    Attributes:
        served: in memory.
        cold: loaded when asked for.
    """

    served: Sequence[str]
    cold: Sequence[str]


_COLD_SHARE: Final = 0.0002
"""Part of requests that name a model which has to be loaded: a load costs as much as thousands of
requests."""


def any_target(
    rng: Random, operation: Operation, models: Models, places: Mapping[str, str]
) -> Target:
    """Draw a target of an operation, or something near it.

    Args:
        rng: where chance comes from.
        operation: whose address is meant.
        models: what requests name.
        places: what parameters in the path are, by name; those that lack are drawn.
    """
    draw = rng.random()
    if draw < 0.03:
        return _elsewhere(rng.choice(_ODD_ADDRESSES) + any_query(rng, operation))
    sound = True
    parts = []
    for piece in re.split(r"(\{\w+\})", operation.path):
        if not piece.startswith("{"):
            parts.append(piece)
            continue
        if rng.random() < 0.08:
            parts.append(rng.choice(_ODD_PLACES))
            sound = False
        else:
            parts.append(_place(rng, operation, piece[1:-1], models, places))
    raw = "".join(parts)
    if draw < 0.08:
        raw, sound = _respelt(rng, raw), False
    query = any_query(rng, operation)
    if sound:
        return Target(raw + query, unquote(raw, "latin-1"), operation)
    return _elsewhere(raw + query)


def _elsewhere(raw: str) -> Target:
    path = re.split(r"[?#]", raw, maxsplit=1)[0]
    return Target(raw, unquote(path, "latin-1"), None)


def _place(
    rng: Random, operation: Operation, name: str, models: Models, places: Mapping[str, str]
) -> str:
    if name == "task":
        return places.get(name) or rng.choice(TASKS)
    if name in MODEL_PLACES:
        if rng.random() < _COLD_SHARE:
            return rng.choice(models.cold)
        model_id = places.get(name) or rng.choice(models.served)
        match rng.randrange(4):
            case 0:
                return quote(model_id, safe="@")
            case 1:
                return quote(model_id, safe="").lower()
            case _:
                return model_id
    return dict(operation.places).get(name) or "x"


def _respelt(rng: Random, raw: str) -> str:
    place = rng.randrange(len(raw))
    match rng.randrange(8):
        case 0:
            return raw + "/" * rng.randrange(1, 4)
        case 1:
            return raw.replace("/", "//", 1)
        case 2:
            return raw.upper()
        case 3:  # one character as its code
            return (
                f"{raw[:place]}%{ord(raw[place]):02x}{raw[place + 1 :]}" if place else raw + "%20"
            )
        case 4:
            return raw[: place + 1]
        case 5:
            return raw + rng.choice(("/x", "%", "%2F", ".json", ";a", "%00", "/..", "/info"))
        case 6:
            return quote(raw, safe="/")
        case _:
            return f"/{rng.choice(('api', 'v1', 'x'))}{raw}"


def any_query(rng: Random, operation: Operation) -> str:
    """Draw a query string; most often none."""
    pairs = [
        f"{name}={example if rng.random() < 0.5 else rng.choice(_ODD_VALUES)}"
        for name, example in operation.query
        if rng.random() < 0.4
    ]
    if rng.random() < 0.04:
        return rng.choice(_ODD_QUERIES) + "&".join(pairs)
    return f"?{'&'.join(pairs)}" if pairs else ""
