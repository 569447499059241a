"""A model as the operator names it: what it is, and the id that requests call it by."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from earmark.checkpoint.bundled import bundled_ids
from earmark.checkpoint.model_id import MODEL_ID
from earmark.checkpoint.ref import HubId
from earmark.errors import SettingsError

__all__ = ["ModelSource"]

PATH_STARTS: Final = (".", "/", "~", "\\")
"""A model written with one of these first is a folder without an id, also where it holds a `=`."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model to load, and the id that requests name it by.

    Attributes:
        model_id: such as ``earmark/sentiment`` or ``my-id``.
        source: a bundled id, a folder, or a model of the Hub, such as ``org/name@revision``.
    """

    model_id: str
    source: str

    @classmethod
    def read(cls, written: str) -> "ModelSource":
        """Read a model as the operator writes it: what it is, or ``id=`` and what it is.

        That is a bundled id; else a folder, where one is there, or where it is written as a path;
        else a model of the Hub, ``org/name`` or ``org/name@revision``, if it can be one; else a
        folder. A folder without an id goes by its own name, a model of the Hub by its own id.

        Raises:
            SettingsError: the id, or a folder's name in its place, cannot stand in a URL.
        """
        if written in bundled_ids():
            return cls(written, written)
        named, place = None, written
        if "=" in written and not written.startswith(PATH_STARTS):
            named, place = written.split("=", maxsplit=1)
        source, usual = _placed(place)
        model_id = usual if named is None else named
        if not place or not MODEL_ID.fullmatch(model_id):
            raise SettingsError(
                f"{written!r} gives no usable model id; expected a bundled id "
                f"({', '.join(bundled_ids())}), a folder, a model of the Hub (org/name), or "
                "my-id=folder or my-id=org/name with an id of letters, digits and . _ - /"
            )
        return cls(model_id, source)

    @property
    def hub_id(self) -> HubId | None:
        """The model of the Hub that this is; None where it is bundled or in a folder."""
        if self.source in bundled_ids() or Path(self.source).exists():
            return None
        return HubId.read(self.source)


def _placed(place: str) -> tuple[str, str]:
    """Tell what a model is, and the id that it has by itself."""
    if place in bundled_ids():
        return place, place
    folder = Path(place).expanduser()
    hub_id = None if place.startswith(PATH_STARTS) else HubId.read(place)
    if hub_id is not None and not folder.exists():
        return place, hub_id.repo
    # With its whole path, a folder is no model of the Hub even when it has gone.
    like_the_hub = HubId.read(str(folder)) is not None
    return str(folder.absolute() if like_the_hub else folder), folder.resolve().name
