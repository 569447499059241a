"""Whether padding changes a model's answers is tried, and logits are checked for their shape."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.encodings import encoding, lengths

from earmark.batching.packer import pack
from earmark.domain.encoding import Encoding
from earmark.domain.packing import Float32
from earmark.errors import EngineError, UnsupportedCheckpoint
from earmark.runtime.padded import PaddedForm, open_padded
from earmark.runtime.padding import PaddedRows

SAMPLES = pack([encoding(size, first_id=10) for size in (3, 20, 3, 4)])
FORM = PaddedForm(
    source="a model",
    head="sequence",
    labels=1,
    pad_id=0,
    end_id=None,
    types=True,
    samples=SAMPLES,
)
TOLERANCE = 1e-6


class RowsModel:
    """Stands in for a model of others.

    Attributes:
        shapes: rows and width of each run.
        closed: whether its memory was given back.
    """

    runtime, device = "made up 1.0", "a table"

    def __init__(self, answer: Callable[[PaddedRows], Float32]) -> None:
        """Answer rows by a function."""
        self.answer = answer
        self.shapes: list[tuple[int, int]] = []
        self.closed = False

    def run_rows(self, rows: PaddedRows) -> Float32:
        """Answer, and remember the rows."""
        texts, width = rows.input_ids.shape
        self.shapes.append((texts, width))
        logits: Float32 = self.answer(rows).astype(np.float32)
        return logits

    def kernels(self) -> tuple[str, ...]:
        """Return one name."""
        return ("abacus",)

    def close(self) -> None:
        """Remember the call."""
        self.closed = True


def masked_sum(rows: PaddedRows) -> Float32:
    """Sum the cells that are no padding."""
    total: Float32 = (rows.input_ids * rows.attention_mask).sum(axis=1, keepdims=True)
    return total


def width_too(rows: PaddedRows) -> Float32:
    """Add the row's width to the answer, as pooling over padding would."""
    total: Float32 = masked_sum(rows) + rows.input_ids.shape[1]
    return total


def no_two(rows: PaddedRows) -> Float32:
    """Refuse several rows.

    Raises:
        EngineError: there are several rows.
    """
    if len(rows.input_ids) > 1:
        raise EngineError("one at a time")
    return width_too(rows)


@given(sizes=lengths(40))
@pytest.mark.parametrize(
    ("answer", "layout"),
    [(masked_sum, "padded batches"), (width_too, "of one length"), (no_two, "one text at a time")],
)
def test_neighbours_change_no_answer(
    answer: Callable[[PaddedRows], Float32], layout: str, sizes: list[int]
) -> None:
    """Each text is answered as it is alone, whatever the model does with padding."""
    model = RowsModel(answer)
    session = open_padded(model, FORM, "float32")
    assert layout in session.layout
    texts = [encoding(size, first_id=index) for index, size in enumerate(sizes)]
    found = session.run(pack(texts))
    for one, logits in zip(texts, found, strict=True):
        extra = 0 if answer is masked_sum else len(one)
        assert logits.tolist() == pytest.approx([sum(one.ids) + extra], abs=TOLERANCE)


@given(endings=st.lists(st.integers(1, 3), min_size=1, max_size=12))
def test_texts_with_unequally_many_ends_never_meet(endings: list[int]) -> None:
    """Texts with different numbers of end tokens do not run together."""
    end = 7

    def strict(rows: PaddedRows) -> Float32:
        counts = ((rows.input_ids == end) * rows.attention_mask).sum(axis=1)
        assert len(set(counts.tolist())) == 1
        return masked_sum(rows)

    form = replace(FORM, pad_id=end, end_id=end)
    session = open_padded(RowsModel(strict), form, "float32")
    texts = [Encoding((1, *(end,) * count), (0,) * (count + 1)) for count in endings]
    found = session.run(pack(texts)).reshape(-1).tolist()
    assert found == [1 + end * count for count in endings]


def test_a_model_that_fails_alone_is_refused() -> None:
    """A model that fails on a single text is refused with its own message."""

    def broken(_: PaddedRows) -> Float32:
        raise EngineError("no such position")

    with pytest.raises(UnsupportedCheckpoint, match=r"a model fails on the simplest .*no such pos"):
        open_padded(RowsModel(broken), FORM, "float32")


@pytest.mark.parametrize("shape", [(1, 2), (1,), (1, 3, 1)])
def test_logits_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    """Logits that do not fit the config's labels and head are refused."""
    model = RowsModel(lambda _: np.zeros(shape, np.float32))
    with pytest.raises(UnsupportedCheckpoint, match=r"expected \[1, 1\], since config\.json names"):
        open_padded(model, FORM, "float32")


def test_a_session_speaks_for_its_model() -> None:
    """A session passes on the model's names, its kernels and its end."""
    model = RowsModel(masked_sum)
    session = open_padded(model, FORM, "float32")
    assert (session.runtime, session.device) == ("made up 1.0", "a table")
    assert session.kernels() == ("abacus",)
    session.close()
    assert model.closed
