"""A download goes on only as long as somebody wants the model."""

import pytest

from earmark.errors import ShuttingDown
from earmark.serving.hub.watch import WhileWanted


def test_a_download_that_is_wanted_goes_on() -> None:
    """To its end."""
    watch = WhileWanted(lambda: True)
    watch.begin("org/name", total_bytes=10, there_bytes=0)
    watch.advance(10)
    watch.finish()


def test_a_download_that_nobody_wants_breaks_off() -> None:
    """Before it begins, and whenever bytes have come."""
    answers = iter([False, True, False])
    watch = WhileWanted(lambda: next(answers))
    with pytest.raises(ShuttingDown):
        watch.begin("org/name", total_bytes=10, there_bytes=0)
    watch.advance(5)
    with pytest.raises(ShuttingDown):
        watch.advance(5)
