"""Runs a model that takes padded rows as a session for packed batches."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from earmark.domain.head import HeadKind
from earmark.domain.packing import Float32, PackedBatch
from earmark.errors import EngineError, UnsupportedCheckpoint
from earmark.runtime.padding import Grouping, PaddedRows, gather, group_texts, pad_texts
from earmark.runtime.session import ComputeHint

TOLERANCES: dict[ComputeHint, float] = {"float32": 1e-4, "bfloat16": 5e-2}
"""How much a text's logits may change beside a longer text, as a share of the largest logit.
Kernels add in another order for another shape: 1e-6 in float32 and 1e-2 in bfloat16 were measured.
If padding is read as text, as by a convolution, the change is larger."""

LAYOUTS: dict[Grouping, str] = {
    "padded": "padded batches",
    "one length": "batches of texts of one length, since padding would change the answers",
    "one text": "one text at a time",
}


class PaddedModel(Protocol):
    """A model on a device that takes padded rows."""

    def run_rows(self, rows: PaddedRows) -> Float32:
        """Run rows; not thread-safe.

        Returns:
            Logits: ``[texts, labels]`` or, for a token head, ``[texts, longest, labels]``.

        Raises:
            EngineError: the runtime failed, or the model is closed.
        """
        ...

    @property
    def runtime(self) -> str:
        """The runtime and its version."""
        ...

    @property
    def device(self) -> str:
        """The device's own name."""
        ...

    def kernels(self) -> tuple[str, ...]:
        """Return the names of the matrix kernels in use; empty if unknown."""
        ...

    def close(self) -> None:
        """Free the memory."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PaddedForm:
    """The inputs and outputs of a foreign model.

    Attributes:
        source: the file or folder it comes from, for error messages.
        head: what its logits mean.
        labels: how many labels its logits must have.
        pad_id: token id that pads rows.
        end_id: token id that ends a text, if the config names one. Models that answer at the last
            of them, like BART, can only run texts with equally many in one run.
        types: whether the second text of a pair has token type 1; otherwise every type is 0.
        width: fixed length of rows; None if the model takes any.
        one_row: whether the model takes only one row at a time.
        samples: a batch of several texts, two of them of one length, for the first trial.
    """

    source: str
    head: HeadKind
    labels: int
    pad_id: int
    end_id: int | None
    types: bool
    width: int | None = None
    one_row: bool = False
    samples: PackedBatch


class PaddedSession:
    """Runs packed batches on a model that takes padded rows."""

    def __init__(self, model: PaddedModel, form: PaddedForm, grouping: Grouping) -> None:
        """Take a model; `open_padded` finds the grouping, which texts may run together."""
        self._model, self._form, self._grouping = model, form, grouping

    def run(self, batch: PackedBatch) -> Float32:
        """Run one batch, in the cheapest number of runs; errors as for `PaddedModel`."""
        groups = group_texts(
            batch.lengths.tolist(), grouping=self._grouping, apart=self._ends(batch)
        )
        return self.run_groups(batch, groups)

    def run_groups(self, batch: PackedBatch, groups: Sequence[Sequence[int]]) -> Float32:
        """Run the texts of a batch in the given groups; returns what `run` returns."""
        answers = [(texts, self._model.run_rows(self.rows(batch, texts))) for texts in groups]
        return gather(batch, answers, self._form.head)

    def rows(self, batch: PackedBatch, texts: Sequence[int]) -> PaddedRows:
        """Put texts into rows for the model."""
        form = self._form
        rows = pad_texts(batch, texts, pad_id=form.pad_id, width=form.width)
        return rows if form.types else replace(rows, token_type_ids=0 * rows.token_type_ids)

    @property
    def runtime(self) -> str:
        """The runtime and its version."""
        return self._model.runtime

    @property
    def device(self) -> str:
        """The device's own name."""
        return self._model.device

    @property
    def layout(self) -> str:
        """Description of which texts run together."""
        return LAYOUTS[self._grouping]

    def kernels(self) -> tuple[str, ...]:
        """Return the names of the model's kernels."""
        return self._model.kernels()

    def close(self) -> None:
        """Free the model's memory."""
        self._model.close()

    def _ends(self, batch: PackedBatch) -> list[int] | None:
        """Return the number of end tokens of each text."""
        if self._form.end_id is None:
            return None
        found = (batch.input_ids == self._form.end_id) & (batch.segment_ids >= 0)
        counts: list[int] = np.bincount(batch.segment_ids[found], minlength=batch.texts).tolist()
        return counts


def open_padded(model: PaddedModel, form: PaddedForm, compute: ComputeHint) -> PaddedSession:
    """Make a session of a model, after testing how it handles padding.

    Whether a model ignores padding is tested: a graph may have lost its mask, convolutions look
    across it, and pooling may count it. If the samples have different answers together than alone,
    texts run only with others of the same length, or, if that fails too, alone. So neighbours never
    change an answer.

    Raises:
        UnsupportedCheckpoint: the model fails on the samples, or the shape of its answers does not
            match its labels.
    """
    alone = PaddedSession(model, form, "one text")
    try:
        _check_shape(model.run_rows(alone.rows(form.samples, [0])), form)
        answers = alone.run(form.samples)
    except EngineError as error:
        raise UnsupportedCheckpoint(f"{form.source} fails on the simplest text: {error}") from error
    return PaddedSession(model, form, _grouping(alone, form, answers, TOLERANCES[compute]))


def _check_shape(logits: Float32, form: PaddedForm) -> None:
    """Check the shape of the first sample's logits against the head and the labels."""
    tokens = form.width or int(form.samples.lengths[0])
    expected = (1, form.labels) if form.head == "sequence" else (1, tokens, form.labels)
    if logits.shape != expected:
        raise UnsupportedCheckpoint(
            f"{form.source}: the logits of one text of {tokens} tokens have the shape "
            f"{list(logits.shape)}; expected {list(expected)}, since config.json names "
            f"{form.labels} labels of a {form.head} head"
        )


def _grouping(
    session: PaddedSession, form: PaddedForm, answers: Float32, tolerance: float
) -> Grouping:
    """Find which texts may share a run."""
    if form.one_row:
        return "one text"
    lengths = form.samples.lengths.tolist()
    trials: dict[Grouping, list[list[int]]] = {
        "padded": [list(range(len(lengths)))],
        "one length": group_texts(lengths, grouping="one length"),
    }
    for grouping, groups in trials.items():
        # Models raise errors of all kinds for texts that they cannot run together.
        with suppress(EngineError):
            moved = np.abs(session.run_groups(form.samples, groups) - answers).max()
            if moved <= tolerance * np.abs(answers).max():
                return grouping
    return "one text"
