"""The models that ship inside the package."""

from pathlib import Path

from earmark.checkpoint.files.folder import LocalRepository
from earmark.errors import CheckpointNotFound

MODELS_FOLDER = Path(__file__).parent / "models"

BUNDLED: dict[str, str] = {
    "earmark/sentiment": "sentiment",
    "earmark/zero-shot": "zero-shot",
    "earmark/ner": "ner",
}
"""Model id -> folder below `models/`."""

DEFAULT_MODEL = "earmark/sentiment"
"""The model to use when no model is named."""


def bundled_ids() -> tuple[str, ...]:
    """List the ids of the bundled models."""
    return tuple(BUNDLED)


def bundled_folder(model_id: str) -> Path:
    """Return the folder of a bundled model.

    Raises:
        CheckpointNotFound: no bundled model has that id.
    """
    if model_id not in BUNDLED:
        raise CheckpointNotFound(
            f"no bundled model is called {model_id}; bundled are {', '.join(BUNDLED)}"
        )
    return MODELS_FOLDER / BUNDLED[model_id]


def open_bundled(model_id: str) -> LocalRepository:
    """Open a bundled model's files.

    Raises:
        CheckpointNotFound: no bundled model has that id, or the installation lost its files.
    """
    return LocalRepository.open(bundled_folder(model_id), source=f"the bundled {model_id}")
