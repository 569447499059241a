"""How long a download is likely to take."""

from pathlib import Path

import pytest
from support.fake_hub import found
from support.fake_loader import FAKE_WEIGHTS_BYTES

from earmark.checkpoint.ref import FolderRef
from earmark.models.catalogue import KnownModel
from earmark.models.download_times import DownloadTimes


def test_a_download_is_estimated_by_its_size() -> None:
    """400 MB at 100 Mbit/s, and then at the pace that the last one had."""
    times = DownloadTimes()
    assert times.expected_s(found("org/a")) == pytest.approx(32.0)
    times.add(found("org/a"), FAKE_WEIGHTS_BYTES / 4e6)
    assert times.expected_s(found("org/b")) == pytest.approx(100.0)


def test_what_is_here_need_not_be_fetched_again() -> None:
    """Nor does finding it here tell anything of the network."""
    times = DownloadTimes()
    times.add(found("org/a"), 32.0)
    assert times.expected_s(found("org/a")) == 0.0
    times.add(found("org/a"), 0.001)
    assert times.expected_s(found("org/b")) == pytest.approx(32.0)
    assert times.expected_s(KnownModel("a", FolderRef(Path("folder")))) == 0.0
    assert times.expected_s(found("org/a", commit="2" * 40)) > 0.0
