"""Requests that may come from a page of another site are distinguished from local ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from earmark.web.origin import asked_here


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.1.2.3", "[::1]", "[::1]:8080"]
)
def test_a_name_of_loopback_is_this_machine(host: str) -> None:
    """Names of loopback, with or without a port, count as this machine."""
    assert asked_here(Headers({"host": host}))
    assert asked_here(Headers({"host": host, "origin": f"http://{host}"}))


@pytest.mark.parametrize(
    "host", ["", "evil.test", "localhost.evil.test", "192.168.0.7:8080", "[::", "[fe80::1]:80", "@"]
)
def test_any_other_name_may_be_of_a_site_that_leads_here(host: str) -> None:
    """Any other host name, and what is no name at all, does not count as this machine."""
    assert not asked_here(Headers({"host": host}))


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_no_origin_but_the_servers_own_will_do(origin: str) -> None:
    """Only the server's own origin is accepted, in any case."""
    headers = Headers(raw=[(b"host", b"localhost:80"), (b"origin", origin.encode("latin-1"))])
    assert asked_here(headers) == (origin.lower() == "http://localhost:80")
