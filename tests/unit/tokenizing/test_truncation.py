"""How a pair shares the model's room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit

from earmark.tokenizing.truncation import PairCut, kept

TOKENS = st.integers(0, 40)


def reference(first: int, second: int, room: int, strategy: PairCut) -> tuple[int, int]:
    """Truncate with the `tokenizers` library itself."""
    tokenizer = Tokenizer(WordLevel({"a": 0, "b": 1}, unk_token="a"))  # noqa: S106 - a token of text
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.enable_truncation(room, strategy=strategy)
    encoding = tokenizer.encode("a " * first, "b " * second)
    return encoding.ids.count(0), encoding.ids.count(1)


@given(TOKENS, TOKENS, st.integers(1, 60))
def test_longest_first_is_what_the_reference_does(first: int, second: int, room: int) -> None:
    """`longest_first` keeps the same tokens of each text as the library, for every combination."""
    assert kept(first, second, room) == reference(first, second, room, "longest_first")


@given(TOKENS, TOKENS, st.integers(1, 60))
def test_only_first_never_cuts_the_second(first: int, second: int, room: int) -> None:
    """The second text is kept whole as long as there is any room for it."""
    keep = kept(first, second, room, "only_first")
    assert sum(keep) <= room
    if second < room:
        assert keep == reference(first, second, room, "only_first")
        assert keep[1] == second


@pytest.mark.parametrize("strategy", ["longest_first", "only_first"])
def test_no_room_keeps_nothing(strategy: PairCut) -> None:
    """With no room, or less than none, no token is kept."""
    assert kept(5, 5, -3, strategy) == (0, 0)
