"""The golden files: what `transformers` answered, and how it is kept."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from golden.case import GoldenCase, Sorting, Tagging, Text

DATA = Path(__file__).parent / "data"

Function = Literal["none", "softmax", "sigmoid"]
ProblemType = Literal["regression", "single_label_classification", "multi_label_classification"]
Scores: TypeAlias = tuple[tuple[str, float], ...]
"""Labels with their scores, as a pipeline ordered them."""
TaggedPiece: TypeAlias = tuple[str, float, str, int, int, int | None]
"""Label, score, word, start and end; and the index of a token where tokens were not joined."""


@dataclass(frozen=True, slots=True)
class PipelineAnswer:
    """What the text-classification pipeline answered.

    Attributes:
        function: the function it was asked to apply; None left the choice to it.
        top_k: how many labels it was asked for; None asked for all.
        scores: labels with their scores, as it ordered them.
    """

    function: Function | None
    top_k: int | None
    scores: Scores


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one text.

    Attributes:
        text: as it was asked.
        ids: token ids, ``[tokens]``.
        type_ids: 0 for the first text and 1 for the second, ``[tokens]``.
        truncated_tokens: tokens that were cut off.
        logits: ``[1, labels]`` of a sequence head, ``[tokens, labels]`` of a token head.
        pipeline: of the text-classification pipeline.
        tagged: of the token-classification pipeline, in the order of the case's taggings.
        ranked: of the zero-shot-classification pipeline, in the order of the case's sortings.
    """

    text: Text
    ids: tuple[int, ...]
    type_ids: tuple[int, ...]
    truncated_tokens: int
    logits: tuple[tuple[float, ...], ...]
    pipeline: tuple[PipelineAnswer, ...] = ()
    tagged: tuple[tuple[TaggedPiece, ...], ...] = ()
    ranked: tuple[Scores, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenFile:
    """All answers of one case.

    Attributes:
        made_with: versions of the packages that answered.
        weights_sha256: of the checkpoint's `model.safetensors`: another hash means another model.
        max_tokens: the length texts were cut to.
        labels: in the order of the logits.
        problem_type: as `transformers` read it from the config.
        answers: in the order of the case's texts.
        taggings: as they were asked.
        sortings: as they were asked.
    """

    made_with: Mapping[str, str]
    weights_sha256: str
    max_tokens: int
    labels: tuple[str, ...]
    problem_type: ProblemType | None
    answers: tuple[Answer, ...]
    taggings: tuple[Tagging, ...] = ()
    sortings: tuple[Sorting, ...] = ()


def write_golden(case: GoldenCase, golden: GoldenFile) -> Path:
    """Write a case's file, one answer a line, so that a change reads well in a diff."""
    path = DATA / f"{case.name}.json"
    fields = asdict(golden)
    answers = [_compact(_filled(answer)) for answer in fields.pop("answers")]
    head = [f'"{key}":{_compact(value)}' for key, value in _filled(fields).items()]
    body = ",\n".join(answers)
    text = "{\n" + ",\n".join(head) + ',\n"answers":[\n' + body + "\n]}\n"
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def read_golden(case: GoldenCase) -> GoldenFile:
    """Read a case's file.

    Raises:
        FileNotFoundError: the case is new; `make golden` writes its file.
    """
    fields = json.loads((DATA / f"{case.name}.json").read_text(encoding="utf-8"))
    return GoldenFile(
        made_with=fields["made_with"],
        weights_sha256=fields["weights_sha256"],
        max_tokens=fields["max_tokens"],
        labels=tuple(fields["labels"]),
        problem_type=fields["problem_type"],
        answers=tuple(_answer(one) for one in fields["answers"]),
        taggings=tuple(_tagging(one) for one in fields.get("taggings", ())),
        sortings=tuple(_sorting(one) for one in fields.get("sortings", ())),
    )


# Any: straight from JSON; this is the edge where it gets its types.
def _answer(fields: Mapping[str, Any]) -> Answer:
    text = fields["text"]
    return Answer(
        text=text if isinstance(text, str) else (text[0], text[1]),
        ids=tuple(fields["ids"]),
        type_ids=tuple(fields["type_ids"]),
        truncated_tokens=fields["truncated_tokens"],
        logits=tuple(tuple(row) for row in fields["logits"]),
        pipeline=tuple(
            PipelineAnswer(
                one["function"],
                one["top_k"],
                tuple((label, score) for label, score in one["scores"]),
            )
            for one in fields["pipeline"]
        ),
        tagged=tuple(
            tuple((one[0], one[1], one[2], one[3], one[4], one[5]) for one in pieces)
            for pieces in fields.get("tagged", ())
        ),
        ranked=tuple(
            tuple((label, score) for label, score in scores) for scores in fields.get("ranked", ())
        ),
    )


# Any: the same.
def _tagging(fields: Mapping[str, Any]) -> Tagging:
    return Tagging(fields["strategy"], tuple(fields["ignore_labels"]), fields["stride"])


# Any: the same.
def _sorting(fields: Mapping[str, Any]) -> Sorting:
    return Sorting(tuple(fields["labels"]), fields["template"], fields["multi_label"])


def _filled(fields: Mapping[str, object]) -> dict[str, object]:
    """Leave out what a case was not asked."""
    asked = ("taggings", "sortings", "tagged", "ranked")
    return {name: value for name, value in fields.items() if value or name not in asked}


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))
