"""A model that the operator names: its checkpoint, and the id that requests use."""

from dataclasses import dataclass

from earmark.checkpoint.bundled import bundled_ids
from earmark.checkpoint.ref import MODEL_ID, PATH_STARTS, BundledRef, ModelRef, read_ref
from earmark.errors import SettingsError


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model to load, and the id that requests use for it.

    Attributes:
        model_id: such as ``earmark/sentiment`` or ``my-id``.
        ref: where its checkpoint is.
    """

    model_id: str
    ref: ModelRef

    @classmethod
    def read(cls, written: str) -> "NamedModel":
        """Read a model as the operator writes it: a checkpoint, or ``id=`` and a checkpoint.

        A folder without an id gets the folder's name as its id, a model of the Hub its id there. A
        value that begins like a path is a folder without an id, even if it contains a ``=``.

        Raises:
            SettingsError: the id, or a folder's name in its place, cannot stand in a URL.
        """
        if written in bundled_ids():
            return cls(written, BundledRef(written))
        named, place = None, written
        if "=" in written and not written.startswith(PATH_STARTS):
            named, place = written.split("=", maxsplit=1)
        ref = read_ref(place)
        model_id = ref.usual_id if named is None else named
        if not place or not MODEL_ID.fullmatch(model_id):
            raise SettingsError(
                f"{written!r} gives no usable model id; expected a bundled id "
                f"({', '.join(bundled_ids())}), a folder, a model of the Hub (org/name), or "
                "my-id=folder or my-id=org/name with an id of letters, digits and . _ - /"
            )
        return cls(model_id, ref)
