"""Labels put into templates, and logits of entailment to scores of labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from earmark.domain.encoding import Encoding
from earmark.domain.head import ModelHead
from earmark.domain.labels import LabelSet
from earmark.domain.packing import Float32
from earmark.domain.results import Ranking
from earmark.errors import InvalidInput
from earmark.tasks.zero_shot import DEFAULT_TEMPLATE, ZeroShot, hypothesis, names_entailment

NLI = ("contradiction", "neutral", "entailment")

LARGEST = float(np.finfo(np.float32).max)


class NoPieces:
    """Stands in for a tokenizer's pieces, which classification of whole texts never asks."""

    unknown = None

    def join(self, tokens: list[str]) -> str:
        """Fail: nothing is to be joined.

        Raises:
            AssertionError: always.
        """
        raise AssertionError(tokens)


labels_of_a_request = st.lists(st.text(max_size=5), min_size=1, max_size=6).map(tuple)
plain = st.text(st.characters(codec="utf-8", exclude_characters="{}"), max_size=5)


def templates(place: str, most: int) -> st.SearchStrategy[str]:
    """Draw well-formed templates with a placeholder, some more of them, and escaped braces."""
    around = st.lists(plain | st.sampled_from(["{{", "}}"]), max_size=4).map("".join)
    rest = st.lists(st.tuples(st.just(place), around).map("".join), min_size=1, max_size=most)
    return st.tuples(around, rest.map("".join)).map("".join)


def rank(
    logits: list[list[float]] | Float32,
    names: tuple[str, ...] = NLI,
    *,
    multi_label: bool = False,
) -> Ranking:
    """Finish one text; candidate ``L3`` belongs to the logits at index 3."""
    rows: Float32 = np.asarray(logits, np.float32)
    candidates = tuple(f"L{index}" for index in range(len(rows)))
    request = ZeroShot(("a text",), candidates, multi_label=multi_label)
    encodings = [Encoding((1, 2), (0, 1), truncated_tokens=3)] * len(rows)
    return request.finish(
        0, encodings, list(rows), ModelHead("sequence", LabelSet(names), NoPieces())
    )


def order(ranking: Ranking) -> str:
    """Write the candidates' numbers, best first."""
    return "".join(one.label[1:] for one in ranking.scores)


def best_score(ranking: Ranking) -> float:
    """Return the greatest score."""
    return ranking.scores[0].score


@given(templates("{}", 1) | templates("{0}", 3), st.text(max_size=5))
def test_a_hypothesis_is_what_the_formatter_would_write(template: str, label: str) -> None:
    """The reference uses `str.format` with the label as its one argument."""
    assert hypothesis(template, label) == template.format(label)


@given(st.text("{}0a!.:[", max_size=8))
def test_what_is_not_refused_is_what_the_formatter_would_write(template: str) -> None:
    """No template is read in another way; what the formatter refuses is refused."""
    try:
        written = hypothesis(template, "label")
    except InvalidInput:
        return
    assert written == template.format("label")
    assert "label" in written


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("no place", "has no {}"),
        ("", "has no {}"),
        ("{{}}", "has no {}"),
        ("{0.__class__}", "lone {"),
        ("{!r}", "lone {"),
        ("{:>9}", "lone {"),
        ("{0[0]}", "lone {"),
        ("{1}", "lone {"),
        ("{label}", "lone {"),
        ("{} {", "lone {"),
        ("{} }", "lone }"),
        ("{} {}", "more than one {}"),
        ("{0} {}", "more than one {}"),
    ],
)
def test_a_template_that_asks_for_anything_else_is_refused(template: str, complaint: str) -> None:
    """Nothing of the label is ever looked up; the message says what to write."""
    with pytest.raises(InvalidInput, match=complaint) as caught:
        hypothesis(template, "label")
    assert "hypothesis_template" in str(caught.value)


def test_a_label_with_braces_stays_as_it_is() -> None:
    """Only the template is a template."""
    assert hypothesis("It is {0}, {0}.", "{}{{") == "It is {}{{, {}{{."


def test_a_request_asks_every_hypothesis_of_every_text() -> None:
    """Text by text, label by label; a long text gives way to its hypothesis."""
    request = ZeroShot(("one", "two"), ("a", "b"))
    asked = [(one.item, one.text.text, one.text.pair, one.cut) for one in request.questions()]
    assert asked == [
        (0, "one", "This example is a.", "only_first"),
        (0, "one", "This example is b.", "only_first"),
        (1, "two", "This example is a.", "only_first"),
        (1, "two", "This example is b.", "only_first"),
    ]
    assert (request.items, request.texts) == (2, 4)


@given(st.lists(plain, min_size=1, max_size=4).map(tuple), labels_of_a_request, templates("{0}", 3))
def test_a_request_is_never_counted_for_less_than_it_is(
    inputs: tuple[str, ...], labels: tuple[str, ...], template: str
) -> None:
    """Its characters bound the work, hypotheses written out."""
    request = ZeroShot(inputs, labels, template)
    assert request.characters >= sum(one.text.characters for one in request.questions())


