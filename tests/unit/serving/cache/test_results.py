"""The store stays within its bytes and gives up the entries that were not used for longest."""

from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earmark.serving.cache.results import MemoryStore, entry_bytes

_KEYS = st.sampled_from([b"a" * 32, b"b" * 32, b"c" * 32, b"d" * 32])
_VALUES = st.integers(0, 300).map(bytes)
_ROOM_FOR_TWO = 2 * entry_bytes(b"a" * 32, b"x")


@given(
    st.integers(0, 2000),
    st.lists(st.tuples(_KEYS, st.none() | _VALUES), max_size=40),
)
def test_the_store_is_an_exactly_counted_lru(
    limit: int, steps: list[tuple[bytes, bytes | None]]
) -> None:
    """The store behaves like a plain model of an LRU cache (None reads a key, a value is put)."""
    store, model = MemoryStore(limit), OrderedDict[bytes, bytes]()
    for key, value in steps:
        if value is None:
            assert store.get(key) == model.get(key)
            if key in model:
                model.move_to_end(key)
            continue
        store.put(key, value)
        model.pop(key, None)
        if entry_bytes(key, value) <= limit:
            model[key] = value
            while sum(entry_bytes(*entry) for entry in model.items()) > limit:
                model.popitem(last=False)
        state = store.state()
        assert state.bytes == sum(entry_bytes(*entry) for entry in model.items())
        assert (state.entries, state.limit_bytes) == (len(model), limit)
        assert state.bytes <= limit


def test_what_was_used_last_is_kept() -> None:
    """Reading an entry counts as use, so that it is not the next to be given up."""
    store = MemoryStore(_ROOM_FOR_TWO)
    store.put(b"a" * 32, b"1")
    store.put(b"b" * 32, b"2")
    assert store.get(b"a" * 32) == b"1"
    store.put(b"c" * 32, b"3")
    assert [store.get(key * 32) for key in (b"a", b"b", b"c")] == [b"1", None, b"3"]


@pytest.mark.parametrize("known", [b"a", b"b"])
def test_a_value_larger_than_the_store_costs_nothing_its_place(known: bytes) -> None:
    """A value larger than the store is not kept, and removes only its own earlier value."""
    store = MemoryStore(_ROOM_FOR_TWO)
    store.put(known * 32, b"1")
    store.put(b"a" * 32, bytes(_ROOM_FOR_TWO))
    assert store.get(b"a" * 32) is None
    assert store.state().entries == (known == b"b")
