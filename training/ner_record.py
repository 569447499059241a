"""What ``earmark/ner`` is measured by, and the record of its making: metrics and model card."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from tokenizers import Tokenizer
from transformers import PreTrainedModel

from training import folder as checkpoint
from training.data import count_sources
from training.loop import Fit
from training.names import tag_pieces
from training.ner_mixture import HELD_OUT, TaggedCorpus, lowered
from training.provenance import machine, versions
from training.quantize import Clip
from training.tagged import TAGS, TYPES, SpanScore, TaggedSentence, read_tagged, score_spans
from training.tagged_pieces import IGNORED, encode_tagged

_TEMPLATE = Path(__file__).with_name("ner_card.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Sentences to measure by, and the types of names that are marked in them."""

    sentences: Sequence[TaggedSentence]
    types: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NameScores:
    """A model's scores on one measure."""

    words: Mapping[str, SpanScore]
    """Names as runs of words, a word having its first piece's tag; by type, and for ``all``."""
    pieces: SpanScore
    """Names as runs of pieces, as the strategy ``simple`` gathers them; all types together."""

    def as_json(self) -> dict[str, object]:
        """Percents, by type and together."""
        by_type = {kind: score.as_json() for kind, score in self.words.items()}
        return {**by_type, "all_by_pieces": self.pieces.as_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What the recipe was told, and what it cost."""

    seed: int
    runs: int
    clip: Clip
    fit: Fit
    passes: Sequence[Sequence[TaggedSentence]]
    corpus: TaggedCorpus

    @property
    def command(self) -> str:
        """What makes the same again."""
        return (
            f"python -m training.ner --data DATA --out FOLDER --seed {self.seed} --runs {self.runs}"
        )


def read_measures(data: Path, held_out: Sequence[TaggedSentence]) -> dict[str, Measure]:
    """Read the sets that nothing was trained on; in two of them MISC is not marked.

    Raises:
        DataError: a file is missing or is not what it should be.
    """
    without_misc = TYPES[:3]
    files = {
        "wikigold": ("ner_wikigold/all", TYPES),
        "uner_ewt_dev": ("ner_uner_ewt/dev", without_misc),
    }
    measures = {
        name: Measure(
            sentences=read_tagged(
                data / f"{file}.jsonl.gz", source=name, marks_misc="MISC" in types
            ),
            types=types,
        )
        for name, (file, types) in files.items()
    }
    in_small_letters = replace(
        measures["wikigold"],
        sentences=[lowered(sentence) for sentence in measures["wikigold"].sentences],
    )
    measures["wikigold_lower"] = in_small_letters
    return {**measures, "held_out": Measure(sentences=held_out, types=TYPES)}


def measure_names(
    model: PreTrainedModel, tokenizer: Tokenizer, measures: Mapping[str, Measure]
) -> dict[str, NameScores]:
    """Score a finished model on every measure."""
    return {name: _score(model, tokenizer, measure) for name, measure in measures.items()}


def _score(model: PreTrainedModel, tokenizer: Tokenizer, measure: Measure) -> NameScores:
    samples = encode_tagged(tokenizer, measure.sentences)
    found = tag_pieces(model, samples)
    by_words = score_spans(
        [sample.word_tags(classes) for sample, classes in zip(samples, found, strict=True)],
        [sentence.tags for sentence in measure.sentences],
        types=measure.types,
    )
    by_pieces = score_spans(
        [
            _piece_tags(classes.tolist(), sample.targets)
            for sample, classes in zip(samples, found, strict=True)
        ],
        [_piece_tags(sample.targets, sample.targets) for sample in samples],
        types=measure.types,
    )
    return NameScores(words=by_words, pieces=by_pieces["all"])


def _piece_tags(classes: Iterable[int], targets: Iterable[int]) -> list[str]:
    """Name the classes of all pieces but [CLS] and [SEP], which a server leaves out too."""
    return [
        TAGS[piece] for piece, target in zip(classes, targets, strict=True) if target != IGNORED
    ]


def write_record(
    folder: Path,
    making: Making,
    *,
    float32: Mapping[str, NameScores],
    int8_weights: Mapping[str, NameScores],
) -> None:
    """Write ``metrics.json`` and the model card into the folder of a finished checkpoint."""
    size = checkpoint.folder_bytes(folder)
    date = datetime.now(UTC).isoformat(timespec="seconds")
    metrics = {
        "model": "earmark/ner",
        "date": date,
        "seed": making.seed,
        "runs": making.runs,
        "command": making.command,
        "versions": versions(),
        "machine": machine(),
        "data": {
            "distinct_rows": count_sources(making.corpus.train),
            "held_out_rows": HELD_OUT,
            # With repeats: a sentence shown twice counts twice.
            "rows_shown": dict(
                sorted(Counter(row.source for rows in making.passes for row in rows).items())
            ),
        },
        "training": making.fit.as_json(),
        "quantisation": {"clip": making.clip, "folder_bytes": size},
        "float32": {name: scores.as_json() for name, scores in float32.items()},
        "int8_weights": {name: scores.as_json() for name, scores in int8_weights.items()},
    }
    checkpoint.write_json(folder / "metrics.json", metrics)
    where = machine()
    card = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        date=date[:10],
        command=making.command,
        minutes=f"{making.fit.seconds / 60:.0f}",
        million_tokens=f"{making.fit.tokens / 1e6:.1f}",
        processor=where["processor"],
        threads="1 thread" if where["threads"] == 1 else f"{where['threads']} threads",
        megabytes=f"{size / 1e6:.1f}",
        **_figures("float", float32),
        **_figures("int8", int8_weights),
    )
    (folder / "README.md").write_text(card, encoding="utf-8")


def _figures(prefix: str, scores: Mapping[str, NameScores]) -> dict[str, str]:
    figures: dict[str, str] = {}
    for name, one in scores.items():
        figures[f"{prefix}_{name}_pieces"] = f"{one.pieces.f1:.1f}"
        for kind, score in one.words.items():
            figures[f"{prefix}_{name}_{kind}"] = f"{score.f1:.1f}"
    return figures
