"""Tokens to words, words to groups, and windows to one text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earmark.domain.encoding import Alignment, Encoding
from earmark.domain.head import ModelHead
from earmark.domain.labels import LabelSet
from earmark.domain.packing import Float32
from earmark.domain.results import Entity
from earmark.domain.tags import parse_tags
from earmark.tasks.spans import (
    AlignedToken,
    Labelled,
    aligned_tokens,
    group,
    ignored,
    join,
    label_tokens,
    label_words,
    without_overlaps,
)


@dataclass(frozen=True, slots=True)
class StatedPieces:
    """A tokenizer's pieces as the test states them; words are joined by spaces."""

    unknown: str | None = "[UNK]"

    def join(self, tokens: list[str]) -> str:
        """Write tokens as text again."""
        return " ".join(tokens).replace(" ##", "")


PIECES = StatedPieces()
LABELS = LabelSet(("O", "B-PER", "I-PER"))
HEAD = ModelHead("token", LABELS, PIECES)

NAMES = ("O", "PER", "B-PER", "I-PER", "B-LOC", "I-LOC", "NON-PER", "B-")


def entity(label: str, start: int, end: int, score: float = 0.5) -> Entity:
    """Make one token or word with its label."""
    return Entity(label, score, f"w{start}", start, end, label)


def in_a_row(labels: Sequence[str], names: Sequence[str] = ()) -> list[Labelled]:
    """Make one word for each label, two letters each with a space between.

    Args:
        labels: of the words.
        names: all labels of the model; those of the words where they are left out.
    """
    known = tuple(dict.fromkeys(names or labels))
    tags = dict(zip(known, parse_tags(known), strict=True))
    return [
        Labelled(entity(label, 3 * index, 3 * index + 2), tags[label])
        for index, label in enumerate(labels)
    ]


def kinds(groups: Sequence[Sequence[Labelled]]) -> list[str]:
    """Name the groups as an answer does."""
    return [join(members, PIECES).label for members in groups]


def found(entities: list[Entity]) -> list[tuple[str, int, int]]:
    """Say what was found where."""
    return [(one.label, one.start, one.end) for one in entities]


def token(word: str, *scores: float, continues: bool = False, start: int = 0) -> AlignedToken:
    """Make a token with a score for each of `LABELS`."""
    values: Float32 = np.asarray(scores, np.float32)
    return AlignedToken(word, values, start, start + len(word), 1, continues)


def align(text: str, *tokens: tuple[str, int, int, bool]) -> list[AlignedToken]:
    """Align tokens between two special ones; each with its place, and whether it continues."""
    alignment = Alignment(
        ("[CLS]", *(one[0] for one in tokens), "[SEP]"),
        ((0, 0), *((one[1], one[2]) for one in tokens), (0, 0)),
        (True, *(False for _ in tokens), True),
        (False, *(one[3] for one in tokens), False),
    )
    size = len(alignment.tokens)
    scores = np.arange(size * 3, dtype=np.float32).reshape(size, 3)
    encoding = Encoding((0,) * size, (0,) * size, alignment=alignment)
    return aligned_tokens(text, encoding, scores, PIECES)


def test_special_tokens_are_left_out_and_counted() -> None:
    """The first token of the text has index 1, and its own scores."""
    first, second = align("ab cd", ("ab", 0, 2, False), ("cd", 3, 5, True))
    assert (first.index, second.index) == (1, 2)
    assert first.scores.tolist() == [3, 4, 5]
    assert (first.continues, second.continues) == (False, True)


def test_an_unknown_token_shows_its_text() -> None:
    """Its name says nothing of what stands there; it continues its word or not, as any other."""
    first, second = align("a🙂", ("a", 0, 1, False), ("[UNK]", 1, 2, True))
    assert (second.word, second.continues) == ("🙂", True)
    assert first.word == "a"


def test_an_encoding_without_alignment_is_a_mistake_of_ours() -> None:
    """The engine aligns for token heads; anything else is said at once."""
    with pytest.raises(ValueError, match="no alignment"):
        aligned_tokens("a", Encoding((1,), (0,)), np.zeros((1, 3), np.float32), PIECES)


