"""The model card, rendered from what was measured, so that its figures cannot go stale."""

from pathlib import Path
from string import Template

from training.metrics import Making, Measured

_TEMPLATE = Path(__file__).with_name("sentiment_card.md")

_NO_TEACHER = "The encoder was fine-tuned once on the labelled sentences."
_ONE_TEACHER = """\
The encoder is fine-tuned on the labelled sentences. The model's own opinion, and each film review's
verdict, then label sentences of whole reviews, and the model learns on from these and from the
labelled sentences."""
_TEACHERS = """\
Teachers, equal but for their draws, are fine-tuned on the labelled sentences. Their mean opinion,
and each film review's own verdict, label sentences of whole reviews. Then the mean of the teachers'
weights (or the best teacher, where it is better on the held-out sentences) learns on from these and
from the labelled sentences."""


def render_card(making: Making, *, float32: Measured, int8_weights: Measured, tokens: int) -> str:
    """Fill the card's template in.

    Args:
        making: what the recipe was told, and what it cost.
        float32: the model as trained.
        int8_weights: the model as shipped, its weights multiplied out.
        tokens: tokens trained on, all stages together.
    """
    values = {
        "date": making.date[:10],
        "seed": str(making.seed),
        "teachers": str(making.teachers),
        "stages": (_NO_TEACHER, _ONE_TEACHER, _TEACHERS)[min(making.teachers, 2)],
        "minutes": f"{making.seconds / 60:.0f}",
        "million_tokens": f"{tokens / 1e6:.1f}",
        "processor": making.processor,
        "threads": str(making.threads),
        "megabytes": f"{making.folder_bytes / 1e6:.1f}",
        "clip": {"max": "its greatest absolute value", "mse": "the least squared error"}[
            making.clip
        ],
        **_figures("float", float32),
        **_figures("int8", int8_weights),
    }
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(values)


def _figures(prefix: str, measured: Measured) -> dict[str, str]:
    figures = {name: f"{one.percent:.1f}" for name, one in measured.sst2.items()}
    figures["held_out"] = f"{measured.held_out.as_written:.1f}"
    figures["held_out_treebank"] = f"{measured.held_out.as_treebank:.1f}"
    return {f"{prefix}_{name}": figure for name, figure in figures.items()}
