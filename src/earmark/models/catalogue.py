"""Which models can be had, whether or not they are in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from earmark.checkpoint.files.models_folder import Fingerprint, ModelsFolder, fingerprint
from earmark.checkpoint.ref import FolderRef, ModelRef
from earmark.engine.info import ModelFacts
from earmark.graph.precision import ComputePrecision
from earmark.models.aliases import Alias


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that can be had.

    Attributes:
        model_id: what requests call it.
        ref: what it is; one of the Hub has its commit.
        files: of a folder, their state when they were looked at; those of others never change.
        precision: in which it is to run; None leaves it to the server's own setting.
        facts: what the Hub says of a model of its own; None where the files are here.
        download_bytes: what has to be fetched before it can be loaded.
    """

    model_id: str
    ref: ModelRef
    files: Fingerprint = ()
    precision: ComputePrecision | None = None
    facts: ModelFacts | None = None
    download_bytes: int = 0


class Discovered(Protocol):
    """Models that were found elsewhere since the start."""

    def find(self, model_id: str) -> KnownModel | None:
        """Return a model that was found; None where none was."""
        ...


class Catalogue:
    """Models by id: those named once and for all, then those of a folder, then those discovered."""

    def __init__(
        self,
        refs: Mapping[str, ModelRef],
        folder: ModelsFolder | None = None,
        *,
        variants: Iterable[Alias] = (),
        discovered: Discovered | None = None,
    ) -> None:
        """Take what can be had.

        Args:
            refs: for each model id, what it is; these win over the folder's.
            folder: looked through anew each time.
            variants: those with a precision make a model of their own, beside the one they are of.
            discovered: what else was found; it is not listed.
        """
        self._refs = dict(refs)
        self._folder = folder
        self._discovered = discovered
        self._variants = {one.runs: one for one in variants if one.precision is not None}

    def find(self, model_id: str) -> KnownModel | None:
        """Look a model up; it costs a few questions to the file system and no reading.

        A folder that comes later wins over a model that was discovered.
        """
        variant = self._variants.get(model_id)
        if variant is not None:
            known = self.find(variant.model_id)
            return known and _varied(known, variant)
        ref = self._refs.get(model_id)
        if ref is not None:
            files = fingerprint(ref.folder) if isinstance(ref, FolderRef) else ()
            return KnownModel(model_id, ref, files)
        found = self._folder.find(model_id) if self._folder else None
        if found is not None:
            return KnownModel(model_id, FolderRef(found), fingerprint(found))
        return self._discovered.find(model_id) if self._discovered else None

    def ids(self) -> tuple[str, ...]:
        """List the ids: those named, in their order, then the folder's, sorted, then variants."""
        below = self._folder.ids() if self._folder else ()
        found = ((one, self.find(one)) for one in self._variants)
        variants = (one for one, known in found if known is not None and known.facts is None)
        return tuple(dict.fromkeys((*self._refs, *below, *variants)))


def _varied(known: KnownModel, variant: Alias) -> KnownModel:
    facts = known.facts and replace(known.facts, model_id=variant.runs)
    return replace(known, model_id=variant.runs, precision=variant.precision, facts=facts)
