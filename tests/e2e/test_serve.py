"""`earmark serve` as a process: it answers, and it ends as it should."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from e2e.processes import PATIENCE_S, Server, command, environment, running_server
from e2e.terminals import on_terminal
from huggingface_hub import InferenceClient
from support.checkpoints import CheckpointSpec, write_checkpoint


@pytest.fixture(scope="module")
def as_it_comes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that was told nothing: no flag, no file, no model named."""
    with running_server(folder=tmp_path_factory.mktemp("as-it-comes")) as server:
        assert server.address
        yield server


def test_the_model_in_the_box_answers_a_first_request(as_it_comes: Server) -> None:
    """The server answers, and tells a text it likes."""
    url = f"{as_it_comes.address}/models/earmark/sentiment"
    answer = httpx.post(url, json={"inputs": "I like it"}, timeout=PATIENCE_S)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    [[best, other]] = answer.json()
    assert (best["label"], other["label"]) == ("POSITIVE", "NEGATIVE")
    assert best["score"] > 0.5 > other["score"]


def test_the_unmodified_client_classifies_and_every_command_tells_one_size(
    as_it_comes: Server, tmp_path: Path
) -> None:
    """The newest `huggingface_hub` reads the model in the box; info and `models` agree on it."""
    url = f"{as_it_comes.address}/models/earmark/sentiment"
    found = InferenceClient(url, timeout=PATIENCE_S).text_classification("I like you. I love you")
    info = httpx.get(f"{url}/info").json()
    assert [each.label for each in found] == ["POSITIVE", "NEGATIVE"]
    listed = subprocess.run(  # noqa: S603 - our own command
        command("models", "--json"),
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env=environment(),
        timeout=PATIENCE_S,
    )
    assert json.loads(listed.stdout)[0]["facts"]["parameters"] == info["parameters"]


