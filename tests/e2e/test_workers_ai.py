"""`earmark serve` under the names of Workers AI, and its batches across a restart."""

import signal
import time
from pathlib import Path

import httpx
from e2e.processes import PATIENCE_S, environment, running_server

NAME = "@cf/huggingface/distilbert-sst-2-int8"
RUN = f"/client/v4/accounts/any/ai/run/{NAME}"


def test_a_name_runs_the_model_in_the_precision_that_it_says(tiny: str, tmp_path: Path) -> None:
    """Beside the model itself, which goes on as it was; each answer says which of the two ran."""
    flags = ("--model", f"mine={tiny}", "--precision", "float32", "--alias", f"{NAME}=mine:int8")
    with running_server(*flags, env=environment(), folder=tmp_path) as server:
        ran = httpx.post(f"{server.address}{RUN}", json={"text": "hi"}, timeout=PATIENCE_S)
        assert ran.status_code == 200, ran.text
        assert ran.headers["x-compute-model"] == "mine:int8"
        assert ran.headers["x-compute-precision"] == "int8"
        plain = httpx.post(
            f"{server.address}/models/mine", json={"inputs": "hi"}, timeout=PATIENCE_S
        )
        assert plain.headers["x-compute-model"] == "mine"
        assert plain.headers["x-compute-precision"] == "float32"


def test_a_batch_survives_a_restart(tiny: str, tmp_path: Path) -> None:
    """Its answer is there for whoever polls the next server."""
    flags = ("--model", f"mine={tiny}", "--alias", f"{NAME}=mine")
    env = environment({"EARMARK_STATE_FOLDER": str(tmp_path / "state")})
    with running_server(*flags, env=env, folder=tmp_path) as server:
        requests = [{"text": f"text {index}"} for index in range(200)]
        submitted = httpx.post(
            f"{server.address}{RUN}?queueRequest=true",
            json={"requests": requests},
            timeout=PATIENCE_S,
        ).json()["result"]
        assert submitted["status"] == "queued"
        assert server.stop(signal.SIGTERM) == 0
    with running_server(*flags, env=env, folder=tmp_path) as server:
        until_s = time.monotonic() + PATIENCE_S
        result: dict[str, object] = {}
        while "responses" not in result and time.monotonic() < until_s:
            asked = {"request_id": submitted["request_id"]}
            answer = httpx.post(f"{server.address}{RUN}", json=asked, timeout=PATIENCE_S)
            result = answer.json()["result"]
        responses = result["responses"]
        assert isinstance(responses, list)
        assert [each["id"] for each in responses] == list(range(200))
        assert all(each["success"] for each in responses)
