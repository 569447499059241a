"""Engines that encode as the bundled models do, and whose models answer at once."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from support.small_facts import small_facts

from earmark.batching.packer import BatchLimits
from earmark.batching.queue import TicketQueue
from earmark.batching.splitting import BatchRun
from earmark.batching.worker import Worker
from earmark.checkpoint.bundled import open_bundled
from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind
from earmark.domain.labels import LabelSet
from earmark.engine.engine import Engine
from earmark.engine.events import Tally
from earmark.engine.thread import ThreadHandle
from earmark.tasks.task import TaskName
from earmark.tokenizing.load import load_tokenizer

_MAX_TOKENS = 512
_BATCH_TOKENS = 16_384
_WAITING_TOKENS = 1 << 22
_STALL_S = 60.0


def instant_engines() -> list[Engine]:
    """Make a classifier, one that cuts texts at their beginning, and one for each other task."""
    sentiment: tuple[TaskName, ...] = ("text-classification",)
    return [
        _engine("acme/tc", "earmark/sentiment", ("NEGATIVE", "POSITIVE"), sentiment),
        _engine("acme/left", "earmark/sentiment", ("NEGATIVE", "POSITIVE"), sentiment, left=True),
        _engine("acme/rr", "earmark/sentiment", ("LABEL_0",), (*sentiment, "text-ranking")),
        _engine(
            "acme/zs",
            "earmark/zero-shot",
            ("contradiction", "neutral", "entailment"),
            ("zero-shot-classification", *sentiment),
        ),
        _engine("acme/tk", "earmark/ner", ("O", "B-PER", "I-PER"), ("token-classification",)),
    ]


def _engine(
    model_id: str,
    tokenizer_of: str,
    labels: Sequence[str],
    tasks: tuple[TaskName, ...],
    *,
    left: bool = False,
) -> Engine:
    tokenizer = load_tokenizer(open_bundled(tokenizer_of))
    if left:
        tokenizer = replace(tokenizer, cut_side="left")
    kind: HeadKind = "token" if "token-classification" in tasks else "sequence"
    info = small_facts(
        model_id,
        tasks,
        LabelSet(tuple(labels)),
        max_input_tokens=_MAX_TOKENS,
        max_batch_tokens=_BATCH_TOKENS,
    )

    def run(encodings: Sequence[Encoding]) -> BatchRun:
        shapes = [(len(one), len(labels)) if kind == "token" else len(labels) for one in encodings]
        return BatchRun([_alternating(shape) for shape in shapes], sum(map(len, encodings)))

    tally = Tally(model_id)
    worker = Worker(TicketQueue(BatchLimits(_BATCH_TOKENS), _WAITING_TOKENS), run, tally)
    canary = Encoding((0,), (0,))
    handle = ThreadHandle(worker, tally, canary=canary, stall_after_s=_STALL_S)
    return Engine(info, tokenizer, handle, head=kind)


def _alternating(
    shape: int | tuple[int, int],
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    """Make logits by which every sixteenth token begins an entity."""
    logits = np.zeros(shape, np.float32)
    if logits.ndim == 2:
        logits[::16, 1] = 4.0
    return logits
