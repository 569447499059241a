"""What the tests of faults share."""

import os
import sys
from pathlib import Path

import pytest
from faults.figures import Figures
from support.checkpoints import CheckpointSpec, write_checkpoint

if sys.platform != "linux":  # what a process holds is read from /proc
    collect_ignore_glob = ["test_*.py"]

FULL_SIZE = "--full-size"
FIGURES = "--figures"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `make faults` sets."""
    group = parser.getgroup("faults")
    group.addoption(FULL_SIZE, action="store_true", help="as many clients as the table names")
    group.addoption(FIGURES, type=Path, help="folder for the rows of the table")


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Where a test records what happened."""
    folder = request.config.getoption(FIGURES, None)
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    file, line, _ = request.node.location
    return Figures(folder and folder / f"{worker}.jsonl", (Path(file).name, line or 0))


@pytest.fixture
def full_size(request: pytest.FixtureRequest) -> bool:
    """Whether the largest crowds come in full, or a tenth of them."""
    return bool(request.config.getoption(FULL_SIZE, default=False))


@pytest.fixture
def slowness(*, full_size: bool) -> float:
    """How many times longer things may take, since others share the machine."""
    cores = len(os.sched_getaffinity(0))
    return max(1.0, os.getloadavg()[0] / cores) if full_size else 5.0


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny model in a folder called `tiny`; the folder's path."""
    folder: Path = tmp_path_factory.mktemp("models") / "tiny"
    return str(write_checkpoint(folder, CheckpointSpec(label_names=("BAD", "GOOD"))))


@pytest.fixture(scope="session")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny model of entities in a folder called `tagger`; the folder's path."""
    names = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    spec = CheckpointSpec(head="token", num_labels=len(names), label_names=names)
    return str(write_checkpoint(tmp_path_factory.mktemp("models") / "tagger", spec))
