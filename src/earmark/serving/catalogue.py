"""Which models can be had, whether or not they are in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from earmark.checkpoint.root import Fingerprint, ModelsFolder, fingerprint

__all__ = ["Catalogue", "KnownModel"]


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model whose files are there.

    Attributes:
        model_id: what requests call it.
        source: a bundled id, or a folder.
        files: their state when they were looked at; empty where nobody changes them.
    """

    model_id: str
    source: str
    files: Fingerprint = ()


class Catalogue:
    """Models by id: those named once and for all, then those of a folder."""

    def __init__(self, sources: Mapping[str, str], folder: ModelsFolder | None = None) -> None:
        """Take what can be had.

        Args:
            sources: a bundled id or a folder for each model id; these win over the folder's.
            folder: looked through anew each time.
        """
        self._sources = dict(sources)
        self._folder = folder

    def find(self, model_id: str) -> KnownModel | None:
        """Look a model up; it costs a few questions to the file system and no reading."""
        source = self._sources.get(model_id)
        if source is not None:
            return KnownModel(model_id, source, fingerprint(Path(source)))
        found = self._folder.find(model_id) if self._folder else None
        return None if found is None else KnownModel(model_id, str(found), fingerprint(found))

    def ids(self) -> tuple[str, ...]:
        """List the ids: those named, in their order, then the folder's, sorted."""
        below = self._folder.ids() if self._folder else ()
        return tuple(dict.fromkeys((*self._sources, *below)))
