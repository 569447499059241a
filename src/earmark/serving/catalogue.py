"""Which models can be had, whether or not they are in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from earmark.checkpoint.root import Fingerprint, ModelsFolder, fingerprint
from earmark.graph.precision import ComputePrecision
from earmark.serving.aliases import Alias

__all__ = ["Catalogue", "KnownModel"]


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model whose files are there.

    Attributes:
        model_id: what requests call it.
        source: a bundled id, or a folder.
        files: their state when they were looked at; empty where nobody changes them.
        precision: in which it is to run; None leaves it to the server's own setting.
    """

    model_id: str
    source: str
    files: Fingerprint = ()
    precision: ComputePrecision | None = None


class Catalogue:
    """Models by id: those named once and for all, then those of a folder."""

    def __init__(
        self,
        sources: Mapping[str, str],
        folder: ModelsFolder | None = None,
        *,
        variants: Iterable[Alias] = (),
    ) -> None:
        """Take what can be had.

        Args:
            sources: a bundled id or a folder for each model id; these win over the folder's.
            folder: looked through anew each time.
            variants: those with a precision make a model of their own, beside the one they are of.
        """
        self._sources = dict(sources)
        self._folder = folder
        self._variants = {one.runs: one for one in variants if one.precision is not None}

    def find(self, model_id: str) -> KnownModel | None:
        """Look a model up; it costs a few questions to the file system and no reading."""
        variant = self._variants.get(model_id)
        if variant is not None:
            known = self.find(variant.model_id)
            return known and replace(known, model_id=model_id, precision=variant.precision)
        source = self._sources.get(model_id)
        if source is not None:
            return KnownModel(model_id, source, fingerprint(Path(source)))
        found = self._folder.find(model_id) if self._folder else None
        return None if found is None else KnownModel(model_id, str(found), fingerprint(found))

    def ids(self) -> tuple[str, ...]:
        """List the ids: those named, in their order, then the folder's, sorted, then variants."""
        below = self._folder.ids() if self._folder else ()
        variants = (one for one in self._variants if self.find(one) is not None)
        return tuple(dict.fromkeys((*self._sources, *below, *variants)))
