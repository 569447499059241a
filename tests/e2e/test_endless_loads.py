"""A model whose load never ends: an exported graph with a loop that goes on for ever."""

import shutil
import time
from pathlib import Path

import httpx
import pytest
from e2e.processes import PATIENCE_S, running_server
from support.onnx_models import OnnxSpec, write_onnx_folder

LONG_S = 30.0
"""The load is in its loop long before: the model of the box beside it takes less to load."""


@pytest.mark.parametrize(
    ("engine", "runtime"),
    [("process", "openvino"), ("process", "onnxruntime"), ("thread", "openvino")],
)
def test_it_fails_after_its_time_and_the_others_go_on(
    engine: str, runtime: str, tiny: str, tmp_path: Path
) -> None:
    """Its place is free for another, it is not begun a second time, and a signal ends the server.

    There is one place. The load is deep in native code, which nothing can interrupt: its process is
    ended, and a thread is left behind.
    """
    root = tmp_path / "models"
    write_onnx_folder(root / "endless", OnnxSpec(endless=True))
    shutil.copytree(tiny, root / "other")
    flags = ("--models-folder", str(root), "--model", f"named={tiny}", "--max-loaded", "1")
    limits = ("--load-timeout-s", "10", "--threads", "1", "--runtime", runtime, "--engine", engine)
    with running_server(*flags, *limits, folder=tmp_path) as server:

        def ask(model_id: str, *, wait: bool = False) -> httpx.Response:
            headers = {"x-wait-for-model": "true"} if wait else {}
            url = f"{server.address}/models/{model_id}"
            return httpx.post(url, json={"inputs": "x"}, headers=headers, timeout=PATIENCE_S)

        def state() -> str:
            listed = httpx.get(f"{server.address}/models", timeout=PATIENCE_S).json()
            return str({each["model_id"]: each["status"] for each in listed}["endless"])

        loading = ask("endless")
        assert (loading.status_code, "estimated_time" in loading.json()) == (503, True)
        assert ask("named").status_code == 200
        until_s = time.monotonic() + PATIENCE_S
        while state() == "loading":
            assert time.monotonic() < until_s
            time.sleep(0.2)
        assert state() == "failed"
        assert ask("other", wait=True).status_code == 200
        refused = ask("endless", wait=True)
        assert refused.status_code >= 500, refused.text
        assert "estimated_time" not in refused.json()
        assert server.stop() == 0
    told = [one["event"] for one in server.events if one.get("model") == "endless"]
    assert told.count("a load that does not end is given up") == 1
    left = "a load that does not end is left behind" in [one.get("event") for one in server.events]
    assert left == (engine == "thread")


def test_a_signal_ends_a_server_that_is_still_loading_it(tmp_path: Path) -> None:
    """With exit code 0, as at any other time."""
    folder = write_onnx_folder(tmp_path / "endless", OnnxSpec(endless=True))
    with running_server("--model", str(folder), "--threads", "1", folder=tmp_path) as server:
        with pytest.raises(AssertionError, match="never said"):
            server.address_within(
                LONG_S / 2
            )  # by then it is past its imports, also on a busy machine
        assert server.stop() == 0
    assert "serving" not in [one.get("event") for one in server.events]
