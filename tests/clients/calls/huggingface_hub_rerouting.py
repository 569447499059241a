"""Requests of `huggingface_hub` to the hosted service, sent to the server instead."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import huggingface_hub
from clients.calls.huggingface_hub_answers import KEY, URL, VERSION


@contextlib.contextmanager
def rerouted() -> Iterator[None]:
    """Send whatever goes over https to the server, from within the client's own session.

    What a model is for the client asks in the name of the user and of no argument.
    """
    os.environ["HF_TOKEN"] = KEY
    session: Any = huggingface_hub.get_session()
    if VERSION < (1,):  # of `requests`
        adapter = session.get_adapter("https://")
        session.mount("https://", Rerouting(adapter))
        yield
        session.mount("https://", adapter)
    else:  # of `httpx`
        hooks = session.event_hooks
        session.event_hooks = {**hooks, "request": [*hooks["request"], reroute]}
        yield
        session.event_hooks = hooks
    del os.environ["HF_TOKEN"]


def reroute(request: Any) -> None:  # noqa: ANN401 - of a package that old clients do not have
    """Change where a request of `httpx` goes, but for its path."""
    to = urlsplit(URL)
    request.url = request.url.copy_with(scheme=to.scheme, host=to.hostname, port=to.port)


class Rerouting:
    """An adapter of `requests` before another one."""

    def __init__(self, adapter: Any) -> None:  # noqa: ANN401 - new clients do not have `requests`
        """Send by this adapter."""
        self._adapter = adapter

    def send(self, request: Any, **rest: object) -> object:  # noqa: ANN401 - the same
        """Send a request, changing where it goes but for its path."""
        request.url = URL + request.path_url
        return self._adapter.send(request, **rest)
