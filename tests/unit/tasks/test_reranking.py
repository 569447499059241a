"""One pair's logit to a score, and scores to an order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_engine import WordPieces

from earmark.domain.encoding import Encoding
from earmark.domain.head import ModelHead
from earmark.domain.labels import LabelSet
from earmark.domain.results import Relevance
from earmark.domain.texts import Question, TextInput
from earmark.tasks.reranking import Reranking, best_first
from earmark.tasks.text_classification import TextClassification

ENCODING = Encoding((2, 9, 8, 3), (0, 0, 0, 0), truncated_tokens=5)
HEAD = ModelHead("sequence", LabelSet(("LABEL_0",)), WordPieces())

logits = st.floats(-40, 40, width=32)


def test_every_document_is_read_beside_the_query() -> None:
    """Each document is a pair with the query, the query first, in order."""
    asked = Reranking("a query", ("one", "two"), truncate=False).questions()
    assert asked == [
        Question(0, TextInput("a query", "one"), refuse=True),
        Question(1, TextInput("a query", "two"), refuse=True),
    ]


def test_the_query_counts_with_each_document() -> None:
    """The query's characters count once for each document."""
    request = Reranking("abc", ("de", "f"))
    assert (request.items, request.texts, request.characters) == (2, 2, 9)


@given(logits)
def test_a_score_is_what_text_classification_makes_of_the_same_pair(logit: float) -> None:
    """A score equals that of text classification of the same pair."""
    row = np.array([logit], np.float32)
    reranked = Reranking("q", ("d",)).finish(0, [ENCODING], [row], HEAD)
    labelled = TextClassification((TextInput("q", "d"),)).finish(0, [ENCODING], [row], HEAD)
    assert reranked == Relevance(labelled.score, labelled.tokens, labelled.truncated_tokens)


def test_without_a_function_the_score_is_the_logit() -> None:
    """With the function `none`, the score is the logit."""
    row = np.array([-3.5], np.float32)
    found = Reranking("q", ("d",), function="none").finish(0, [ENCODING], [row], HEAD)
    assert found == Relevance(-3.5, 4, 5)


@given(st.lists(st.sampled_from([-1.0, 0.0, 0.5]), max_size=8), st.none() | st.integers(1, 9))
def test_the_best_come_first_and_equals_stay_in_order(
    scores: list[float], top_k: int | None
) -> None:
    """Documents come best first, equal ones in order, up to `top_k`."""
    order = best_first([Relevance(score, 1) for score in scores], top_k)
    whole = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    assert order == whole[:top_k]


@pytest.mark.parametrize("top_k", [None, 2])
def test_labels_may_keep_the_order_of_the_head(top_k: int | None) -> None:
    """With the order of the head, the best labels are kept in that order."""
    head = ModelHead("sequence", LabelSet(("A", "B", "C")), WordPieces())
    request = TextClassification((TextInput("a"),), top_k=top_k, sort=False)
    found = request.finish(0, [ENCODING], [np.array([1, 3, 2], np.float32)], head)
    assert [each.label for each in found.scores] == (
        ["A", "B", "C"] if top_k is None else ["B", "C"]
    )
    assert found.label == "B"
    assert found.score == max(each.score for each in found.scores)
