"""requirements.lock fits pyproject.toml: what an image is made of is what earmark asks for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.11", "3.12", "3.13")
SYSTEMS = ("linux", "darwin", "win32")


def _project() -> dict[str, object]:
    project: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))[
        "project"
    ]
    return project


def _asked() -> list[Requirement]:
    listed = _project()["dependencies"]
    assert isinstance(listed, list)
    return [Requirement(one) for one in listed]


def _locked() -> list[tuple[Requirement, list[str]]]:
    """Return each line's requirement, and its hashes."""
    text = (ROOT / "requirements.lock").read_text("utf-8").replace("\\\n", " ")
    lines = [one for one in text.splitlines() if one.strip() and not one.startswith("#")]
    split = [re.split(r"\s+--hash=", one.strip()) for one in lines]
    return [(Requirement(first), hashes) for first, *hashes in split]


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_dependency_is_locked_to_a_release_that_fits(python: str, system: str) -> None:
    """For each Python and system: one release, within the range that pyproject.toml asks for."""
    here = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
        "platform_machine": "x86_64",
    }
    locked: dict[str, str] = {}
    for one, _ in _locked():
        if one.marker is None or one.marker.evaluate(here):
            (pin,) = one.specifier
            assert pin.operator == "=="
            assert canonicalize_name(one.name) not in locked, one.name
            locked[canonicalize_name(one.name)] = pin.version
    for asked in _asked():
        if asked.marker is None or asked.marker.evaluate(here):
            version = locked.get(canonicalize_name(asked.name))
            assert version is not None, f"{asked.name} is not locked; run make lock"
            assert version in asked.specifier, f"{asked} is locked to {version}; run make lock"


def test_every_line_has_hashes_and_names_no_place() -> None:
    """Nothing is installed whose bytes are others; where they come from is the installer's."""
    for one, hashes in _locked():
        assert hashes, one.name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), one.name
        assert one.url is None
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*-(?!-hash=)", text, re.MULTILINE)
