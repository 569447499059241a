"""A checkpoint's JSON files are bounded, and a link to a file without an end is not read."""

import os
import sys
from pathlib import Path

import pytest

from earmark.checkpoint.config import read_json
from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.files.json_file import MOST_JSON_BYTES
from earmark.checkpoint.modules import has_further_modules
from earmark.errors import InvalidCheckpoint


def test_a_file_of_any_size_is_not_read(tmp_path: Path) -> None:
    """One byte more than the bound is refused, and no byte of it is read; the bound is not."""
    path = tmp_path / "config.json"
    path.write_bytes(b'{"a": 1}' + b" " * (MOST_JSON_BYTES - 8))
    assert read_json(path) == {"a": 1}
    os.truncate(path, MOST_JSON_BYTES + 1)
    with pytest.raises(InvalidCheckpoint, match=r"16,777,217 bytes, and at most 16,777,216"):
        read_json(path)
    os.truncate(path, 1 << 40)  # takes no room on the disk
    with pytest.raises(InvalidCheckpoint, match="at most"):
        has_further_modules(path)


def test_nesting_is_bounded(tmp_path: Path) -> None:
    """A million brackets are no crash."""
    path = tmp_path / "config.json"
    path.write_text('{"a": ' + "[" * 1_000_000 + "]" * 1_000_000 + "}", "utf-8")
    with pytest.raises(InvalidCheckpoint, match="recursion"):
        read_json(path)


@pytest.mark.skipif(not Path("/proc/kmsg").exists(), reason="the system has no such file")
@pytest.mark.skipif(sys.platform != "linux", reason="a file of Linux")
def test_a_link_to_a_file_that_never_ends_is_refused(tmp_path: Path) -> None:
    """Reading the kernel's log waits for its next line; the system says that it has no bytes."""
    (tmp_path / "config.json").symlink_to("/proc/kmsg")
    found = LocalRepository.open(tmp_path).find("config.json")
    assert found is not None
    with pytest.raises(InvalidCheckpoint, match="is empty, expected JSON"):
        read_json(found)


def test_a_pipe_or_a_device_is_no_file(tmp_path: Path) -> None:
    """Opening a pipe would wait for a writer; a device such as `/dev/zero` has no end."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("the system has no named pipes")
    os.mkfifo(tmp_path / "config.json")
    (tmp_path / "model.safetensors").symlink_to("/dev/zero")
    repository = LocalRepository.open(tmp_path)
    assert repository.find("config.json") is None
    assert repository.find("model.safetensors") is None
