"""What can be had: models named once and for all, and those of a folder."""

from pathlib import Path

from earmark.checkpoint.files.models_folder import ModelsFolder
from earmark.checkpoint.ref import BundledRef, FolderRef
from earmark.models.catalogue import Catalogue, KnownModel


def test_named_models_come_first_and_win(tmp_path: Path) -> None:
    """A folder cannot take the place of a model that was named."""
    for name in ("a", "z"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").touch()
    catalogue = Catalogue({"z": BundledRef("bundled/z")}, ModelsFolder.open(tmp_path))
    assert catalogue.ids() == ("z", "a")
    assert catalogue.find("z") == KnownModel("z", BundledRef("bundled/z"))
    found = catalogue.find("a")
    assert found is not None
    assert (found.ref, len(found.files)) == (FolderRef(tmp_path.resolve() / "a"), 1)


def test_without_a_folder_only_the_named_are_known() -> None:
    """An id that was not named is not found."""
    catalogue = Catalogue({"z": BundledRef("bundled/z")})
    assert (catalogue.ids(), catalogue.find("a")) == (("z",), None)