def test_a_malformed_template_is_refused_before_anything_is_encoded() -> None:
    """`questions` is where it comes to light."""
    with pytest.raises(InvalidInput, match="has a lone"):
        ZeroShot(("one",), ("a",), "{0.__class__}").questions()


rows_of_logits = st.integers(1, 6).flatmap(
    lambda count: arrays(np.float32, (count, 3), elements=st.floats(-LARGEST, LARGEST, width=32))
)


@given(logits=rows_of_logits, multi_label=st.booleans())
def test_scores_are_probabilities_whatever_the_logits(
    *, logits: Float32, multi_label: bool
) -> None:
    """No NaN, no infinity; against each other they sum to one."""
    scores = [one.score for one in rank(logits, multi_label=multi_label).scores]
    assert all(0 <= score <= 1 for score in scores)
    assert scores == sorted(scores, reverse=True)
    if not multi_label and len(scores) > 1:
        assert sum(scores) == pytest.approx(1, abs=1e-6)


@given(logits=rows_of_logits, multi_label=st.booleans())
def test_every_candidate_is_answered_once(*, logits: Float32, multi_label: bool) -> None:
    """Duplicates too: a candidate is a place in the list."""
    answered = order(rank(logits, multi_label=multi_label))
    assert sorted(answered) == [str(index) for index in range(len(logits))]


def test_of_equal_scores_the_later_label_comes_first() -> None:
    """The reference turns a rising order round."""
    assert order(rank([[0, 0, 1], [0, 0, 2], [0, 0, 1], [0, 0, 1]])) == "1320"


@pytest.mark.parametrize(
    ("names", "best"),
    [
        (("contradiction", "neutral", "entailment"), "2"),
        (("ENTAILMENT", "neutral", "contradiction"), "0"),
        (("no", "Entails", "Entailment"), "1"),  # the first that says so
        (("LABEL_0", "LABEL_1", "LABEL_2"), "2"),  # none says so: the last
    ],
)
def test_candidates_are_ranked_by_their_logit_of_entailment(
    names: tuple[str, ...], best: str
) -> None:
    """Wherever it stands; candidate N has the greatest logit at index N."""
    assert order(rank(np.eye(3, dtype=np.float32), names))[0] == best


@pytest.mark.parametrize(
    ("names", "against"),
    [
        (NLI, 0),
        (("entailment", "neutral", "contradiction"), 2),
        (("neutral", "entailment", "contradiction"), 2),
        (("entailment", "contradiction", "neutral"), 1),
        (("neutral", "Entailed", "CONTRADICTS"), 2),
        (("not_entailment", "entailment"), 0),
        (("entailment", "not_entailment"), 1),
        (("entailment", "x", "not_entailment"), 2),
        (("x", "Entailment", "NON-ENTAILMENT"), 2),
        (("x", "entailment", "no entailment"), 2),
        (("x", "entailment", "notentailment"), 2),
        (("contradiction", "x", "y"), 0),  # entailment has no name: the last
        (("x", "y", "contradiction"), 2),  # the last is taken: entailment is the first
        (("entailment", "x", "y"), 2),  # contradiction has no name: the other end
        (("x", "entailment", "y"), 0),
        (("LABEL_0", "LABEL_1", "LABEL_2"), 0),
    ],
)
def test_by_itself_a_label_stands_against_contradiction(
    names: tuple[str, ...], against: int
) -> None:
    """Several labels at once, or a single one: softmax over two logits of the same pair.

    Contradiction is what a name says it is; only without a name is it the other end.
    """
    row = [0.0] * len(names)
    named = [index for index, name in enumerate(names) if name.lower().startswith("entail")]
    row[(named or [0 if against == len(names) - 1 else len(names) - 1])[0]] = 2.0
    row[against] = 1.0
    alone = float(1 / (1 + np.exp(-1.0)))
    assert best_score(rank([row], names)) == pytest.approx(alone)
    assert best_score(rank([row, row], names, multi_label=True)) == pytest.approx(alone)
    assert best_score(rank([row, row], names)) == pytest.approx(0.5)


def test_the_answer_counts_tokens_over_all_hypotheses() -> None:
    """Read and cut, pair by pair."""
    result = rank([[0, 0, 1], [0, 0, 2]])
    assert (result.tokens, result.truncated_tokens) == (4, 6)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (NLI, True),
        (("ENTAILED", "x"), True),
        (("not_entailment", "other"), False),
        (("LABEL_0", "LABEL_1"), False),
    ],
)
def test_a_model_says_that_it_is_for_entailment(*, names: tuple[str, ...], said: bool) -> None:
    """By a label that begins so, in any case."""
    assert names_entailment(LabelSet(names)) == said


def test_the_default_template_is_that_of_the_reference() -> None:
    """A request without one asks as the pipeline does."""
    assert hypothesis(DEFAULT_TEMPLATE, "refund") == "This example is refund."
