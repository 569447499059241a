"""Misspelt names of known models are recognised, and other names are not."""

import pytest

from earmark.domain.near_names import nearest, nearest_model

_SERVED = ("earmark/sentiment", "earmark/zero-shot", "earmark/ner", "my-reranker")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("earmark/sentimnet", "earmark/sentiment"),  # two letters in each other's place
        ("earmark/sentiments", "earmark/sentiment"),
        ("earmark/sentment", "earmark/sentiment"),
        ("Earmark/Sentiment", "earmark/sentiment"),
        ("sentiment", "earmark/sentiment"),
        ("earmrak/sentiment", "earmark/sentiment"),
        ("earmark/zeroshot", "earmark/zero-shot"),
        ("earmark/zero_shot", "earmark/zero-shot"),
        ("earmark/nre", "earmark/ner"),
        ("me/my_reranker", "my-reranker"),
        ("@cf/earmark/sentiment", "earmark/sentiment"),
        ("earmark/sentiment@main", "earmark/sentiment"),
        ("earmark/sentimnet:int8", "earmark/sentiment"),
    ],
)
def test_a_slip_is_told_from_the_name_that_was_meant(written: str, meant: str) -> None:
    """A wrong letter, case or separator, or a missing owner, finds the name that was meant."""
    assert nearest_model(written, _SERVED) == meant


@pytest.mark.parametrize(
    "written",
    ["", "/", "earmark/", "earmark/toxicity", "google/sentiment", "foo", "earmark/" + "x" * 9999],
)
def test_another_name_is_near_none(written: str) -> None:
    """Names of another owner or meaning, and what is no name, are near to none."""
    assert nearest_model(written, _SERVED) is None


def test_models_that_differ_by_a_word_are_not_near() -> None:
    """A name that differs by a word, such as the size, is not near."""
    assert nearest_model("dslim/bert-large-NER", ["dslim/bert-base-NER"]) is None


def test_the_nearest_of_several_is_meant() -> None:
    """The name with fewest differences is found, of equal ones the first."""
    assert nearest("top_kk", ["stop_kk", "top_k", "top_kk "]) == "top_kk "
    assert nearest("abcx", ["abcd", "abce"]) == "abcd"


@pytest.mark.parametrize(("written", "meant"), [("topk", "top_k"), ("TopK", "top_k"), ("k", None)])
def test_case_and_separators_count_for_nothing(written: str, meant: str | None) -> None:
    """Names that differ in case and separators are equal."""
    assert nearest(written, ["top_k", "function_to_apply"]) == meant
