"""The files of a model change while it is loaded, or the compiled model in the cache is damaged."""

import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from faults.figures import Figures
from faults.served import Answer, Served, assert_clean, member, neighbour, serving
from support.checkpoints import CheckpointSpec, write_checkpoint

_WAITS: Final = {"x-wait-for-model": "true"}
_WEIGHTS: Final = "model.safetensors"
_MOMENTS_S: Final = (0.0, 0.05, 0.1, 0.2, 0.4)
"""After the request that has the model loaded: the load takes about so long."""
_NEIGHBOUR_S: Final = 2.0


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 75 MB: its load takes some time, and what is compiled of it is kept."""
    spec = CheckpointSpec(
        hidden=512, heads=8, intermediate=2048, layers=6, label_names=("BAD", "GOOD")
    )
    return write_checkpoint(tmp_path_factory.mktemp("large") / "large", spec)


def _cut_short(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 3)


def _empty(file: Path) -> None:
    os.truncate(file, 0)


def _overwrite(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        opened.write(b"\xff" * 1_000_000)


def _put_another(file: Path) -> None:
    other = file.with_suffix(".new")
    other.write_bytes(b"no weights")
    other.replace(file)


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (_cut_short, "cut to a third"),
        (_empty, "emptied"),
        (_overwrite, "overwritten with noise in the middle"),
        (_put_another, "replaced by another"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_weights_that_change_while_they_are_loaded_cost_their_model_alone(  # noqa: PLR0913, PLR0917 - fixtures
    harm: Callable[[Path], None],
    fault: str,
    tiny: str,
    large: Path,
    tmp_path: Path,
    slowness: float,
    figures: Figures,
) -> None:
    """At whatever moment; the model answers as soon as its files are whole again.

    Weights are mapped, and reading behind the end of a file that was cut short ends the process
    that does it: that is the model's own.
    """
    root = tmp_path / "models"
    flags = ("--model", tiny, "--models-folder", str(root), "--max-loaded", "1", "--threads", "1")
    seen: Counter[int] = Counter()
    for place in range(len(_MOMENTS_S)):
        shutil.copytree(large, root / f"model-{place}")
    with serving(*flags, folder=tmp_path, env={"EARMARK_COMPILED_BYTES": "0"}) as served:
        with neighbour(served) as one:
            for place, moment_s in enumerate(_MOMENTS_S):
                answer = _asked_meanwhile(served, root / f"model-{place}", harm, moment_s)
                assert answer.status in {200, 400, 500, 503}, answer
                if answer.status != 200:
                    assert str(root) not in str(member(answer.body, "error"))
                seen[answer.status] += 1
            shutil.copy(large / _WEIGHTS, root / "model-0" / _WEIGHTS)
            begun_s = time.monotonic()
            assert served.ask("/models/model-0", headers=_WAITS).status == 200
            again_s = time.monotonic() - begun_s
        one.assert_unharmed(worst_s=_NEIGHBOUR_S * slowness)
        assert {state for _, state in one.states} == {"200 ready"}
        assert served.server.stop() == 0
        assert_clean(served.server.events)
    answers = ", ".join(f"{count} of {status}" for status, count in sorted(seen.items()))
    figures.add(
        f"weights are {fault} while they are loaded, at {len(_MOMENTS_S)} moments",
        "the request is answered or refused; mended files are loaded; nothing else notices",
        f"{answers}; mended: answered after {again_s:.1f} s; neighbour: at most"
        f" {one.worst_ms:.0f} ms",
    )


def _asked_meanwhile(
    served: Served, folder: Path, harm: Callable[[Path], None], moment_s: float
) -> Answer:
    """Ask for a model, and do harm to its weights a moment later."""
    answers: list[Answer] = []
    asking = threading.Thread(
        target=lambda: answers.append(served.ask(f"/models/{folder.name}", headers=_WAITS))
    )
    asking.start()
    time.sleep(moment_s)
    harm(folder / _WEIGHTS)
    asking.join()
    (answer,) = answers
    return answer


@pytest.mark.parametrize(
    ("harm", "fault"),
    [(_overwrite, "overwritten in the middle"), (_cut_short, "cut to a third")],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_damaged_compiled_model_is_compiled_anew(
    harm: Callable[[Path], None], fault: str, large: Path, tmp_path: Path, figures: Figures
) -> None:
    """The server starts, answers as before, and keeps the model again."""
    took_s: list[float] = []
    answers: list[object] = []
    for damaged in (False, False, True, False):
        kept = list((tmp_path / "cache" / "compiled").glob("*.blob"))
        for file in kept if damaged else ():
            harm(file)
        begun_s = time.monotonic()
        with serving("--model", str(large), folder=tmp_path) as served:
            took_s.append(time.monotonic() - begun_s)
            answers.append(served.ask("/models/large", {"inputs": "a good film"}).body)
            assert served.health() == (200, "ready")
            assert served.server.stop() == 0
            assert_clean(served.server.events)
    assert len(kept) == 1
    assert all(one == answers[0] for one in answers)
    figures.add(
        f"the compiled model in the cache is {fault}",
        "it is not used: the model is compiled anew and kept",
        f"start: {took_s[1]:.1f} s with it, {took_s[2]:.1f} s with the damaged one,"
        f" {took_s[3]:.1f} s after that",
    )