def test_each_token_gets_its_best_label() -> None:
    """With its score and place."""
    (one,) = label_tokens([token("ab", 0.2, 0.5, 0.3, start=7)], HEAD)
    assert one.entity == Entity("B-PER", 0.5, "ab", 7, 9, "PER", 1)


def test_the_strategies_choose_a_words_label_each_in_its_way() -> None:
    """The first token's, the mean's, and that of the surest token."""
    word = [
        token("ab", 0.4, 0.3, 0.3),
        token("##c", 0.05, 0.5, 0.45, continues=True, start=2),
        token("##d", 0.2, 0.2, 0.6, continues=True, start=5),
    ]
    said = {
        strategy: [one.entity for one in label_words(word, HEAD, strategy)]
        for strategy in ("first", "average", "max")
    }
    labels = {strategy: one.label for strategy, (one,) in said.items()}
    assert labels == {"first": "O", "average": "I-PER", "max": "I-PER"}
    scores = {strategy: one.score for strategy, (one,) in said.items()}
    assert scores == pytest.approx({"first": 0.4, "average": 0.45, "max": 0.6})
    (one,) = said["first"]
    assert (one.word, one.start, one.end, one.index) == ("abcd", 0, 8, None)


def test_the_first_of_equally_sure_tokens_names_the_word() -> None:
    """As Python's `max` does in the reference."""
    word = [token("a", 0.1, 0.8, 0.1), token("##b", 0.1, 0.1, 0.8, continues=True, start=1)]
    (one,) = label_words(word, HEAD, "max")
    assert one.entity.label == "B-PER"


def test_a_token_that_goes_on_with_nothing_is_a_word() -> None:
    """A window may begin in the middle of a word."""
    half = token("##b", 1, 0, 0, continues=True)
    assert len(label_words([half, token("c", 1, 0, 0, start=3)], HEAD, "first")) == 2


@pytest.mark.parametrize(
    ("labels", "groups"),
    [
        ("B-PER I-PER", ["PER"]),
        ("B-PER B-PER", ["PER", "PER"]),
        ("I-PER I-PER", ["PER"]),
        ("B-PER I-LOC", ["PER", "LOC"]),
        ("I-PER B-PER I-PER", ["PER", "PER"]),
        ("O O B-PER O", ["O", "PER", "O"]),
        ("NOUN NOUN VERB", ["NOUN", "VERB"]),
        ("B-PER PER", ["PER"]),  # a name without a place goes on
        ("B-NON-PER NON-PER", ["NON-PER"]),
        ("NON-PER PER", ["NON-PER", "PER"]),  # a dash of the name is no prefix
        ("NON-PER NON-LOC", ["NON-PER", "NON-LOC"]),
        ("B-O I-O O", ["O", "O"]),  # a kind of entity, then what is outside of any
        ("O I-O", ["O", "O"]),
        ("B-PER I-PER E-PER S-PER S-PER", ["PER", "PER", "PER"]),
        ("B-PER E-PER I-PER E-PER", ["PER", "PER"]),
        ("B-PER I-PER L-PER U-PER B-PER", ["PER", "PER", "PER"]),
        ("U-LOC L-LOC I-LOC", ["LOC", "LOC", "LOC"]),
        ("PER-B PER-I O PER-B LOC-B LOC-I", ["PER", "O", "PER", "LOC"]),
        ("PER-B PER-I PER-E PER-S", ["PER", "PER"]),
        ("", []),
    ],
)
def test_neighbours_of_one_entity_are_joined(labels: str, groups: list[str]) -> None:
    """An entity goes on unless its kind changes, it ends, or another begins."""
    assert kinds(group(in_a_row(labels.split()))) == groups


def test_a_group_spans_its_words_and_takes_the_mean_of_their_scores() -> None:
    """Its text is the tokenizer's, and it has no index."""
    first, second = in_a_row(["B-PER", "I-PER"])
    first = replace(first, entity=replace(first.entity, score=0.75, index=1))
    second = replace(second, entity=replace(second.entity, score=0.25))
    assert join([first, second], PIECES) == Entity("PER", 0.5, "w0 w3", 0, 5, "PER", None)


