"""The addresses that are suggested for an unknown one."""

import pytest

from earmark.web.nearest_address import nearest_addresses

_KNOWN = (
    "POST /models/{id}",
    "POST /models/{id}/pipeline/{task}",
    "POST /",
    "GET /",
    "GET /models",
    "GET /models/{id}",
    "GET /health",
    "POST /rerank",
    "POST /v1/rerank",
    "POST /predict",
    "POST /v1/{account}/{gateway}/workers-ai/{model}",
    "GET /docs",
)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/model/earmark/sentiment", ["POST /models/{id}", "GET /models/{id}"]),
        ("/Models/earmark/sentiment", ["POST /models/{id}", "GET /models/{id}"]),
        ("/v1/models", ["GET /models"]),
        ("/predictions", ["POST /predict"]),
        ("/api/predict", ["POST /predict"]),
        ("/api/v1/rerank", ["POST /v1/rerank", "POST /rerank"]),
        ("/doc", ["GET /docs"]),
        ("/healthz", ["GET /health"]),
    ],
)
def test_what_is_spelt_nearly_so_is_meant(path: str, meant: list[str]) -> None:
    """A path with a wrong letter, another case or a prefix finds the address that was meant."""
    assert list(nearest_addresses(path, _KNOWN))[: len(meant)] == meant


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/embed", "/v1/embeddings", "/", "//", "/" + "x" * 99_999]
)
def test_what_is_nothing_of_ours_is_near_nothing(path: str) -> None:
    """A path that resembles no address has no suggestion."""
    assert nearest_addresses(path, _KNOWN) == ()