def test_several_models_are_served_each_by_its_id(tiny: str, tmp_path: Path) -> None:
    """`--model` repeats; an id may be given, and is the folder's name otherwise."""
    flags = ("--model", tiny, "--model", f"org/mine={tiny}", "--precision", "float32")
    with running_server(*flags, folder=tmp_path) as server:
        answers = [
            httpx.post(f"{server.address}/models/{one}", json={"inputs": "x"}, timeout=PATIENCE_S)
            for one in ("tiny", "org/mine")
        ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


def test_one_server_does_all_three_tasks(tiny: str, tmp_path: Path) -> None:
    """Each model by its head and its labels, in the form that the operator chose."""
    inference = CheckpointSpec(label_names=("not_entailment", "entailment"))
    tagger = CheckpointSpec(head="token", label_names=("O", "I-PER"))
    models = (
        tiny,
        str(write_checkpoint(tmp_path / "inference", inference)),
        str(write_checkpoint(tmp_path / "tagger", tagger)),
    )
    env = environment({"EARMARK_MODELS": ",".join(models), "EARMARK_ZERO_SHOT_FORM": "object"})
    labels = {"inputs": "x", "parameters": {"candidate_labels": ["a", "b"]}}
    everything = {"inputs": "x", "parameters": {"ignore_labels": []}}
    with running_server(env=env, folder=tmp_path) as server:

        def post(model_id: str, body: object) -> Any:  # noqa: ANN401 - whatever JSON came back
            url = f"{server.address}/models/{model_id}"
            answer = httpx.post(url, json=body, timeout=PATIENCE_S)
            assert answer.status_code == 200, answer.text
            return answer.json()

        assert {each["label"] for each in post("tiny", {"inputs": "x"})[0]} == {"BAD", "GOOD"}
        assert sorted(post("inference", labels)["labels"]) == ["a", "b"]
        assert [each["word"] for each in post("tagger", everything)] == ["x"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_well(number: signal.Signals, tiny: str, tmp_path: Path) -> None:
    """Being stopped is no failure, by a supervisor or by Ctrl-C."""
    with running_server("--model", tiny, folder=tmp_path) as server:
        assert server.address
        assert server.stop(number) == 0
    assert not any("plain" in event for event in server.events)


def test_a_request_in_flight_is_answered_before_the_server_ends(tiny: str, tmp_path: Path) -> None:
    """SIGTERM comes while a body is on its way; its sender still gets the answer.

    "100 Continue" (RFC 9110, section 10.1.1) tells that the server has taken the request on.
    """
    body = json.dumps({"inputs": ["some text"] * 64}).encode()
    head = (
        f"POST /models/tiny HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        "Expect: 100-continue\r\n\r\n"
    )
    with running_server("--model", tiny, folder=tmp_path) as server:
        url = urlsplit(server.address)
        with socket.create_connection((url.hostname, url.port), PATIENCE_S) as client:
            client.sendall(head.encode())
            assert client.recv(1024).startswith(b"HTTP/1.1 100 ")
            server.process.send_signal(signal.SIGTERM)
            client.sendall(body)
            with client.makefile("rb") as answer:
                whole = answer.read()
        assert whole.startswith(b"HTTP/1.1 200 ")
        assert len(json.loads(whole.partition(b"\r\n\r\n")[2])) == 64
        assert server.process.wait(PATIENCE_S) == 0


def test_a_second_interrupt_ends_the_server_at_once(tiny: str, tmp_path: Path) -> None:
    """It ends at once with the exit code of an interrupt, and without a traceback."""
    head = (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    )
    with running_server("--model", tiny, folder=tmp_path) as server:
        url = urlsplit(server.address)
        with socket.create_connection((url.hostname, url.port), PATIENCE_S) as client:
            client.sendall(head)
            assert client.recv(1024).startswith(b"HTTP/1.1 100 ")
            server.process.send_signal(signal.SIGINT)
            wait_until_refused(url.hostname, url.port)
            assert server.stop(signal.SIGINT) == 130
    assert not any("Traceback" in str(event) for event in server.events)


def test_an_idle_server_that_is_interrupted_twice_leaves_no_traceback(
    tiny: str, tmp_path: Path
) -> None:
    """The second comes while the first is carried out; both ends are good ones."""
    with running_server("--model", tiny, folder=tmp_path) as server:
        url = urlsplit(server.address)
        server.process.send_signal(signal.SIGINT)
        wait_until_refused(url.hostname, url.port)
        assert server.stop(signal.SIGINT) in {0, 130}
    assert not any("Traceback" in str(event) for event in server.events)


def wait_until_refused(host: str | None, port: int | None) -> None:
    """Connect until nobody listens any more: the server has taken the signal."""
    with suppress(ConnectionRefusedError, ConnectionResetError):
        while True:
            socket.create_connection((host, port), PATIENCE_S).close()


@pytest.mark.skipif(os.name != "posix", reason="terminals of another kind")
def test_on_a_terminal_the_server_shows_what_it_serves_and_what_to_try(
    tiny: str, tmp_path: Path
) -> None:
    """A person sees a table, a line to paste, and how to end it."""
    with on_terminal("serve", "--port", "0", "--model", tiny, folder=tmp_path) as terminal:
        shown = terminal.read_until("Ctrl-C")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(PATIENCE_S) == 0
    assert "serving at" in shown
    assert "max tokens" in shown
    assert '/models/tiny -d \'{"inputs": "I like it"}\'' in shown


def test_a_port_in_use_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    """Told before any model is loaded."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        ended = subprocess.run(  # noqa: S603 - our own words
            command("serve", "--port", str(port)),
            env=environment(),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert ended.returncode == 2
    [line] = ended.stderr.splitlines()
    assert line.startswith("earmark: error: ")
    assert f"127.0.0.1:{port}" in line


def test_an_address_others_can_reach_is_warned_of(tiny: str, tmp_path: Path) -> None:
    """With `--allow-anonymous` the server starts open, and says so."""
    flags = ("--model", tiny, "--host", "0.0.0.0", "--allow-anonymous")  # noqa: S104 - under test
    with running_server(*flags, folder=tmp_path) as server:
        assert server.address.startswith("http://127.0.0.1:")
        assert server.stop() == 0
    warnings = [event for event in server.events if event.get("level") == "warning"]
    assert [one["event"] for one in warnings if "no access key" in str(one["event"])]


def test_a_runtime_that_is_not_installed_is_named_with_its_extra(tiny: str, tmp_path: Path) -> None:
    """The line says what to install."""
    missing = tmp_path / "without"
    missing.mkdir()
    (missing / "onnxruntime.py").write_text("raise ImportError", "utf-8")
    ended = subprocess.run(  # noqa: S603 - our own words
        command("serve", "--port", "0", "--model", tiny, "--runtime", "onnxruntime"),
        env=environment(path=missing),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 2
    assert "pip install 'earmark[onnxruntime]'" in ended.stderr
    assert "Traceback" not in ended.stderr


_INTERRUPTS_ITSELF = """
import os, signal, sys

def interrupt(event, arguments):
    if event == "import" and arguments[0] in ("cyclopts", "uvicorn"):
        os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(interrupt)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of another kind")
@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("classify", "x")])
def test_an_interrupt_while_the_program_starts_is_no_traceback(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """Libraries take a second to import, in which a person may press Ctrl-C, and again."""
    (tmp_path / "sitecustomize.py").write_text(_INTERRUPTS_ITSELF)
    ended = subprocess.run(  # noqa: S603 - our own words
        command(*arguments),
        env=environment(path=tmp_path),
        cwd=tmp_path,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")
