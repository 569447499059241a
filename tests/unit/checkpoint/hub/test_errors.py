"""Errors for the answers of the Hub."""

import errno
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest
from huggingface_hub.errors import FileMetadataError, LocalEntryNotFoundError
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # public, and not typed so
    hf_raise_for_status,
)

from earmark.checkpoint.hub.access import HubAccess
from earmark.checkpoint.hub.errors import plain_errors
from earmark.checkpoint.ref import HubRef
from earmark.errors import CheckpointError, CheckpointNotFound, HubUnavailable

ID = HubRef("org/name", "v1")
ACCESS = HubAccess(endpoint="https://me:secret@hub.example", cache=Path("/cache"))
SIGNED = "https://cdn.example/x?signature=secret"


def refused(status: int, headers: Mapping[str, str]) -> Exception:
    """Have the library make its error of an answer."""
    request = httpx2.Request("GET", SIGNED, headers={"authorization": "Bearer secret"})
    response = httpx2.Response(status, headers=headers, request=request, content=b"")
    with pytest.raises(httpx2.HTTPError) as caught:
        hf_raise_for_status(response)
    return caught.value


@pytest.mark.parametrize(
    ("status", "headers", "kind", "told"),
    [
        (401, {}, CheckpointNotFound, "no model org/name, or a private one (401; the token"),
        (403, {}, CheckpointNotFound, "(403; the token that was sent may not read it)"),
        (404, {"x-error-code": "RepoNotFound"}, CheckpointNotFound, "has no model org/name"),
        (404, {"x-error-code": "RevisionNotFound"}, CheckpointNotFound, "has no revision 'v1'"),
        (404, {"x-error-code": "EntryNotFound"}, CheckpointNotFound, "lacks a file that it lists"),
        (403, {"x-error-code": "GatedRepo"}, CheckpointNotFound, "is gated"),
        (
            403,
            {"x-error-message": "Access to this resource is disabled."},
            CheckpointNotFound,
            "is disabled",
        ),
        (429, {"retry-after": "60"}, HubUnavailable, "too many requests"),
        (500, {}, HubUnavailable, "hub.example answered 500 for org/name@v1"),
        (504, {}, HubUnavailable, "hub.example answered 504 for org/name@v1"),
    ],
)
def test_an_answer_is_told_by_what_the_operator_can_do(
    status: int, headers: Mapping[str, str], kind: type[CheckpointError], told: str
) -> None:
    """The error for an answer says what to do in one line, without addresses and the token."""
    error = refused(status, headers)
    wrapped = LocalEntryNotFoundError("no file")
    wrapped.__cause__ = error
    for raised in (error, wrapped):
        with pytest.raises(kind) as caught, plain_errors(ID, ACCESS):
            raise raised
        assert told in str(caught.value)
        assert "secret" not in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (httpx2.ConnectError("[Errno 111] Connection refused"), "Connection refused"),
        (httpx2.ConnectError("certificate verify failed"), "certificate verify failed"),
        (httpx2.ReadTimeout(""), "no answer in time"),
        (httpx2.TooManyRedirects("in a circle"), "TooManyRedirects"),
        (FileMetadataError("no header"), "what answers there is no Hub"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device; make room"),
        (PermissionError(errno.EACCES, "Permission denied"), "/cache: Permission denied"),
        (OSError("Consistency check failed"), "broke off a file of org/name@v1"),
        (ValueError("Expecting value: line 1"), "does not answer as a Hub does (ValueError)"),
    ],
)
def test_what_fails_on_the_way_is_one_line(error: Exception, told: str) -> None:
    """Errors of network, certificate, disk and a server that is no Hub are one line each."""
    with pytest.raises(HubUnavailable) as caught, plain_errors(ID, ACCESS):
        raise error
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
