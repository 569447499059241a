"""What several end-to-end tests need."""

from pathlib import Path

import pytest
from support.checkpoints import CheckpointSpec, write_checkpoint


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny model in a folder called `tiny`; the folder's path."""
    folder: Path = tmp_path_factory.mktemp("models") / "tiny"
    return str(write_checkpoint(folder, CheckpointSpec(label_names=("BAD", "GOOD"))))
