"""The optimiser and the training loop; knows nothing of where samples come from."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from transformers import PreTrainedModel

from training.averaging import RunningMean
from training.batches import Encoded, make_batches, pad, pad_segments
from training.data import seeded
from training.encoder import has_fast_bf16

_HIDDEN_DROPOUTS = ("embeddings.dropout", "output.dropout")

_AVERAGE_EVERY = 5
_REPORT_EVERY = 50

AnySample = TypeVar("AnySample", bound=Encoded)

Loss = Callable[[PreTrainedModel, Sequence[AnySample]], torch.Tensor]
"""A batch's mean loss, a scalar in nats: what a recipe's samples know beyond their tokens is
between it and its loss."""

Report = Callable[[str], None]
"""Takes one line of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitOptions:
    """How to train. The values come from the project's first try, but for `average_last`."""

    learning_rate: float
    batch_tokens: int = 1200
    warmup: float = 0.06
    """Share of the steps over which the rate rises; then it falls in a line to zero."""
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    average_last: float = 0.25
    """The trained weights are the mean over this last share of the steps; 0 takes the last."""
    hidden_dropout: float = 0.0
    """Share of the hidden values dropped; costs 15 % of the speed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What a training run used up."""

    steps: int
    tokens: int
    seconds: float

    def as_json(self) -> dict[str, int]:
        """The figures, and the speed that they make."""
        return {
            "steps": self.steps,
            "tokens": self.tokens,
            "seconds": round(self.seconds),
            "tokens_per_second": round(self.tokens / self.seconds),
        }


def fit(
    model: PreTrainedModel,
    passes: Sequence[Sequence[AnySample]],
    options: FitOptions,
    *,
    loss: Loss[AnySample],
    seed: int,
    report: Report,
) -> Fit:
    """Train `model` in place, one pass after the other, each shuffled by `seed`."""
    torch.manual_seed(seed)
    set_hidden_dropout(model, options.hidden_dropout)
    draw = seeded(seed)
    batches = [
        [samples[index] for index in batch]
        for samples in passes
        for batch in make_batches(
            [len(sample.ids) for sample in samples], batch_tokens=options.batch_tokens, draw=draw
        )
    ]
    optimiser = torch.optim.AdamW(
        _parameter_groups(model, options.weight_decay), lr=options.learning_rate, fused=True
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: _rate_at(step, len(batches), options.warmup)
    )
    mean = RunningMean(model)
    average_from = int(len(batches) * (1 - options.average_last))
    meter = _Meter(len(batches), report)
    model.train()
    for step, batch in enumerate(batches, start=1):
        nats = loss(model, batch)
        torch.autograd.backward(nats)
        torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip_norm)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        if step > average_from and step % _AVERAGE_EVERY == 0:
            mean.add()
        meter.count(sum(len(sample.ids) for sample in batch), nats.item())
    mean.install()
    return Fit(steps=len(batches), tokens=meter.tokens, seconds=meter.elapsed_s)


def set_hidden_dropout(model: PreTrainedModel, share: float) -> None:
    """Drop this share of what the embeddings and each sublayer put out, when training."""
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Dropout) and name.endswith(_HIDDEN_DROPOUTS):
            module.p = share


def forward(
    model: PreTrainedModel, rows: Sequence[Encoded], *, rough: bool = False
) -> torch.Tensor:
    """Run a batch; returns the logits, float32, [rows, classes] or [rows, width, classes].

    In training, and where a `rough` answer will do, the matrices are multiplied in bfloat16 if
    the processor does that fast.
    """
    ids, mask = pad([row.ids for row in rows])
    segments = pad_segments(rows, width=ids.shape[1])
    narrow = has_fast_bf16() and (rough or model.training)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=narrow):
        output = model(input_ids=ids, attention_mask=mask, token_type_ids=segments)
    logits: torch.Tensor = output.logits.float()
    return logits


def run_through(
    model: PreTrainedModel,
    rows: Sequence[Encoded],
    *,
    batch_tokens: int = 4800,
    rough: bool = False,
) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Run a model over any number of rows, those of like length together.

    Yields:
        The position of a row, and its logits: [classes], or [tokens, classes] without padding
        from a model that labels tokens. Each row comes once, in no special order.
    """
    model.eval()
    with torch.inference_mode():
        for batch in make_batches([len(row.ids) for row in rows], batch_tokens=batch_tokens):
            logits = forward(model, [rows[index] for index in batch], rough=rough).numpy()
            for index, row in zip(batch, logits, strict=True):
                yield index, row if row.ndim == 1 else row[: len(rows[index].ids)]


def classify(
    model: PreTrainedModel, rows: Sequence[Encoded], *, rough: bool = False
) -> npt.NDArray[np.float32]:
    """Return the logits of a model that labels whole rows, [rows, classes], in the order given.

    `rough`: see `forward`.
    """
    logits = np.zeros((len(rows), model.config.num_labels), dtype=np.float32)
    for index, row in run_through(model, rows, rough=rough):
        logits[index] = row
    return logits


def _parameter_groups(model: PreTrainedModel, weight_decay: float) -> list[dict[str, object]]:
    """Biases and LayerNorms (one axis) are not decayed."""
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _rate_at(step: int, steps: int, warmup: float) -> float:
    rising = max(1, int(steps * warmup))
    if step < rising:
        return (step + 1) / rising
    return max(0.0, (steps - step) / max(1, steps - rising))


class _Meter:
    """Counts what goes through the loop, and reports now and then."""

    def __init__(self, steps: int, report: Report) -> None:
        self.tokens = 0
        self._steps = steps
        self._report = report
        self._losses: list[float] = []
        self._started_s = time.perf_counter()

    @property
    def elapsed_s(self) -> float:
        return time.perf_counter() - self._started_s

    def count(self, tokens: int, loss: float) -> None:
        self.tokens += tokens
        self._losses.append(loss)
        step = len(self._losses)
        if step % _REPORT_EVERY and step != self._steps:
            return
        recent = self._losses[-_REPORT_EVERY:]
        self._report(
            f"step {step}/{self._steps}  loss {sum(recent) / len(recent):.3f}  "
            f"{self.tokens / self.elapsed_s:,.0f} tokens/s  {self.elapsed_s:.0f} s"
        )
