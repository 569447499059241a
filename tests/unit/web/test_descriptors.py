"""The descriptor limit, each test in a process of its own since a limit cannot be restored."""

import subprocess
import sys
from pathlib import Path

import pytest

import earmark.errors

_SOURCE = Path(earmark.errors.__file__).parents[1]
_PROGRAM = """
import resource
from earmark.web.descriptors import most_connections, raise_descriptor_limit

resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
raise_descriptor_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE), most_connections())
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")


def _ask(soft: int, hard: int) -> tuple[int, int, int]:
    """Return the soft and the hard limit afterwards, and the connections."""
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", _PROGRAM.format(soft=soft, hard=hard)],
        env={"PYTHONPATH": str(_SOURCE)},
        capture_output=True,
        text=True,
        timeout=60.0,
        check=True,
    )
    soft, hard, most = map(int, done.stdout.split())
    return soft, hard, most


def test_the_limit_becomes_the_hard_one_and_some_are_spared() -> None:
    """The limit becomes the hard one; open descriptors and 128, or a quarter of few, are spared."""
    assert _ask(100, 256)[:2] == (256, 256)
    assert 256 - 64 - 32 < _ask(100, 256)[2] < 256 - 64
    assert 1024 - 128 - 32 < _ask(1024, 1024)[2] < 1024 - 128


def test_there_is_room_for_a_connection_however_few_there_are() -> None:
    """With eight descriptors, which the process itself needs, one connection is still allowed."""
    assert _ask(8, 8)[2] >= 1
