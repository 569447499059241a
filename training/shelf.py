"""Where a long recipe keeps the weights of finished stages, so that it can go on from them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from training.loop import Fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of a training: what it was shown, and what that cost."""

    name: str
    fit: Fit
    shown: Mapping[str, int]
    """Rows by source, repeats counted."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of float32 weights; without a folder, nothing is kept."""

    folder: Path | None

    def take(self, name: str, model: PreTrainedModel) -> list[Stage] | None:
        """Give `model` the weights that are kept under this name.

        Returns:
            The stages that made them; None, and the model is left as it is, where there are none.
        """
        if self.folder is None or not self._record(self.folder, name).is_file():
            return None
        model.load_state_dict(load_file(self.folder / f"{name}.safetensors"))
        stages = json.loads(self._record(self.folder, name).read_text(encoding="utf-8"))
        return [
            Stage(name=one["name"], fit=Fit(**one["fit"]), shown=one["shown"]) for one in stages
        ]

    def put(self, name: str, model: PreTrainedModel, stages: Sequence[Stage]) -> None:
        """Keep weights, and the stages that made them."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        save_file(model.state_dict(), self.folder / f"{name}.safetensors")
        # Last, so that where there is a record there are whole weights.
        record = json.dumps([asdict(stage) for stage in stages])
        self._record(self.folder, name).write_text(record, encoding="utf-8")

    @staticmethod
    def _record(folder: Path, name: str) -> Path:
        return folder / f"{name}.json"