@given(st.lists(st.sampled_from(NAMES), max_size=20))
def test_groups_cover_every_word_once_in_order(labels: list[str]) -> None:
    """None is lost, and none is in two groups."""
    words = in_a_row(labels, NAMES)
    groups = group(words)
    assert [one for members in groups for one in members] == words
    assert all(groups)


@given(st.lists(st.sampled_from(NAMES), max_size=20))
def test_groups_begin_only_where_they_must(labels: list[str]) -> None:
    """Every cut has its reason: the kind changes, or a label says that another begins."""
    words = in_a_row(labels, NAMES)
    cuts = {members[0].entity.start for members in group(words)}
    kind = {"B-PER": "PER", "I-PER": "PER", "B-LOC": "LOC", "I-LOC": "LOC"}
    for before, after in pairwise(one.entity for one in words):
        begins = after.label in {"B-PER", "B-LOC"} or (
            kind.get(before.label, before.label) != kind.get(after.label, after.label)
        )
        assert (after.start in cuts) == begins


@pytest.mark.parametrize(
    ("labels", "names", "left"),
    [
        ("O B-PER I-PER", {"O"}, ["PER"]),
        ("O B-PER I-PER", {"PER"}, ["O"]),
        ("O B-PER I-PER", {"B-PER"}, ["O", "PER"]),  # a part of it is not named
        ("O B-PER I-PER", {"B-PER", "I-PER"}, ["O"]),
        ("B-PER B-LOC", {"B-PER"}, ["LOC"]),
        ("PERSON NON-PERSON", {"PERSON"}, ["NON-PERSON"]),
        ("PERSON NON-PERSON", {"NON-PERSON"}, ["PERSON"]),
        ("O B-O I-O", {"O"}, ["O"]),  # the kind of entity stays
        ("O B-O I-O", {"B-O", "I-O"}, ["O"]),  # what is outside stays
        ("S-PER B-PER E-PER", {"PER"}, []),
        ("PER-B PER-I O", {"PER"}, ["O"]),
        ("PER-B PER-I O", {"PER-B", "PER-I", "O"}, []),
        ("B-PER", {"b-per", "per", "P", ""}, ["PER"]),
    ],
)
def test_a_label_or_a_kind_is_left_out_by_its_name(
    labels: str, names: set[str], left: list[str]
) -> None:
    """As the model writes the label, or as the answer names the kind."""
    groups = group(in_a_row(labels.split()))
    assert kinds([one for one in groups if not ignored(one, names)]) == left


overlapping = st.lists(
    st.builds(
        lambda start, size, score: entity("PER", start, start + size, score / 8),
        st.integers(0, 30),
        st.integers(0, 8),
        st.integers(0, 8),
    ),
    max_size=20,
)


@given(overlapping)
def test_what_is_kept_of_windows_never_overlaps(entities: list[Entity]) -> None:
    """It is ordered, was found, and stays as it is when looked at again."""
    kept = without_overlaps(entities)
    assert all(one.end <= other.start for one, other in pairwise(kept))
    assert all(one in entities for one in kept)
    assert without_overlaps(kept) == kept
    assert bool(kept) == bool(entities)


@pytest.mark.parametrize(
    ("entities", "kept"),
    [
        ([entity("A", 0, 4), entity("B", 4, 8)], ["A", "B"]),  # side by side
        ([entity("A", 0, 4), entity("B", 3, 8)], ["B"]),  # the longer
        ([entity("A", 0, 6), entity("B", 3, 8)], ["A"]),
        ([entity("A", 0, 4, 0.5), entity("B", 2, 6, 0.7)], ["B"]),  # as long, surer
        ([entity("A", 0, 4, 0.5), entity("B", 2, 6, 0.5)], ["A"]),  # the first
        ([entity("A", 5, 9), entity("B", 0, 3)], ["B", "A"]),  # in the order of the text
        ([entity("A", 0, 4), entity("B", 3, 8), entity("C", 7, 9)], ["B"]),  # C overlaps B
        ([entity("A", 0, 0), entity("B", 0, 3)], ["A", "B"]),  # of no width: the reference
        # would double such a first one
    ],
)
def test_of_overlapping_entities_the_longer_then_the_surer_stays(
    entities: list[Entity], kept: list[str]
) -> None:
    """What two windows both found is answered once."""
    assert [label for label, _, _ in found(without_overlaps(entities))] == kept
