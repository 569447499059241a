"""The record of the making of ``earmark/zero-shot``: metrics and model card."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from training import folder as checkpoint
from training.evaluate import Score
from training.loop import Fit
from training.nli_mixture import HELD_OUT
from training.pairs import Pair
from training.provenance import machine, versions
from training.quantize import Clip
from training.zero_shot_measure import as_json

_TEMPLATE = Path(__file__).with_name("zero_shot_card.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What the recipe was told, what it cost, and the scores that its choices may rest on."""

    seed: int
    effort: float
    clip: Clip
    fit: Fit
    passes: Sequence[Sequence[Pair]]
    held_out_float32: Score
    held_out_int8: Score


def write_record(folder: Path, making: Making, int8_weights: Mapping[str, Score]) -> None:
    """Write ``metrics.json`` and the model card into the folder of a finished checkpoint.

    Args:
        folder: the checkpoint.
        making: how it was made.
        int8_weights: the shipped model's accuracies, by the name of the set.
    """
    size = checkpoint.folder_bytes(folder)
    date = datetime.now(UTC).isoformat(timespec="seconds")
    where = machine()
    metrics = {
        "model": "earmark/zero-shot",
        "date": date,
        "seed": making.seed,
        "effort": making.effort,
        "command": "python -m training.zero_shot --data DATA --out FOLDER "
        f"--seed {making.seed} --effort {making.effort}",
        "versions": versions(),
        "machine": where,
        "data": {
            "held_out_rows": HELD_OUT,
            # With repeats: a pair shown twice counts twice.
            "pairs_shown": dict(
                sorted(Counter(pair.source for pairs in making.passes for pair in pairs).items())
            ),
        },
        "training": making.fit.as_json(),
        "quantisation": {"clip": making.clip, "folder_bytes": size},
        "float32": as_json({"held_out": making.held_out_float32}),
        "int8_weights": as_json({"held_out": making.held_out_int8, **int8_weights}),
    }
    checkpoint.write_json(folder / "metrics.json", metrics)
    card = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        date=date[:10],
        seed=making.seed,
        effort=making.effort,
        minutes=f"{making.fit.seconds / 60:.0f}",
        million_tokens=f"{making.fit.tokens / 1e6:.1f}",
        processor=where["processor"],
        threads=where["threads"],
        megabytes=f"{size / 1e6:.1f}",
        held_out_float=f"{making.held_out_float32.percent:.1f}",
        held_out=f"{making.held_out_int8.percent:.1f}",
        **{name: f"{score.percent:.1f}" for name, score in int8_weights.items()},
        **{f"{name}_rows": f"{score.rows:,}" for name, score in int8_weights.items()},
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
