"""Texts go from a packed batch into padded rows, and logits back, without loss."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.encodings import lengths

from earmark.batching.packer import BatchLimits, answers_of, pack
from earmark.domain.encoding import Encoding
from earmark.domain.head import HeadKind
from earmark.domain.packing import Float32, PackedBatch
from earmark.runtime.padding import RUN_COST, Grouping, gather, group_texts, pad_texts

PAD = 999
GROUPINGS: tuple[Grouping, ...] = ("padded", "one length", "one text")
TEXTS = lengths(60).map(
    lambda sizes: [
        Encoding(
            tuple(range(100 * index, 100 * index + size)), tuple(place % 2 for place in range(size))
        )
        for index, size in enumerate(sizes)
    ]
)
LIMITS = st.builds(BatchLimits, max_cells=st.just(8192), row_width=st.integers(8, 300))


@given(texts=TEXTS, limits=LIMITS, grouping=st.sampled_from(GROUPINGS))
def test_every_text_comes_out_of_its_batch_as_it_went_in(
    texts: list[Encoding], limits: BatchLimits, grouping: Grouping
) -> None:
    """Each text's ids, types, mask and positions are in one row, and the rest is padding."""
    batch = pack(texts, limits)
    seen: list[int] = []
    for group in group_texts(batch.lengths.tolist(), grouping=grouping):
        rows = pad_texts(batch, group, pad_id=PAD)
        assert rows.input_ids.shape[1] == max(len(texts[index]) for index in group)
        for row, index in enumerate(group):
            size = len(texts[index])
            assert tuple(rows.input_ids[row, :size]) == texts[index].ids
            assert tuple(rows.token_type_ids[row, :size]) == texts[index].type_ids
            assert rows.attention_mask[row].tolist() == [1] * size + [0] * (
                rows.input_ids.shape[1] - size
            )
            assert set(rows.input_ids[row, size:].tolist()) <= {PAD}
            assert not rows.token_type_ids[row, size:].any()
            assert rows.position_ids[row].tolist() == list(range(rows.input_ids.shape[1]))
        seen += group
    assert sorted(seen) == list(range(len(texts)))


@given(texts=TEXTS, limits=LIMITS)
def test_logits_land_where_answers_are_read(texts: list[Encoding], limits: BatchLimits) -> None:
    """Logits of each text or token are put where the packed batch has it."""
    batch = pack(texts, limits)
    groups = group_texts(batch.lengths.tolist(), grouping="padded")
    rows = [pad_texts(batch, group, pad_id=PAD) for group in groups]
    tokens = [one.input_ids[:, :, None].astype(np.float32) for one in rows]
    firsts = [one[:, 0] for one in tokens]
    answers: dict[HeadKind, list[Float32]] = {"token": tokens, "sequence": firsts}
    for head, found in answers.items():
        whole = gather(batch, list(zip(groups, found, strict=True)), head)
        for text, answer in zip(texts, answers_of(batch, whole, head), strict=True):
            expected = text.ids if head == "token" else text.ids[:1]
            assert tuple(answer.reshape(-1)) == expected


@given(sizes=lengths(200))
def test_a_group_wastes_no_more_than_another_run_would_cost(sizes: list[int]) -> None:
    """Padding of each group is bounded; texts of one length waste nothing."""
    allowed: dict[Grouping, int] = {"padded": RUN_COST, "one length": 0, "one text": 0}
    for grouping, most in allowed.items():
        for group in group_texts(sizes, grouping=grouping):
            longest = max(sizes[index] for index in group)
            assert sum(longest - sizes[index] for index in group) <= most
    assert all(len(group) == 1 for group in group_texts(sizes, grouping="one text"))


@given(marked=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 2)), min_size=1))
def test_texts_that_belong_apart_never_meet(marked: list[tuple[int, int]]) -> None:
    """Texts of different groups never share a run, whatever their lengths."""
    sizes, kinds = [size for size, _ in marked], [kind for _, kind in marked]
    groups = group_texts(sizes, grouping="padded", apart=kinds)
    assert all(len({kinds[index] for index in group}) == 1 for group in groups)
    assert sorted(index for group in groups for index in group) == list(range(len(sizes)))


def one_text(size: int) -> PackedBatch:
    """Pack a single text."""
    return pack([Encoding(tuple(range(size)), (0,) * size)])


def test_rows_may_be_wider_than_their_texts() -> None:
    """Rows may have a fixed width; a text that does not fit raises an error."""
    rows = pad_texts(one_text(3), [0], pad_id=PAD, width=5)
    assert rows.input_ids.tolist() == [[0, 1, 2, PAD, PAD]]
    with pytest.raises(ValueError, match="6 tokens does not fit a row of 5"):
        pad_texts(one_text(6), [0], pad_id=PAD, width=5)
