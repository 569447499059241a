"""Values of each activation function of `transformers`, written by it.

    python -m golden.activation_values      write activation_values.json

Run with `tests` on the Python path and the extra `reference` installed, as `golden.regenerate`.
"""

import json
from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).with_suffix(".json")
LEARNED = ("prelu", "xielu")
"""Functions whose slopes are tensors of the checkpoint."""
# fmt: off
POINTS = (
    -100.0, -12.0, -6.0, -3.0, -1.5, -1.0, -0.3, -0.01, 0.0, 0.01, 0.3, 0.707107, 1.0, 1.5, 3.0,
    5.5, 6.5, 12.0, 100.0,
)
# fmt: on
"""Where the functions bend, and far beyond."""


def read_activation_values() -> Mapping[str, list[float]]:
    """Read the file: a function's name -> its value at each of `POINTS`."""
    values: dict[str, list[float]] = json.loads(FILE.read_text(encoding="utf-8"))
    return values


def _write() -> None:
    import torch  # noqa: PLC0415 - an extra, which reading the file does not need
    from transformers.activations import ACT2FN  # noqa: PLC0415 - the same

    points = torch.tensor(POINTS)
    values = {
        name: [float(f"{value:.9g}") for value in ACT2FN[name](points).tolist()]
        for name in sorted(set(ACT2FN) - set(LEARNED))
    }
    lines = (f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in values.items())
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    _write()
