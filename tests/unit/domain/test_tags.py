"""Labels of tokens, parsed in each scheme of published models."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earmark.domain.tags import Place, Tag, parse_tags

PLACES: dict[str, Place] = {"B": "begin", "I": "inside", "E": "end", "S": "single"}


def parsed(names: str) -> list[tuple[str, Place | None]]:
    """Parse labels that are separated by spaces: each one's kind and place."""
    return [(tag.kind, tag.place) for tag in parse_tags(tuple(names.split()))]


@pytest.mark.parametrize(
    ("names", "tags"),
    [
        ("B-PER I-PER", [("PER", "begin"), ("PER", "inside")]),
        ("I-PER I-LOC", [("PER", "inside"), ("LOC", "inside")]),  # IOB1 has no B- where none is due
        ("B-PER", [("PER", "begin")]),
        (
            "B-PER I-PER E-PER S-PER",
            [("PER", "begin"), ("PER", "inside"), ("PER", "end"), ("PER", "single")],
        ),
        (
            "B-PER I-PER L-PER U-PER",
            [("PER", "begin"), ("PER", "inside"), ("PER", "end"), ("PER", "single")],
        ),
        (
            "B-PER M-PER E-PER S-PER",
            [("PER", "begin"), ("PER", "inside"), ("PER", "end"), ("PER", "single")],
        ),
        (
            "B-PER M-PER E-PER W-PER",
            [("PER", "begin"), ("PER", "inside"), ("PER", "end"), ("PER", "single")],
        ),
        # A scheme that one kind shows holds for kinds that show less of it.
        ("S-LOC B-PER E-PER", [("LOC", "single"), ("PER", "begin"), ("PER", "end")]),
        ("PER-B PER-I", [("PER", "begin"), ("PER", "inside")]),
        ("PER-B PER-I PER-E PER-S", [("PER", v) for v in PLACES.values()]),
        ("PER-B PER-I LOC-B", [("PER", "begin"), ("PER", "inside"), ("LOC", "begin")]),
    ],
)
def test_a_place_is_told_from_a_kind(names: str, tags: list[tuple[str, Place | None]]) -> None:
    """The place is found as a prefix or a suffix, in every scheme that models use."""
    assert parsed(names) == tags


@pytest.mark.parametrize(
    "name",
    ["PERSON", "NON-PERSON", "X-RAY", "E-MAIL", "S-BAHN", "U-BOOT", "VITAMIN-B", "PLAN-S", "B-",
     "-B", "-", "b-per", "BI-PER", "B_PER"],
)  # fmt: skip
def test_a_plain_label_is_its_own_kind(name: str) -> None:
    """A label with a dash and no place is one kind, also beside labels with places."""
    assert parsed(name) == [(name, None)]
    assert parsed(f"O {name} B-LOC I-LOC")[1] == (name, None)


def test_a_kind_may_hold_dashes() -> None:
    """A kind may contain dashes: only the first or the last part can be a place."""
    assert parsed("B-NON-PER I-NON-PER") == [("NON-PER", "begin"), ("NON-PER", "inside")]
    assert parsed("NON-PER-B NON-PER-I") == [("NON-PER", "begin"), ("NON-PER", "inside")]
    assert parsed("B-VITAMIN-B I-VITAMIN-B") == [("VITAMIN-B", "begin"), ("VITAMIN-B", "inside")]


def test_only_the_whole_label_is_outside() -> None:
    """Only the whole label `O` is outside; a kind may have that name too."""
    outside, begin, inside = parse_tags(("O", "B-O", "I-O"))
    assert outside == Tag("O", None, outside=True)
    assert (begin, inside) == (Tag("O", "begin"), Tag("O", "inside"))
    assert not outside.goes_on(inside)
    assert not inside.goes_on(outside)
    assert inside.goes_on(begin)


@given(
    st.lists(st.text(st.characters(categories=["Lu", "Nd"]), min_size=2, max_size=5), min_size=1)
)
def test_every_scheme_written_either_way_is_read_the_same(kinds: list[str]) -> None:
    """``PER-B`` is read like ``B-PER``, in every scheme."""
    before = tuple(f"{letter}-{kind}" for kind in kinds for letter in PLACES)
    behind = tuple(f"{kind}-{letter}" for kind in kinds for letter in PLACES)
    expected = tuple(Tag(kind, place) for kind in kinds for place in PLACES.values())
    assert parse_tags(before) == expected
    assert parse_tags(behind) == expected
