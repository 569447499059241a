"""The server takes its address, reports when it listens, and ends when all is answered."""

import asyncio
import http.client
import json
import socket
import threading

import httpx
import pytest
from support.fake_engine import FakeEngine
from support.http_server import running_server

from earmark.errors import AddressUnavailable
from earmark.models.registry import Registry
from earmark.serving.service import Service
from earmark.web.app import create_app
from earmark.web.serve import ServerOptions, open_socket, run_server


def test_a_port_in_use_is_one_clear_error() -> None:
    """A port in use is an error that names the address."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(AddressUnavailable, match=f"127.0.0.1:{port}: address already in use"):
            open_socket("127.0.0.1", port)


@pytest.mark.parametrize(("host", "port"), [("no host.invalid", 8080), ("127.0.0.1", 99_999)])
def test_an_impossible_address_is_one_clear_error(host: str, port: int) -> None:
    """An impossible host and a port beyond 65535 are each one clear error."""
    with pytest.raises(AddressUnavailable, match="cannot listen on"):
        open_socket(host, port)


def test_port_0_lets_the_system_choose() -> None:
    """Port 0 gets a free port; no client can connect before the server runs."""
    with open_socket("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert port > 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_port_taken_while_models_load_is_one_clear_error() -> None:
    """A port that another program begins to listen on before the server runs is one clear error."""
    with open_socket("127.0.0.1", 0) as first, open_socket(*first.getsockname()) as second:
        first.listen()
        with pytest.raises(AddressUnavailable, match="address already in use"):
            run_server(create_app(Service(Registry([FakeEngine()]))), second)


def test_a_stopping_server_answers_what_it_has_accepted() -> None:
    """A stopping server answers the request in flight, then closes the engine."""
    answers: list[httpx.Response] = []
    engine = FakeEngine(gate=asyncio.Event())
    with running_server(create_app(Service(Registry([engine])))) as running:
        client = threading.Thread(
            target=lambda: answers.append(httpx.post(running.url, json={"inputs": "x"}))
        )
        client.start()
        assert engine.arrived.wait(20)
        running.server.should_exit = True
        assert engine.gate is not None
        running.call(engine.gate.set)
        client.join(20)
    assert [answer.status_code for answer in answers] == [200]
    assert engine.closed == 1


def test_a_server_that_waits_no_longer_says_so() -> None:
    """After `shutdown_s` open requests are refused, and the engine is closed."""
    engine = FakeEngine(gate=asyncio.Event())
    app = create_app(Service(Registry([engine])))
    with running_server(app, ServerOptions(shutdown_s=0)) as running:
        connection = running.connect()
        body = b'{"inputs": "x"}'
        connection.sendall(
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        )
        assert engine.arrived.wait(20)
    with connection:
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 503
        assert json.loads(answer.read()) == {"error": "the server is shutting down"}
    assert engine.closed == 1


def test_a_client_that_leaves_takes_its_texts_out_of_the_queue() -> None:
    """When a client leaves, the engine's wait is cancelled and the server goes on."""
    engine = FakeEngine(gate=asyncio.Event())
    with running_server(create_app(Service(Registry([engine])))) as running:
        with running.connect() as leaving:
            leaving.sendall(
                b'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 15\r\n\r\n{"inputs": "x"}'
            )
            assert engine.arrived.wait(20)
        assert engine.left.wait(20)
        assert engine.gate is not None
        running.call(engine.gate.set)
        assert httpx.post(running.url, json={"inputs": "y"}).status_code == 200
    assert engine.cancelled == 1
