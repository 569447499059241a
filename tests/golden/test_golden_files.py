"""The golden files themselves: complete, current, small, and able to tell right from wrong."""

import hashlib
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from golden.answers import DATA, read_golden
from golden.cases import CASES, GoldenCase
from golden.comparison import RECOMPUTE_TOLERANCE, compare
from golden.tolerances import FLOAT32_LOGIT_TOLERANCE
from support.checkpoints import write_checkpoint

from earmark.graph.architectures.registry import ARCHITECTURES
from earmark.graph.blocks.activations import ACTIVATIONS

MAX_FILE_BYTES = 100_000
"""A golden file is read by people, in diffs."""

SAME_FUNCTION = {frozenset({"gelu_new", "gelu_pytorch_tanh"}), frozenset({"silu", "swish"})}
"""Two names of one function each."""

BY_NAME = {case.name: case for case in CASES}


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


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_texts_of_a_case_have_different_answers(case: GoldenCase) -> None:
    """The model reads what it is given: answers are further apart than int8 could blur."""
    first = np.asarray([one.logits[0] for one in read_golden(case).answers])
    assert np.ptp(first, axis=0).max() > 0.3


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


def test_comparison_refuses_other_texts() -> None:
    """Answers to other questions are not compared number by number."""
    golden = read_golden(CASES[0])
    _, problems = compare(golden, replace(golden, answers=golden.answers[1:]))
    assert problems == ["its texts have changed; run `make golden`"]


def distance(one: str, other: str) -> float:
    """Return the greatest difference between two cases' logits for the same texts."""
    pairs = zip(read_golden(BY_NAME[one]).answers, read_golden(BY_NAME[other]).answers, strict=True)
    return max(float(np.abs(np.asarray(a.logits) - np.asarray(b.logits)).max()) for a, b in pairs)
