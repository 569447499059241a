"""A child process in the sandbox: what it cannot do any more, and what it still can."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from earmark.runtime.sandbox import landlock
from earmark.runtime.sandbox.system_calls import machine

_BEGINNING = """
import json, os, socket, sys, threading
from pathlib import Path
from earmark.runtime.sandbox.confinement import confine

folder, outside = Path(sys.argv[1]), Path(sys.argv[2])

def tried(attempt):
    try:
        attempt()
    except OSError as error:
        return type(error).__name__
    return "done"

def answer(**found):
    print("answer", json.dumps(found), flush=True)
"""


def _version() -> int:
    of = machine()
    return 0 if sys.platform != "linux" or of is None else landlock.version(of)


needs_landlock = pytest.mark.skipif(
    _version() < landlock.TRUNCATES,
    reason="this kernel has no Landlock that denies all changes of files (Linux 6.2 or newer)",
)


def confined(script: str, tmp_path: Path) -> dict[str, Any]:
    """Run a script in a process of its own, and return what it answered.

    Args:
        script: with `folder`, which is to stay writable, and `outside`, which is not.
        tmp_path: for both folders.
    """
    folder, outside = tmp_path / "cache", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "model.txt").write_text("weights", "utf-8")
    ran = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", _BEGINNING + script, str(folder), str(outside)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    lines = [one for one in ran.stdout.splitlines() if one.startswith("answer ")]
    assert lines, ran.stderr
    found: dict[str, Any] = json.loads(lines[-1].removeprefix("answer "))  # Any: JSON
    return found


@needs_landlock
def test_files_can_be_read_and_changed_only_in_writable_folders(tmp_path: Path) -> None:
    """Also not cut short, removed, moved, or given another mode."""
    found = confined(
        """
report = confine([folder])
model = outside / "model.txt"
answer(
    complete=report.complete,
    read=model.read_text(),
    listed=os.listdir(outside),
    inside=tried(lambda: (folder / "blob").write_bytes(b"x")),
    renamed=tried(lambda: os.replace(folder / "blob", folder / "kept")),
    moved=[
        tried(lambda: os.replace(model, folder / "moved")),
        tried(lambda: os.link(model, folder / "linked")),
    ],
    null=tried(lambda: open(os.devnull, "w").write("x")),
    refused=[
        tried(lambda: (outside / "new").write_bytes(b"x")),
        tried(lambda: model.write_text("others")),
        tried(lambda: os.truncate(model, 0)),
        tried(model.unlink),
        tried((outside / "made").mkdir),
        tried(lambda: os.chmod(model, 0o777)),
        tried(lambda: os.chmod(folder, 0o4700)),
        tried(lambda: os.chown(folder, 0, 0)),
    ],
)
""",
        tmp_path,
    )
    assert found["complete"]
    assert found["read"] == "weights"
    assert found["listed"] == ["model.txt"]
    assert (found["inside"], found["renamed"], found["null"]) == ("done", "done", "done")
    assert set(found["refused"]) == {"PermissionError"}
    assert set(found["moved"]) <= {"PermissionError", "OSError"}  # "Invalid cross-device link"
    assert (tmp_path / "outside" / "model.txt").read_text("utf-8") == "weights"


@needs_landlock
def test_no_socket_is_opened_and_no_program_started(tmp_path: Path) -> None:
    """A connection that was there goes on, and an event loop still runs."""
    found = confined(
        """
import asyncio, subprocess
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
served, _ = listener.accept()
bare = socket.socket()
confine()

async def loop():
    return await asyncio.to_thread(lambda: "ran")

client.sendall(b"still here")
answer(
    received=served.recv(99).decode(),
    loop=asyncio.run(loop()),
    refused=[
        tried(lambda: socket.create_connection(listener.getsockname())),
        tried(lambda: bare.connect(listener.getsockname())),
        tried(lambda: bare.bind(("127.0.0.1", 0))),
        tried(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)),
        tried(lambda: socket.socket(socket.AF_UNIX)),
        tried(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)),
        tried(lambda: subprocess.run(["/bin/true"])),
        tried(lambda: os.execv("/bin/true", ["true"])),
    ],
)
""",
        tmp_path,
    )
    assert (found["received"], found["loop"]) == ("still here", "ran")
    assert set(found["refused"]) == {"PermissionError"}


@needs_landlock
def test_threads_of_before_and_after_are_confined_as_the_report_says(tmp_path: Path) -> None:
    """The network is taken from all; files only where no older thread can write."""
    found = confined(
        """
confine_now, confined = threading.Event(), threading.Event()
seen = {}

def attempts(name):
    seen[name] = [tried(lambda: (outside / name).write_bytes(b"x")), tried(socket.socket)]

def wait():
    confine_now.set()
    confined.wait()
    attempts("before")

older = threading.Thread(target=wait)
older.start()
confine_now.wait()
report = confine([folder])
confined.set()
older.join()
younger = threading.Thread(target=attempts, args=("after",))
younger.start()
younger.join()
attempts("main")
files, network = report.measures[:2]
answer(seen=seen, files=[files.taken, files.detail], network=network.taken)
""",
        tmp_path,
    )
    assert found["seen"]["main"] == found["seen"]["after"] == ["PermissionError"] * 2
    assert found["network"]
    written, connected = found["seen"]["before"]
    assert connected == "PermissionError"
    taken, detail = found["files"]
    assert taken is (written == "PermissionError") is (_version() >= landlock.SYNCHRONIZES)
    assert taken or detail.startswith("1 thread that ran before can change files still")


@needs_landlock
@pytest.mark.skipif(_version() < landlock.SCOPES, reason="this kernel has no scopes (Linux 6.12)")
def test_the_parent_gets_no_signal(tmp_path: Path) -> None:
    """A process that runs a hostile graph cannot end the server."""
    found = confined("confine()\nanswer(tried=tried(lambda: os.kill(os.getppid(), 0)))", tmp_path)
    assert found["tried"] == "PermissionError"


@needs_landlock
def test_a_model_is_compiled_kept_and_run(tmp_path: Path) -> None:
    """All that an engine does comes after: imports, OpenVINO's cache, a model in the box."""
    found = confined(
        """
report = confine([folder])
import earmark
with earmark.load("earmark/sentiment", threads=1) as classifier:
    label = classifier.classify(["I like it"])[0].label
import numpy as np
import openvino
from openvino import opset13 as ops
taken = ops.parameter([-1, 4], np.float32)
model = openvino.Model([ops.matmul(taken, np.ones((4, 4), np.float32), False, False)], [taken])
compiled = openvino.Core().compile_model(model, "CPU", {"CACHE_DIR": str(folder)})
product = compiled(np.ones((1, 4), np.float32))[0].tolist()
answer(complete=report.complete, label=label, product=product, kept=len(os.listdir(folder)))
""",
        tmp_path,
    )
    assert found == {
        "complete": True,
        "label": "POSITIVE",
        "product": [[4.0] * 4],
        "kept": found["kept"],
    }
    assert found["kept"] > 0
