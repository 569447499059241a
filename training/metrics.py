"""What ``metrics.json`` holds: how a model was made, and how it measured."""

from dataclasses import asdict, dataclass

from training.data import count_sources
from training.evaluate import Score
from training.mixture import HELD_OUT_ROWS
from training.provenance import versions
from training.quantize import Clip
from training.stages import HeldOut, Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One model on the held-out film sentences, and on SST-2 where that was measured."""

    held_out: HeldOut
    sst2: dict[str, Score]

    def as_json(self) -> dict[str, object]:
        """Accuracies in percent, with the counts that they come from."""
        return {
            "held_out": asdict(self.held_out),
            "sst2": {
                name: {"accuracy": one.percent, "correct": one.correct, "rows": one.rows}
                for name, one in self.sst2.items()
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What the recipe was told, and what it cost."""

    date: str
    """ISO 8601."""
    seed: int
    teachers: int
    clip: Clip
    seconds: float
    """Wall-clock time of all training and labelling."""
    threads: int
    processor: str
    folder_bytes: int


def build_metrics(
    shop: Workshop, making: Making, *, float32: Measured, int8_weights: Measured
) -> dict[str, object]:
    """Gather everything, ready for JSON. Accuracies are percents, times seconds."""
    ledger = shop.ledger
    trained_tokens = sum(fit.tokens for fit in ledger.fits.values())
    fit_seconds = sum(fit.seconds for fit in ledger.fits.values())
    return {
        "model": "earmark/sentiment",
        "date": making.date,
        "seed": making.seed,
        "teachers": making.teachers,
        "command": f"python -m training.sentiment --data DATA --out FOLDER --seed {making.seed}"
        f" --teachers {making.teachers}",
        "versions": versions(),
        "machine": {"processor": making.processor, "threads": making.threads},
        "data": {
            "distinct_rows": count_sources([*shop.corpus.train, *shop.corpus.review_ends]),
            "held_out_rows": HELD_OUT_ROWS,
            # With repeats: a row shown three times counts three times.
            "rows_shown": dict(sorted(ledger.rows.items())),
            "tokens_shown": dict(sorted(ledger.tokens.items())),
        },
        "training": {
            "seconds": round(making.seconds),
            "tokens": trained_tokens,
            "tokens_per_second": round(trained_tokens / fit_seconds),
            "stages": {
                name: {
                    "steps": fit.steps,
                    "tokens": fit.tokens,
                    "seconds": round(fit.seconds),
                }
                for name, fit in ledger.fits.items()
            },
            "held_out": {name: asdict(one) for name, one in ledger.held_out.items()},
        },
        "quantisation": {"clip": making.clip, "folder_bytes": making.folder_bytes},
        "float32": float32.as_json(),
        "int8_weights": int8_weights.as_json(),
    }
