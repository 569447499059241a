"""The optimiser and the training loop; knows nothing of where samples come from."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional
from transformers import PreTrainedModel

from training.averaging import RunningMean
from training.batches import Sample, make_batches, pad
from training.data import seeded
from training.encoder import has_fast_bf16

_HIDDEN_DROPOUTS = ("embeddings.dropout", "output.dropout")

_AVERAGE_EVERY = 5
_REPORT_EVERY = 50

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


def fit(
    model: PreTrainedModel,
    passes: Sequence[Sequence[Sample]],
    options: FitOptions,
    *,
    seed: int,
    report: Report,
) -> Fit:
    """Train `model` in place, one pass after the other, each shuffled by `seed`.

    The loss is the cross-entropy against each sample's probability, so that hard, smoothed and
    distilled labels take the same way.
    """
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
        loss = batch_loss(model, batch)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip_norm)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        if step > average_from and step % _AVERAGE_EVERY == 0:
            mean.add()
        meter.count(sum(len(sample.ids) for sample in batch), loss.item())
    mean.install()
    return Fit(steps=len(batches), tokens=meter.tokens, seconds=meter.elapsed_s)


def set_hidden_dropout(model: PreTrainedModel, share: float) -> None:
    """Drop this share of what the embeddings and each sublayer put out, when training."""
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Dropout) and name.endswith(_HIDDEN_DROPOUTS):
            module.p = share


def batch_loss(model: PreTrainedModel, batch: Sequence[Sample]) -> torch.Tensor:
    """Mean cross-entropy of a batch against its samples' probabilities; a scalar, in nats."""
    ids, mask = pad([sample.ids for sample in batch])
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_fast_bf16()):
        logits = model(input_ids=ids, attention_mask=mask).logits.float()
    positive = torch.tensor([sample.positive for sample in batch])
    return functional.cross_entropy(logits, torch.stack([1 - positive, positive], dim=1))


def predict(
    model: PreTrainedModel, texts: Sequence[Sequence[int]], *, batch_tokens: int = 4800
) -> npt.NDArray[np.float32]:
    """Score texts given as token ids.

    Returns:
        Log-odds of the positive class, [texts] float32, in the order given.
    """
    model.eval()
    scores = np.zeros(len(texts), dtype=np.float32)
    with torch.inference_mode():
        for batch in make_batches([len(ids) for ids in texts], batch_tokens=batch_tokens):
            ids, mask = pad([texts[index] for index in batch])
            logits = model(input_ids=ids, attention_mask=mask).logits
            scores[batch] = (logits[:, 1] - logits[:, 0]).numpy()
    return scores


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
