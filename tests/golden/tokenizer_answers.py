"""The golden files of tokenizers: what `transformers` made of every text, and how it is kept."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from golden.case import Text
from golden.tokenizer_cases import TokenizerCase

TOKENIZER_DATA = Path(__file__).parent / "tokenizers"
SAMPLES = 10
"""Texts whose tokens are kept in full, to be read; of the others a digest is."""
DIGEST_BYTES = 4
"""One in four billion wrong answers would go unseen."""
DIGESTS_PER_LINE = 10
MOST_SHOWN = 20

Offsets: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What came of one text.

    Attributes:
        ids: token ids, ``[tokens]``.
        type_ids: 0 for the first text and 1 for the second, ``[tokens]``.
        offsets: first and last-plus-one code point of each token in its text; none where the
            answerer does not say.
    """

    ids: tuple[int, ...]
    type_ids: tuple[int, ...]
    offsets: Offsets


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerGolden:
    """All answers of one case.

    Attributes:
        made_with: versions of the packages that answered.
        files_sha256: of the case's files and texts: another hash means other questions.
        vocabulary_size: the largest id and one more.
        backend_sha256: of the tokenizer as the library writes it down: vocabulary, rules, added
            tokens. The same hash means the same tokens of any text. Empty where there is no such
            one.
        samples: of the first texts, in full.
        digests: of every text, in order.
    """

    made_with: Mapping[str, str]
    files_sha256: str
    vocabulary_size: int
    backend_sha256: str
    samples: tuple[Tokens, ...]
    digests: tuple[str, ...]


def digest(tokens: Tokens) -> str:
    """Make a short hash of ids, types and offsets."""
    plain = json.dumps([tokens.ids, tokens.type_ids, tokens.offsets], separators=(",", ":"))
    return hashlib.blake2s(plain.encode(), digest_size=DIGEST_BYTES).hexdigest()


def files_sha256(folder: Path, texts: Sequence[Text]) -> str:
    """Hash everything that an answer depends on."""
    whole = hashlib.sha256(json.dumps(texts).encode())
    for path in sorted(folder.iterdir()):
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def backend_sha256(written: str) -> str:
    """Hash a tokenizer that the library has written down, less padding and truncation."""
    fields = {**json.loads(written), "padding": None, "truncation": None}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def keep(
    answers: Iterable[Tokens],
    *,
    made_with: Mapping[str, str],
    folder: Path,
    texts: Sequence[Text],
    vocabulary_size: int,
    backend: str,
) -> TokenizerGolden:
    """Make a case's file of its answers."""
    known = tuple(answers)
    return TokenizerGolden(
        made_with=made_with,
        files_sha256=files_sha256(folder, texts),
        vocabulary_size=vocabulary_size,
        backend_sha256=backend,
        samples=known[:SAMPLES],
        digests=tuple(map(digest, known)),
    )


def write_tokenizer_golden(case: TokenizerCase, golden: TokenizerGolden) -> Path:
    """Write a case's file."""
    path = TOKENIZER_DATA / f"{case.name}.json"
    rows = [
        "".join(golden.digests[first : first + DIGESTS_PER_LINE])
        for first in range(0, len(golden.digests), DIGESTS_PER_LINE)
    ]
    head = [
        f'"made_with":{_compact(golden.made_with)}',
        f'"files_sha256":{_compact(golden.files_sha256)}',
        f'"vocabulary_size":{golden.vocabulary_size}',
        f'"backend_sha256":{_compact(golden.backend_sha256)}',
    ]
    samples = ",\n".join(_compact([one.ids, one.type_ids, one.offsets]) for one in golden.samples)
    digests = ",\n".join(map(_compact, rows))
    text = (
        "{\n" + ",\n".join(head) + f',\n"samples":[\n{samples}\n],\n"digests":[\n{digests}\n]}}\n'
    )
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def read_tokenizer_golden(case: TokenizerCase) -> TokenizerGolden:
    """Read a case's file.

    Raises:
        FileNotFoundError: the case is new; `make golden` writes its file.
    """
    # Any: straight from JSON; this is the edge where it gets its types.
    fields: dict[str, Any] = json.loads(
        (TOKENIZER_DATA / f"{case.name}.json").read_text(encoding="utf-8")
    )
    digests = "".join(fields["digests"])
    width = 2 * DIGEST_BYTES
    return TokenizerGolden(
        made_with=fields["made_with"],
        files_sha256=fields["files_sha256"],
        vocabulary_size=fields["vocabulary_size"],
        backend_sha256=fields["backend_sha256"],
        samples=tuple(
            Tokens(tuple(ids), tuple(types), tuple((start, end) for start, end in offsets))
            for ids, types, offsets in fields["samples"]
        ),
        digests=tuple(digests[at : at + width] for at in range(0, len(digests), width)),
    )


def compare_tokenizers(kept: TokenizerGolden, answered: TokenizerGolden) -> list[str]:
    """Hold a case's file against other answers; say for each difference which text it is of."""
    if kept.files_sha256 != answered.files_sha256:
        return ["its files or texts have changed; run `make golden`"]
    problems = []
    if kept.vocabulary_size != answered.vocabulary_size:
        problems.append(f"ids were {kept.vocabulary_size}, are {answered.vocabulary_size}")
    if kept.backend_sha256 != answered.backend_sha256 and kept.made_with == answered.made_with:
        problems.append("the tokenizer is another one")
    for index, (old, new) in enumerate(zip(kept.samples, answered.samples, strict=True)):
        if old != new:
            problems.append(f"text {index} was {old}, is {new}")
    pairs = enumerate(zip(kept.digests, answered.digests, strict=True))
    wrong = [index for index, (old, new) in pairs if old != new]
    if wrong:
        shown = ", ".join(map(str, wrong[:MOST_SHOWN]))
        problems.append(f"{len(wrong)} of {len(kept.digests)} texts differ: {shown}")
    return problems


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
