"""The golden files are complete, current and small, and distinguish right from wrong answers."""

import hashlib
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from golden.answers import DATA, read_golden
from golden.case import Tagging
from golden.cases import CASES, GoldenCase
from golden.comparison import RECOMPUTE_TOLERANCE, compare
from golden.tolerances import FLOAT32_LOGIT_TOLERANCE, FLOAT32_SCORE_TOLERANCE
from support.checkpoints import write_checkpoint

from earmark.graph.architectures.registry import ARCHITECTURES
from earmark.graph.blocks.activations import ACTIVATIONS

MAX_FILE_BYTES = 100_000
"""A golden file is read by people, in diffs."""

SAME_FUNCTION = {frozenset({"gelu_new", "gelu_pytorch_tanh"}), frozenset({"silu", "swish"})}
"""Two names of one function each."""

BY_NAME = {case.name: case for case in CASES}
TAGGED = [case for case in CASES if case.taggings]
WINDOWED = [case for case in TAGGED if case.taggings[0].stride is not None]
SORTED = [case for case in CASES if case.sortings]
FAMILY_TRAPS = [
    (f"{case.spec.architecture}-usual", case.name)
    for case in CASES
    if (usual := BY_NAME.get(f"{case.spec.architecture}-usual"))
    and case.spec not in {usual.spec, replace(usual.spec, weight_names="no-prefix")}
    and (case.texts, case.spec.head, case.spec.labels)
    == (usual.texts, usual.spec.head, usual.spec.labels)
]
"""The usual checkpoint of a family, and one that differs from it in one thing."""


def test_every_supported_architecture_and_head_has_a_case() -> None:
    """Nothing is called supported that was not held against `transformers`."""
    supported = {(kind, head) for kind, one in ARCHITECTURES.items() for head in one.heads.values()}
    assert supported == {(case.spec.architecture, case.spec.head) for case in CASES}


def test_every_supported_activation_has_a_case() -> None:
    """The same, for the activation functions that a config may name."""
    assert set(ACTIVATIONS) == {case.spec.hidden_act for case in CASES}


def test_each_case_has_its_file_and_each_file_its_case() -> None:
    """No file is left over from a case that is gone or was renamed."""
    assert len(BY_NAME) == len(CASES)
    assert {path.stem for path in DATA.glob("*")} == set(BY_NAME)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_file_was_made_from_this_checkpoint_and_these_texts(
    case: GoldenCase, tmp_path: Path
) -> None:
    """A change to the builder or to a case shows as such, and not as a difference in logits."""
    weights = write_checkpoint(tmp_path, case.spec) / "model.safetensors"
    golden = read_golden(case)
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == golden.weights_sha256
    assert tuple(one.text for one in golden.answers) == case.texts
    assert (golden.taggings, golden.sortings) == (case.taggings, case.sortings)
    assert (DATA / f"{case.name}.json").stat().st_size < MAX_FILE_BYTES


def test_activations_differ_by_more_than_the_tolerance() -> None:
    """Were one taken for another, the parity test would see it."""
    names = ("gelu_new", "gelu_pytorch_tanh", "relu", "silu", "swish", "tanh")
    cases = {name: f"bert-{name}" for name in names} | {"gelu": "bert-single-label"}
    for one, other in combinations(cases, 2):
        if frozenset({one, other}) not in SAME_FUNCTION:
            assert distance(cases[one], cases[other]) > 10 * FLOAT32_LOGIT_TOLERANCE


@pytest.mark.parametrize("trap", ["layer_norm_eps", "float16", "bfloat16", "int8"])
def test_trap_moves_the_logits_beyond_the_tolerance(trap: str) -> None:
    """A loader that walked past it would give other answers than the file holds."""
    assert distance(f"bert-{trap}", "bert-single-label") > 10 * FLOAT32_LOGIT_TOLERANCE


@pytest.mark.parametrize(
    ("trap", "without"),
    [
        ("roberta-layer_norm_eps", "roberta-no-prefix"),
        ("roberta-int8", "roberta-no-prefix"),
        ("xlm-roberta-float16", "xlm-roberta-no-prefix"),
        ("electra-relu", "electra-no-prefix"),
        ("electra-int8", "electra-no-prefix"),
        ("bart-scaled", "bart-no-prefix"),
        ("bart-start-token", "bart-no-prefix"),
        ("bart-untied", "bart-no-prefix"),
        ("bart-relu", "bart-no-prefix"),
        ("bart-float16", "bart-no-prefix"),
        ("bart-int8", "bart-no-prefix"),
    ],
)
def test_trap_of_another_architecture_moves_the_logits(trap: str, without: str) -> None:
    """The same for what RoBERTa, ELECTRA and BART have of their own, or in their own tensors."""
    assert distance(trap, without) > 10 * FLOAT32_LOGIT_TOLERANCE


@pytest.mark.parametrize(("usual", "trap"), FAMILY_TRAPS)
def test_trap_of_a_family_moves_the_logits_beyond_the_tolerance(usual: str, trap: str) -> None:
    """The same for each field that only some families' configs have."""
    assert distance(usual, trap) > 10 * FLOAT32_LOGIT_TOLERANCE


def test_older_and_newer_configs_of_modernbert_mean_the_same() -> None:
    """`transformers` reads both alike, so the case of either holds for the other."""
    assert distance("modernbert-newer-config", "modernbert-thetas") == 0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_texts_of_a_case_have_different_answers(case: GoldenCase) -> None:
    """The model reads what it is given: answers are further apart than int8 could blur."""
    first = np.asarray([one.logits[0] for one in read_golden(case).answers])
    assert np.ptp(first, axis=0).max() > 0.3


