"""Properties of the packed layout."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.encodings import encoding, lengths

from earmark.batching.packer import WIDTH_STEP, BatchLimits, Packing, pack
from earmark.domain.packing import FILLER_SEGMENT

LONGEST = 300
LIMITS = st.builds(BatchLimits, max_cells=st.integers(304, 4096), row_width=st.integers(16, 512))


@given(lengths(LONGEST))
def test_every_text_stands_whole_in_one_row(sizes: list[int]) -> None:
    """Ids, types, positions and segment of each text can be read back from its first token."""
    texts = [encoding(size, first_id=1000 * index) for index, size in enumerate(sizes)]
    batch = pack(texts)
    width = batch.input_ids.shape[1]
    for index, text in enumerate(texts):
        start = int(batch.first_token[index])
        assert start // width == (start + len(text) - 1) // width
        cells = slice(start, start + len(text))
        assert tuple(batch.input_ids.ravel()[cells]) == text.ids
        assert tuple(batch.token_type_ids.ravel()[cells]) == text.type_ids
        assert tuple(batch.position_ids.ravel()[cells]) == tuple(range(len(text)))
        assert set(batch.segment_ids.ravel()[cells]) == {index}
    assert batch.lengths.tolist() == sizes
    assert batch.texts == len(sizes)


@given(lengths(LONGEST))
def test_what_is_no_text_is_filler(sizes: list[int]) -> None:
    """Exactly the cells beyond the texts have the filler's segment."""
    batch = pack([encoding(size) for size in sizes])
    assert int((batch.segment_ids != FILLER_SEGMENT).sum()) == sum(sizes)
    assert batch.cells == batch.segment_ids.size


@given(lengths(LONGEST), LIMITS)
def test_what_the_queue_lets_in_the_packer_can_lay_out(
    sizes: list[int], limits: BatchLimits
) -> None:
    """Texts that the queue lets in fit together, within the limit on cells, in any order."""
    packing = Packing(limits)
    taken = [size for size in sizes if packing.add(size)]
    if taken:
        batch = pack([encoding(size) for size in taken], limits)
        assert batch.cells <= limits.max_cells


@given(lengths(LONGEST))
def test_rows_are_narrow_and_of_few_widths(sizes: list[int]) -> None:
    """A row is no wider than its fullest needs, rounded up to the step."""
    batch = pack([encoding(size) for size in sizes])
    used = [int((row != FILLER_SEGMENT).sum()) for row in batch.segment_ids]
    width = batch.input_ids.shape[1]
    assert width % WIDTH_STEP == 0
    assert max(used) <= width < max(used) + WIDTH_STEP


def test_texts_of_one_length_leave_almost_no_filler() -> None:
    """Thirty texts of thirty tokens fill their batch to more than nine tenths."""
    batch = pack([encoding(30)] * 30, BatchLimits(1024))
    assert 900 / batch.cells > 0.9


def test_a_long_text_beside_short_ones_does_not_double_the_batch() -> None:
    """Twenty tokens beside a text of 512 widen its row rather than open a second one."""
    batch = pack([encoding(512), encoding(12), encoding(8)], BatchLimits(1024))
    assert batch.cells < 600


def test_a_text_too_long_for_the_limits_is_refused_and_changes_nothing() -> None:
    """A text that does not fit leaves the packing as it was."""
    packing = Packing(BatchLimits(64))
    assert packing.add(40)
    assert not packing.add(100)
    assert packing.placed == [0]


def test_texts_that_cannot_fit_are_an_error() -> None:
    """Packing texts that cannot fit raises an error."""
    with pytest.raises(ValueError, match="do not fit"):
        pack([encoding(100)], BatchLimits(64))


def test_arrays_are_what_graphs_take() -> None:
    """Every array of a batch is int64."""
    batch = pack([encoding(3)])
    arrays = (batch.input_ids, batch.segment_ids, batch.first_token, batch.position_ids)
    assert {array.dtype for array in arrays} == {np.dtype(np.int64)}
