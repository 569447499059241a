"""A kept result equals the computed one to the last bit."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from earmark.domain.results import Classification, Entities, Entity, LabelScore, Ranking, Relevance
from earmark.serving.cache.values import read_results, write_results
from earmark.tasks.task import TaskName

_TEXT = st.text(max_size=8)
_COUNT = st.integers(0, 2**40)
_SCORE = st.floats(allow_nan=False) | st.floats(width=32, allow_nan=False)
_LABEL_SCORES = st.lists(st.builds(LabelScore, _TEXT, _SCORE), max_size=4).map(tuple)
_ENTITY = st.builds(Entity, _TEXT, _SCORE, _TEXT, _COUNT, _COUNT, _TEXT, st.none() | _COUNT)
_RESULTS: st.SearchStrategy[tuple[TaskName, object]] = st.one_of(
    st.tuples(
        st.just("text-classification"), st.builds(Classification, _LABEL_SCORES, _COUNT, _COUNT)
    ),
    st.tuples(
        st.just("zero-shot-classification"), st.builds(Ranking, _LABEL_SCORES, _COUNT, _COUNT)
    ),
    st.tuples(
        st.just("token-classification"),
        st.builds(Entities, st.lists(_ENTITY, max_size=3).map(tuple), _COUNT, _COUNT),
    ),
    st.tuples(st.just("text-ranking"), st.builds(Relevance, _SCORE, _COUNT, _COUNT)),
)


@given(_RESULTS)
def test_a_result_is_read_back_as_it_was_written(kept: tuple[TaskName, object]) -> None:
    """A result is read back with the same type, and every float with the same bits."""
    task, result = kept
    (again,) = read_results(task, write_results([result]))
    assert type(again) is type(result)
    assert repr(again) == repr(result)  # unlike ==, tells -0.0 from 0.0
    assert again == result


@given(st.floats())
def test_any_float_survives(score: float) -> None:
    """Every float is read back with the same bits, also infinity and NaN."""
    kept = write_results([Classification((LabelScore("a", score),), 1)])
    (again,) = read_results("text-classification", kept)
    assert isinstance(again, Classification)
    assert struct.pack("<d", again.score) == struct.pack("<d", score)
