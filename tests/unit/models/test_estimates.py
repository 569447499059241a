"""How long loads and downloads take is learned, and load times outlive the server."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from support.fake_hub import found
from support.fake_loader import FAKE_WEIGHTS_BYTES

from earmark.checkpoint.ref import FolderRef
from earmark.models.catalogue import KnownModel
from earmark.models.estimates import (
    DownloadTimes,
    LoadTimes,
    first_estimate_s,
    learned_s,
    remaining_s,
)


def test_the_first_estimate_follows_the_size_of_the_weights() -> None:
    """A model that was never loaded is taken to load 20 million bytes a second."""
    assert first_estimate_s(400_000_000) == pytest.approx(20.0)


@pytest.mark.parametrize(("elapsed_s", "left_s"), [(0.0, 8.0), (3.0, 5.0), (7.5, 1.0), (90.0, 1.0)])
def test_what_has_passed_is_taken_off(elapsed_s: float, left_s: float) -> None:
    """The time that has passed is subtracted, and the rest is never less than a second."""
    assert remaining_s(8.0, elapsed_s) == left_s


@given(st.lists(st.floats(0.01, 1000.0), min_size=1, max_size=40))
def test_the_mean_stays_between_the_shortest_and_the_longest(loads_s: list[float]) -> None:
    """The learned mean lies within what was seen, in any order."""
    mean_s = 0.0
    for count, took_s in enumerate(loads_s):
        mean_s = learned_s(mean_s, count, took_s)
    assert min(loads_s) <= mean_s * (1 + 1e-9)
    assert mean_s <= max(loads_s) * (1 + 1e-9)


def test_a_change_is_learned_however_many_loads_came_before() -> None:
    """After a thousand loads of 2 s, twenty of 10 s bring the mean above 9 s."""
    mean_s = 2.0
    for count in range(1000, 1020):
        mean_s = learned_s(mean_s, count, 10.0)
    assert mean_s > 9


def test_what_was_learned_outlives_the_run(tmp_path: Path) -> None:
    """A later server reads what this one learned; a model never loaded has no mean."""
    file = tmp_path / "state" / "earmark.sqlite"
    times = LoadTimes(file)
    assert not file.parent.exists()
    times.add("org/name", 4.0)
    times.add("org/name", 6.0)
    later = LoadTimes(file)
    assert later.mean_s("org/name") == 5.0
    assert later.mean_s("other") is None
    later.add("org/name", 8.0)
    assert LoadTimes(file).mean_s("org/name") == 6.0


def test_without_a_file_times_last_as_long_as_the_process() -> None:
    """Times are learned without a file too."""
    times = LoadTimes()
    times.add("org/name", 4.0)
    assert times.mean_s("org/name") == 4.0


def test_a_file_that_cannot_be_used_costs_a_warning(tmp_path: Path) -> None:
    """A file that is no database costs warnings, and times are learned all the same."""
    file = tmp_path / "notes.txt"
    file.write_text("no database at all, but longer than the header of one would have to be" * 9)
    with capture_logs() as logs:
        times = LoadTimes(file)
        times.add("org/name", 4.0)
    assert [entry["log_level"] for entry in logs] == ["warning", "warning"]
    assert times.mean_s("org/name") == 4.0


def test_a_download_is_estimated_by_its_size() -> None:
    """400 MB at 100 Mbit/s, and then at the pace that the last one had."""
    times = DownloadTimes()
    assert times.expected_s(found("org/a")) == pytest.approx(32.0)
    times.add(found("org/a"), FAKE_WEIGHTS_BYTES / 4e6)
    assert times.expected_s(found("org/b")) == pytest.approx(100.0)


def test_what_is_here_need_not_be_fetched_again() -> None:
    """A model that was fetched takes no time, and finding it here changes no estimate."""
    times = DownloadTimes()
    times.add(found("org/a"), 32.0)
    assert times.expected_s(found("org/a")) == 0.0
    times.add(found("org/a"), 0.001)
    assert times.expected_s(found("org/b")) == pytest.approx(32.0)
    assert times.expected_s(KnownModel("a", FolderRef(Path("folder")))) == 0.0
    assert times.expected_s(found("org/a", commit="2" * 40)) > 0.0
