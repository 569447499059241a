"""Turns errors on the way to the Hub into messages of one line.

Messages name a host, a repository, a revision and a folder. The library's own messages are left
out: they contain addresses, which may be signed, and span several lines.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub.errors import (
    DisabledRepoError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from earmark.checkpoint.hub.access import HubAccess
from earmark.checkpoint.ref import HubRef
from earmark.errors import CheckpointError, CheckpointNotFound, HubUnavailable

_LOG_IN = "log in with `hf auth login`, or set HF_TOKEN to a token that may read it"


@contextmanager
def plain_errors(ref: HubRef, access: HubAccess) -> Iterator[None]:
    """Turn errors of the library, of its HTTP client and of the disk into ours.

    Raises:
        CheckpointNotFound: no such repository, revision or file, or access is denied.
        HubUnavailable: the Hub or the cache folder failed.
    """
    try:
        yield
    except HfHubHTTPError as error:
        raise _of_answer(error, ref, access) from None
    except (LocalEntryNotFoundError, FileMetadataError) as error:
        cause = error.__cause__
        if isinstance(cause, HfHubHTTPError):
            raise _of_answer(cause, ref, access) from None
        raise HubUnavailable(_unreachable(cause or error, access)) from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise HubUnavailable(_unreachable(error, access)) from None
    except OSError as error:
        raise HubUnavailable(_of_disk(error, ref, access)) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HubUnavailable(
            f"{access.host} does not answer as a Hub does ({type(error).__name__}); "
            "HF_ENDPOINT names the one to ask"
        ) from None


def _of_answer(error: HfHubHTTPError, ref: HubRef, access: HubAccess) -> CheckpointError:
    status = error.response.status_code
    if isinstance(error, RevisionNotFoundError | RemoteEntryNotFoundError | DisabledRepoError):
        return CheckpointNotFound(_of_contents(error, ref, access))
    if isinstance(error, RepositoryNotFoundError) or status in {401, 403, 404}:
        return CheckpointNotFound(_of_access(error, ref, access))
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return HubUnavailable(f"{access.host} has had too many requests from here (429)")
    return HubUnavailable(f"{access.host} answered {status} for {ref.shown}")


def _of_contents(error: HfHubHTTPError, ref: HubRef, access: HubAccess) -> str:
    if isinstance(error, RevisionNotFoundError):
        return (
            f"{ref.repo} on {access.host} has no revision {ref.revision!r}; a branch, a tag "
            "or a commit stands after the @"
        )
    if isinstance(error, DisabledRepoError):
        return f"{ref.repo} is disabled on {access.host}"
    return f"{ref.shown} on {access.host} lacks a file that it lists"


def _of_access(error: HfHubHTTPError, ref: HubRef, access: HubAccess) -> str:
    if isinstance(error, GatedRepoError):
        return (
            f"{ref.repo} on {access.host} is gated: accept its terms on its page there, then "
            f"{_LOG_IN}"
        )
    sent = "authorization" in error.response.request.headers
    token = "the token that was sent may not read it" if sent else "no token was sent"
    return (
        f"{access.host} has no model {ref.repo}, or a private one "
        f"({error.response.status_code}; {token}): check the name; if it is private, {_LOG_IN}"
    )


def _unreachable(error: BaseException, access: HubAccess) -> str:
    reason = "no answer in time" if isinstance(error, httpx2.TimeoutException) else ""
    if not reason and isinstance(error, httpx2.TransportError):
        reason = str(error) or type(error).__name__
    if isinstance(error, FileMetadataError):
        reason = "what answers there is no Hub"
    return f"{access.host} cannot be reached: {reason or type(error).__name__}"


def _of_disk(error: OSError, ref: HubRef, access: HubAccess) -> str:
    if error.errno is None:  # the library's own, for a file of another size than announced
        return f"{access.host} broke off a file of {ref.shown}; run it again"
    return (
        f"{ref.shown} cannot be kept in {access.cache}: {error.strerror}; make room or give "
        "leave to write there, or choose another folder with HF_HOME or HF_HUB_CACHE"
    )
