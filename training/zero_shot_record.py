"""The record of the making of ``earmark/zero-shot``: metrics and model card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from training import folder as checkpoint
from training.evaluate import Score
from training.nli_mixture import GENERATED, HELD_OUT, SIFTED
from training.provenance import machine, versions
from training.quantize import Clip
from training.shelf import Stage
from training.zero_shot_measure import as_json

_TEMPLATE = Path(__file__).with_name("zero_shot_card.md")

_SIFTING = (
    "\nThen the model read {unsifted:,.0f} machine-written pairs; the {kept:,} whose label it could"
    " believe,\nand half as many of the others as before, made a second stage."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What the recipe was told, and what it did."""

    seed: int
    effort: float
    clip: Clip
    stages: Sequence[Stage]

    @property
    def command(self) -> str:
        """What makes the model again."""
        return (
            "python -m training.zero_shot --data DATA --out FOLDER "
            f"--seed {self.seed} --effort {self.effort} --stages {len(self.stages)}"
        )

    @property
    def seconds(self) -> float:
        """Time of training, all stages."""
        return sum(stage.fit.seconds for stage in self.stages)

    @property
    def tokens(self) -> int:
        """Tokens shown, all stages."""
        return sum(stage.fit.tokens for stage in self.stages)

    def shown(self, *sources: str) -> int:
        """Pairs shown from these sources, repeats counted; from all, where none is named."""
        return sum(
            pairs
            for stage in self.stages
            for source, pairs in stage.shown.items()
            if not sources or source in sources
        )


def write_record(
    folder: Path,
    making: Making,
    *,
    float32: Mapping[str, Score],
    int8_weights: Mapping[str, Score],
) -> None:
    """Write ``metrics.json`` and the model card into the folder of a finished checkpoint.

    Args:
        folder: the checkpoint.
        making: how it was made.
        float32: accuracies before rounding, by the name of the set; not of every set.
        int8_weights: the same of the shipped weights.
    """
    size = checkpoint.folder_bytes(folder)
    date = datetime.now(UTC).isoformat(timespec="seconds")
    where = machine()
    metrics = {
        "model": "earmark/zero-shot",
        "date": date,
        "seed": making.seed,
        "effort": making.effort,
        "command": making.command,
        "versions": versions(),
        "machine": where,
        "data": {"held_out_rows": HELD_OUT},
        "training": {
            stage.name: {
                **stage.fit.as_json(),
                # With repeats: a pair shown twice counts twice.
                "pairs_shown": dict(sorted(stage.shown.items())),
            }
            for stage in making.stages
        },
        "quantisation": {"clip": making.clip, "folder_bytes": size},
        "float32": as_json(float32),
        "int8_weights": as_json(int8_weights),
    }
    checkpoint.write_json(folder / "metrics.json", metrics)
    card = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        date=date[:10],
        command=making.command,
        minutes=f"{making.seconds / 60:.0f}",
        million_tokens=f"{making.tokens / 1e6:.1f}",
        pairs=f"{making.shown():,}",
        sifting=_SIFTING.format(unsifted=making.effort * SIFTED, kept=making.shown(GENERATED))
        if len(making.stages) > 1
        else "",
        processor=where["processor"],
        threads=where["threads"],
        megabytes=f"{size / 1e6:.1f}",
        **{name: f"{score.percent:.1f}" for name, score in int8_weights.items()},
        **{f"{name}_float32": f"{score.percent:.1f}" for name, score in float32.items()},
        **{f"{name}_rows": f"{score.rows:,}" for name, score in int8_weights.items()},
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
