"""The Hub fails in each way while requests name models of it, and is well again later."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faults.failing_hub import FAILURES, Failure, failing_hub
from faults.figures import Figures
from faults.served import Answer, Served, assert_clean, member, neighbour, serving
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.http_server import running_server
from support.hub_stand_in import HubRepo, HubStandIn

_WAITS: Final = {"x-wait-for-model": "true"}
_KNOWN_WITHIN_S: Final = 15.0
"""How long a request waits for the Hub at most: `DiscoveryOptions`."""
_NEIGHBOUR_S: Final = 1.0
_AGAIN_WITHIN_S: Final = 120.0
_WORDS: Final[dict[Failure, str]] = {
    "silence": "answers nothing",
    "500": "answers 500",
    "429": "answers 429",
    "loop": "redirects in a loop",
    "half-a-file": "sends half of a file, again and again",
    "another-file": "sends a file with another digest",
}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the callers of one model met.

    Attributes:
        refusal: while the Hub failed.
        refused_s: how long that took.
        again_s: from when the Hub was well to the first answer.
    """

    refusal: Answer
    refused_s: float
    again_s: float = 0.0


def _refused(served: Served, model_id: str) -> _Seen:
    """Ask until the failure is known: a model whose files fail counts as loading before."""
    begun_s = time.monotonic()
    while True:
        found = served.ask(f"/models/{model_id}")
        assert found.status == 503, found
        assert int(found.headers["retry-after"]) >= 1
        if "currently loading" not in str(member(found.body, "error")):
            return _Seen(found, time.monotonic() - begun_s)
        time.sleep(0.2)


def _answered_again(served: Served, model_id: str, seen: _Seen) -> _Seen:
    """Ask after the time that each refusal names, until there is an answer."""
    begun_s = time.monotonic()
    while True:
        found = served.ask(f"/models/{model_id}", headers=_WAITS)
        took_s = time.monotonic() - begun_s
        if found.status == 200:
            return _Seen(seen.refusal, seen.refused_s, took_s)
        assert found.status == 503, found
        assert took_s < _AGAIN_WITHIN_S
        time.sleep(int(found.headers["retry-after"]))


def test_a_failing_hub_costs_its_own_models_alone(
    tiny: str, tmp_path: Path, slowness: float, figures: Figures
) -> None:
    """Requests for them get 503 and when to come again; all are answered when the Hub is well."""
    failures = {f"org/{failure}": failure for failure in FAILURES}
    repos = {
        model_id: HubRepo.of(
            write_checkpoint(tmp_path / str(place), CheckpointSpec(num_labels=2 + place))
        )
        for place, model_id in enumerate(failures)
    }
    with failing_hub(repos, failures) as hub, ThreadPoolExecutor(len(failures)) as callers:
        env = {"HF_ENDPOINT": hub.well.url, "HF_HOME": str(tmp_path / "home")}
        flags = ("--model", tiny, "--hub-models", "org/*")
        with serving(*flags, env=env, folder=tmp_path) as served:
            with neighbour(served) as one:
                refusals = list(callers.map(lambda each: _refused(served, each), failures))
                asked = hub.asked
                hub.mended = True
                seen = list(
                    callers.map(
                        lambda each, found: _answered_again(served, each, found),
                        failures,
                        refusals,
                    )
                )
            one.assert_unharmed(worst_s=_NEIGHBOUR_S * slowness)
            assert {state for _, state in one.states} == {"200 ready"}
            assert served.server.stop() == 0
            assert_clean(served.server.events)
    assert asked < 100, "the Hub is asked again and again"
    for failure, each in zip(FAILURES, seen, strict=True):
        assert each.refused_s < _KNOWN_WITHIN_S * slowness
        figures.add(
            f"the Hub {_WORDS[failure]}",
            f"503 with Retry-After {each.refusal.headers['retry-after']}; then fetched",
            f"refused after {each.refused_s:.1f} s; answered {each.again_s:.1f} s after the Hub"
            f" is well; neighbour: at most {one.worst_ms:.0f} ms",
        )


def test_a_hub_that_refuses_connections_is_asked_again(
    tiny: str, tmp_path: Path, slowness: float, figures: Figures
) -> None:
    """503 at once, and the model as soon as the Hub listens."""
    spec = CheckpointSpec(label_names=("BAD", "GOOD"))
    hub = HubStandIn({"org/name": HubRepo.of(write_checkpoint(tmp_path / "published", spec))})
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    env = {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(tmp_path / "home")}
    flags = ("--model", tiny, "--hub-models", "org/*")
    with serving(*flags, env=env, folder=tmp_path) as served, neighbour(served) as one:
        seen = _refused(served, "org/name")
        with running_server(hub, port=port) as server, running_server(hub) as other:
            hub.url, hub.other_url = server.url, other.url
            seen = _answered_again(served, "org/name", seen)
        one.end()
        one.assert_unharmed(worst_s=_NEIGHBOUR_S * slowness)
        assert served.server.stop() == 0
        assert_clean(served.server.events)
    figures.add(
        "the Hub refuses connections",
        f"503 with Retry-After {seen.refusal.headers['retry-after']}; then fetched",
        f"refused after {seen.refused_s:.1f} s; answered {seen.again_s:.1f} s after it listens",
    )
