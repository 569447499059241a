"""Entities merged window by window equal those of all windows at once."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earmark.domain.encoding import Alignment, Encoding
from earmark.domain.results import Entity
from earmark.tasks.spans import without_overlaps
from earmark.tasks.window_merge import WindowMerge, earliest_start

Window = tuple[float, list[Entity]]
"""Before which code point nothing begins, and what was found."""


def entity(start: int, end: int, score: float = 0.5, word: str = "w") -> Entity:
    """Make an entity."""
    return Entity("PER", score, word, start, end, "PER")


@st.composite
def windows(draw: st.DrawFn) -> list[Window]:
    """Draw windows that begin anywhere, each with entities of any width from there on."""
    drawn = []
    for index in range(draw(st.integers(2, 6))):
        begin = draw(st.integers(0, 24))
        starts = sorted(draw(st.lists(st.integers(begin, begin + 12), max_size=6)))
        found = [
            entity(start, start + draw(st.integers(0, 8)), draw(st.integers(0, 4)) / 4, f"{index}")
            for start in starts
        ]
        empty = not found and draw(st.sampled_from((True, False)))
        drawn.append((inf if empty else begin, found))
    return drawn


@given(windows(), st.data())
def test_windows_in_any_order_make_what_all_at_once_make(
    drawn: list[Window], data: st.DataObject
) -> None:
    """In any order the entities are the same, and the last window leaves none over."""
    order = data.draw(st.permutations(range(len(drawn))))
    merge = WindowMerge([start for start, _ in drawn])
    told = [one for window in order for one in merge.feed(window, drawn[window][1])]
    assert told == without_overlaps([one for _, found in drawn for one in found])


@given(windows())
def test_windows_in_order_wait_for_nothing_they_need_not(drawn: list[Window]) -> None:
    """An entity is held back only while an open window could displace or precede it."""
    merge = WindowMerge([start for start, _ in drawn])
    told: list[Entity] = []
    for window in range(len(drawn) - 1):
        told += merge.feed(window, drawn[window][1])
        known = without_overlaps([one for _, found in drawn[: window + 1] for one in found])
        out = min(start for start, _ in drawn[window + 1 :])
        assert told == [one for one in known if max(one.start, one.end) <= out]


def test_an_entity_is_told_before_the_next_window_if_that_begins_behind_it() -> None:
    """An entity before the next window is returned; one that reaches into it waits."""
    merge = WindowMerge([0, 10, 20])
    first, reaching, longer = entity(0, 4), entity(8, 12), entity(10, 16)
    assert merge.feed(0, [first, reaching]) == [first]
    assert merge.feed(1, [longer]) == [longer]
    assert merge.feed(2, []) == []


def test_a_later_window_that_is_done_first_waits_for_the_earlier_ones() -> None:
    """Entities of a later window wait for the earlier ones."""
    merge = WindowMerge([0, 10])
    early, late = entity(0, 4), entity(12, 14)
    assert merge.feed(1, [late]) == []
    assert merge.feed(0, [early]) == [early, late]


def test_a_single_window_is_told_as_it_is() -> None:
    """A single window's entities are returned unchanged."""
    twice = [entity(0, 4), entity(0, 4)]
    assert WindowMerge([0]).feed(0, twice) == twice


@pytest.mark.parametrize(
    ("offsets", "special", "start"),
    [
        (((0, 0), (7, 9), (9, 12), (0, 0)), (True, False, False, True), 7),
        (((0, 0), (0, 0)), (True, True), inf),
    ],
)
def test_a_window_begins_at_its_first_token(
    offsets: tuple[tuple[int, int], ...], special: tuple[bool, ...], start: float
) -> None:
    """A window begins at its first token that is not special."""
    size = len(offsets)
    alignment = Alignment(("x",) * size, offsets, special, (False,) * size)
    assert earliest_start(Encoding((0,) * size, (0,) * size, alignment=alignment)) == start
