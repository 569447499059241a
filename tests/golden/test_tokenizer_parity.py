"""earmark's tokenizers against those of `transformers`: all forms of files, 2,000 hostile texts."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
from golden.tokenizer_answers import (
    SAMPLES,
    TOKENIZER_DATA,
    Tokens,
    backend_sha256,
    compare_tokenizers,
    files_sha256,
    keep,
    read_tokenizer_golden,
)
from golden.tokenizer_cases import TOKENIZER_CASES, TokenizerCase, write_case
from golden.tokenizer_texts import HOSTILE
from support.checkpoint_sessions import as_input

from earmark.checkpoint.files.folder import LocalRepository
from earmark.domain.texts import Question
from earmark.tokenizing.families import FAMILIES, family_of
from earmark.tokenizing.load import build_tokenizer, load_tokenizer
from earmark.tokenizing.stated import read_stated
from earmark.tokenizing.words import Span, WordMarks

MAX_FILE_BYTES = 40_000
OLDER_FILES = [
    case
    for case in TOKENIZER_CASES
    if case.answerer == "fast" and not case.name.startswith("json-")
]
LONGEST = 10_000
"""More tokens than any of the texts has."""


class AsTheLibrarySays(WordMarks):
    """Leaves the places of tokens as they are."""

    def places(
        self,
        text: str,  # noqa: ARG002 - as of the class above
        tokens: Sequence[str],  # noqa: ARG002
        offsets: Sequence[Span],
    ) -> tuple[Span, ...]:
        """Return the library's offsets."""
        return tuple(offsets)


@pytest.mark.parametrize("case", TOKENIZER_CASES, ids=lambda case: case.name)
def test_ids_types_and_offsets_equal_those_of_transformers(
    case: TokenizerCase, tmp_path: Path
) -> None:
    """Of all 2,000 texts and pairs, to the last token; offsets where the answerer says them.

    The places are the library's, before spaces and accents are told to whom they belong, which
    `transformers` leaves open (docs/differences.md).
    """
    folder = write_case(tmp_path, case)
    tokenizer = replace(
        load_tokenizer(LocalRepository.open(folder)), words=AsTheLibrarySays("none")
    )
    questions = [Question(item, as_input(text)) for item, text in enumerate(case.texts)]
    says_offsets = case.answerer == "fast"
    encoded = tokenizer.encode(questions, max_tokens=case.max_tokens or LONGEST, align=True)
    answers = [
        Tokens(one.ids, one.type_ids, one.alignment.offsets if says_offsets else ())
        for (one,) in encoded
        if one.alignment is not None
    ]
    golden = read_tokenizer_golden(case)
    ours = keep(
        answers,
        made_with=golden.made_with,
        folder=folder,
        texts=case.texts,
        vocabulary_size=tokenizer.vocabulary_size,
        backend=golden.backend_sha256,
    )
    assert compare_tokenizers(golden, ours) == []


@pytest.mark.parametrize("case", OLDER_FILES, ids=lambda case: case.name)
def test_the_tokenizer_is_the_one_that_transformers_builds(
    case: TokenizerCase, tmp_path: Path
) -> None:
    """Vocabulary, rules and added tokens are the same, and with them the tokens of any text."""
    golden = read_tokenizer_golden(case)
    if golden.made_with["tokenizers"] != version("tokenizers"):
        pytest.skip("another version of tokenizers writes tokenizers down in another way")
    repository = LocalRepository.open(write_case(tmp_path, case))
    built = build_tokenizer(repository, read_stated(repository))
    assert backend_sha256(built.to_str()) == golden.backend_sha256


def test_every_family_has_a_case(tmp_path: Path) -> None:
    """A row of the table was held against `transformers`, or it is not there."""
    found = []
    for case in TOKENIZER_CASES:
        if case.name.startswith("json-"):
            continue
        folder = tmp_path / case.name
        folder.mkdir()
        repository = LocalRepository.open(write_case(folder, case))
        found.append(family_of(repository, read_stated(repository)))
    assert [name for name, family in FAMILIES.items() if family not in found] == []


def test_each_tokenizer_case_has_its_file_and_each_file_its_case() -> None:
    """No file is left over, and each can be read in a diff."""
    names = [case.name for case in TOKENIZER_CASES]
    assert len(set(names)) == len(names)
    assert {path.stem for path in TOKENIZER_DATA.glob("*.json")} == set(names)
    assert max(path.stat().st_size for path in TOKENIZER_DATA.glob("*.json")) < MAX_FILE_BYTES


def test_no_two_cases_have_the_same_answers() -> None:
    """Every setting changes something for some text; the same settings give the same."""
    answers = {case.name: read_tokenizer_golden(case).digests for case in TOKENIZER_CASES}
    assert all(len(answers[case.name]) == len(case.texts) for case in TOKENIZER_CASES)
    assert answers.pop("bart") == answers["roberta"]
    assert answers.pop("camembert-decoder") == answers["camembert"]
    assert len(set(answers.values())) == len(answers)


def test_comparison_says_which_text_has_other_tokens(tmp_path: Path) -> None:
    """The error distinguishes a changed file from a changed answer."""
    golden = read_tokenizer_golden(TOKENIZER_CASES[0])
    assert compare_tokenizers(golden, golden) == []
    moved = replace(golden.samples[0], ids=(1, *golden.samples[0].ids[1:]))
    samples = (moved, *golden.samples[1:])
    digests = (*golden.digests[:SAMPLES], "0" * 8, *golden.digests[SAMPLES + 1 :])
    changed = replace(
        golden, samples=samples, digests=digests, vocabulary_size=1, backend_sha256="0"
    )
    size, another, first, others = compare_tokenizers(golden, changed)
    assert another == "the tokenizer is another one"
    assert size.endswith("are 1")
    assert first.startswith("text 0 was ")
    assert others == f"1 of {len(HOSTILE)} texts differ: {SAMPLES}"
    other = replace(golden, files_sha256=files_sha256(tmp_path, HOSTILE))
    assert "have changed" in compare_tokenizers(golden, other)[0]
