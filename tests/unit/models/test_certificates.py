"""Certificates are kept between runs, and only so many."""

from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs
from support.fake_engine import FAKE_CERTIFICATE

from earmark.models import certificates
from earmark.models.certificates import Certificates


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the database is to be."""
    return tmp_path / "state" / "earmark.sqlite"


def test_what_was_kept_is_found_by_the_next_run(file: Path) -> None:
    """A later run reads every field of a certificate, under its key alone."""
    assert Certificates(file).find("a") is None
    assert not file.exists()
    Certificates(file).keep("a", FAKE_CERTIFICATE)
    assert Certificates(file).find("a") == FAKE_CERTIFICATE
    assert Certificates(file).find("b") is None


def test_a_certificate_made_anew_takes_the_place_of_the_old_one(file: Path) -> None:
    """Of two certificates under one key the later is kept, as when two servers make it at once."""
    changed = msgspec.structs.replace(FAKE_CERTIFICATE, holds=False)
    store = Certificates(file)
    store.keep("a", FAKE_CERTIFICATE)
    store.keep("a", changed)
    assert store.find("a") == changed


def test_those_used_longest_ago_make_room(file: Path) -> None:
    """Beyond the bound the certificate used longest ago goes; finding one counts as a use."""
    store = Certificates(file, most=3)
    for key in ("a", "b", "c"):
        store.keep(key, FAKE_CERTIFICATE)
    assert store.find("a")
    store.keep("d", FAKE_CERTIFICATE)
    assert [key for key in "abcd" if store.find(key)] == ["a", "c", "d"]
    assert certificates.MOST_KEPT > 3


def test_a_file_that_cannot_be_used_costs_a_warning(file: Path) -> None:
    """A file that is no database is logged, and no load fails for it."""
    file.parent.mkdir()
    file.write_text("no database")
    with capture_logs() as logs:
        Certificates(file).keep("a", FAKE_CERTIFICATE)
        assert Certificates(file).find("a") is None
    assert [(one["event"], one["log_level"]) for one in logs] == [
        ("a certificate cannot be kept", "warning"),
        ("a certificate cannot be read", "warning"),
    ]