@pytest.mark.parametrize("case", TAGGED, ids=lambda case: case.name)
def test_no_two_questions_to_a_tagger_have_the_same_answers(case: GoldenCase) -> None:
    """Strategies, ignored labels and windows each change something in every case."""
    golden = read_golden(case)
    asked = {
        tagging: tuple(one.tagged[index] for one in golden.answers)
        for index, tagging in enumerate(golden.taggings)
    }
    assert len(set(asked.values())) == len(case.taggings)


@pytest.mark.parametrize("case", TAGGED, ids=lambda case: case.name)
def test_taggers_use_their_labels_and_never_by_a_hair(case: GoldenCase) -> None:
    """Groups begin, go on and end; no label wins by what rounding could take away."""
    logits = [np.asarray(one.logits)[1:-1] for one in read_golden(case).answers]
    ordered = np.sort(np.concatenate(logits), axis=-1)
    assert (ordered[:, -1] - ordered[:, -2]).min() > 10 * FLOAT32_LOGIT_TOLERANCE
    best = np.concatenate(logits).argmax(axis=-1)
    assert len(set(best.tolist())) >= len(case.spec.labels) - 1


@pytest.mark.parametrize("case", WINDOWED, ids=lambda case: case.name)
def test_windows_find_what_lies_beyond_the_first(case: GoldenCase) -> None:
    """Every text but one is longer than the model, and answered to its end."""
    golden = read_golden(case)
    overlapping = case.taggings.index(Tagging("simple", (), 5))
    for answer in golden.answers:
        assert max(end for *_, end, _ in answer.tagged[overlapping]) >= len(answer.text) - 2
    *long, short = (one.truncated_tokens > 0 for one in golden.answers)
    assert all(long)
    assert not short


@pytest.mark.parametrize("case", SORTED, ids=lambda case: case.name)
def test_no_two_labels_are_ranked_by_a_hair(case: GoldenCase) -> None:
    """Labels that differ have scores that do; a text's own words change the order."""
    golden = read_golden(case)
    for answer in golden.answers:
        for scores in answer.ranked:
            for (label, score), (other, lower) in pairwise(scores):
                assert label == other or score - lower > 10 * FLOAT32_SCORE_TOLERANCE
    orders = {
        tuple(label for label, _ in scores) for one in golden.answers for scores in one.ranked
    }
    assert len(orders) > len(case.sortings)


def test_comparison_of_a_file_with_itself_finds_nothing() -> None:
    """`make golden-check` passes where nothing has changed."""
    golden = read_golden(CASES[0])
    assert compare(golden, golden) == (0.0, [])


def test_comparison_names_what_has_changed() -> None:
    """`make golden-check` fails on a moved logit, another token and another checkpoint."""
    golden = read_golden(CASES[0])
    first, *others = golden.answers
    low, high = first.logits[0]
    moved = replace(first, logits=((low, high + 2 * RECOMPUTE_TOLERANCE),))
    broken = replace(first, logits=((low, float("nan")),))
    retokenised = replace(first, ids=(*first.ids[:-1], 0))
    for changed, said in (
        (moved, "differs by"),
        (broken, "differs by"),
        (retokenised, "token ids"),
    ):
        _, problems = compare(golden, replace(golden, answers=(changed, *others)))
        assert len(problems) == 1
        assert said in problems[0]
    _, problems = compare(golden, replace(golden, weights_sha256="0"))
    assert problems == [f"weights_sha256 was {golden.weights_sha256}, is 0"]


def test_comparison_names_what_has_changed_of_a_task() -> None:
    """The same for entities and rankings: a moved score, another word, another order."""
    tagged, ranked = read_golden(TAGGED[0]), read_golden(SORTED[0])
    empty, one, *others = tagged.answers
    label, score, word, start, end, index = one.tagged[0][0]
    for changed, said in (
        ((label, score + 2 * RECOMPUTE_TOLERANCE, word, start, end, index), "differs by"),
        ((label, score, f"{word}s", start, end, index), "labels differ"),
    ):
        pieces = ((changed, *one.tagged[0][1:]), *one.tagged[1:])
        answers = (empty, replace(one, tagged=pieces), *others)
        _, (problem,) = compare(tagged, replace(tagged, answers=answers))
        assert said in problem
    first = ranked.answers[0]
    turned = replace(first, ranked=tuple(scores[::-1] for scores in first.ranked))
    _, (problem,) = compare(ranked, replace(ranked, answers=(turned, *ranked.answers[1:])))
    assert "labels differ" in problem


def test_comparison_refuses_other_questions_and_texts() -> None:
    """Answers to other questions are not compared number by number."""
    tagged = read_golden(TAGGED[0])
    _, problems = compare(tagged, replace(tagged, taggings=tagged.taggings[1:]))
    assert problems == ["its questions have changed; run `make golden`"]
    golden = read_golden(CASES[0])
    _, problems = compare(golden, replace(golden, answers=golden.answers[1:]))
    assert problems == ["its texts have changed; run `make golden`"]


def distance(one: str, other: str) -> float:
    """Return the greatest difference between two cases' logits for the same texts."""
    pairs = zip(read_golden(BY_NAME[one]).answers, read_golden(BY_NAME[other]).answers, strict=True)
    return max(float(np.abs(np.asarray(a.logits) - np.asarray(b.logits)).max()) for a, b in pairs)
