"""The Python API's results and errors."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support.checkpoint_spec import CheckpointSpec
from support.checkpoints import write_checkpoint

import earmark
from earmark.errors import CheckpointNotFound, InvalidInput, UnsupportedTask
from earmark.inprocess import Classifier


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classifier]:
    """Load a tiny model, from a path."""
    folder = tmp_path_factory.mktemp("tiny")
    write_checkpoint(folder, CheckpointSpec(num_labels=2))
    with earmark.load(folder, threads=1, precision="float32") as model:
        yield model


class _NAType:
    """A missing value like that of pandas."""


_WRONG_TEXTS: dict[str, tuple[Any, str]] = {  # Any: what no type checker lets through
    "none": ([None], r"texts\[0\] is None, .* where texts are missing"),
    "nan": (["a", float("nan")], r"texts\[1\] is NaN, .* where texts are missing"),
    "numpy's nan": (["a", np.float32("nan")], r"texts\[1\] is NaN"),
    "pandas' missing": ([_NAType()], r"texts\[0\] is of the type _NAType"),
    "a number": (["a", "b", 3], r"texts\[2\] is a number \(int\), .* str\(value\)"),
    "numpy's number": ([np.int64(3)], r"texts\[0\] is a number \(int64\)"),
    "bytes": ([b"a"], r"texts\[0\] is of the type bytes"),
    "an object": ([{"text": "a"}], r"texts\[0\] is of the type dict"),
    "half of a pair": ([("a", None)], r"texts\[0\]\[1\] is None, expected a text"),
    "a text object": ([earmark.TextInput(5)], r"texts\[0\]\[0\] is a number"),  # type: ignore[arg-type]  # on purpose
    "three texts": ([("a", "b", "c")], r"texts\[0\] is 3 texts"),
    "one text in a tuple": ([("a",)], r"texts\[0\] is 1 texts"),
    "no list": (None, "texts is None, expected a list"),
    "a number alone": (5, r"texts is a number \(int\), expected a list"),
    "an array of no dimension": (
        np.array("a"),
        "texts is of the type ndarray of a single value, expected a list",
    ),
    "bytes alone": (b"ab", "texts is of the type bytes, expected a list"),
    "an object alone": ({"a": 1}, "texts is of the type dict, expected a list"),
}


@pytest.mark.parametrize(("texts", "told"), _WRONG_TEXTS.values(), ids=_WRONG_TEXTS)
def test_what_is_no_text_is_named_by_row_and_type(
    classifier: Classifier,
    texts: Any,  # noqa: ANN401 - see above
    told: str,
) -> None:
    """The error for what is no text has its row and type, and never repeats a text."""
    with pytest.raises(InvalidInput, match=told):
        classifier.classify(texts)


def test_whatever_holds_texts_is_taken(classifier: Classifier) -> None:
    """Texts may be in a generator or an array, and pairs in lists."""
    expected = classifier.classify(["good film", ("good", "film")])
    pair: Any = ["good", "film"]  # Any: the type says tuple, and lists were always taken
    assert classifier.classify(iter(["good film", pair])) == expected
    # By itself a text may stand in a batch of another shape, which sums in another order.
    (alone,) = classifier.classify(np.array(["good film"]))
    for found, wanted in zip(alone.scores, expected[0].scores, strict=True):
        assert found.label == wanted.label
        assert found.score == pytest.approx(wanted.score, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"top_k": "1"}, "top_k is '1', expected a whole number"),
        ({"top_k": 1.5}, r"top_k is 1\.5"),
        ({"top_k": True}, "top_k is True"),
        ({"truncate": "no"}, "truncate is 'no', expected True or False"),
        ({"truncate": None}, "truncate is None"),
        ({"function": "sofmax"}, r"function is 'sofmax', expected .* \(did you mean softmax\?\)"),
        ({"timeout_s": float("nan")}, "timeout_s is nan"),
        ({"timeout_s": -1}, "timeout_s is -1"),
        ({"timeout_s": "soon"}, "timeout_s is 'soon'"),
    ],
)
def test_an_option_that_is_none_is_told_what_there_is(
    classifier: Classifier, options: dict[str, Any], told: str
) -> None:
    """A wrong option is an error that lists the accepted values, before a text is read."""
    with pytest.raises(InvalidInput, match=told):
        classifier.classify(["a"], **options)


def test_a_number_of_numpys_is_a_number(classifier: Classifier) -> None:
    """A whole number of a numpy type is accepted."""
    top_k: Any = np.int64(1)  # Any: the type says int
    assert len(classifier.classify(["a"], top_k=top_k)[0].scores) == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"precision": "int9"}, r"precision is 'int9': expected .* \(did you mean int8\?\)"),
        ({"precision": None}, "precision is None: expected one of auto, float32, bfloat16, int8"),
        ({"runtime": "onnx"}, "runtime is 'onnx': expected one of openvino, onnxruntime, pytorch"),
        ({"runtime": "open-vino"}, r"\(did you mean openvino\?\)"),
        ({"threads": 0}, "threads is 0: expected a whole number from 1"),
        ({"threads": "2"}, "threads is '2'"),
        ({"threads": True}, "threads is True"),
        ({"precision": np.array(["int8", "auto"])}, "precision is array"),
    ],
)
def test_a_way_to_run_that_there_is_not_is_told_what_there_is(
    options: dict[str, Any], told: str
) -> None:
    """A wrong precision or runtime is an error that lists the known ones, before a file is read."""
    with pytest.raises(earmark.SettingsError, match=told):
        earmark.load("nowhere", **options)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (None, "the model is None: expected a bundled id"),
        ("", "the model is '': expected a bundled id"),
        ("a\0b", "neither a folder nor"),
        ("x" * 9999, "neither a folder nor"),
        ("~nobody-of-that-name/x", "neither a folder nor"),
        ("sentiment", r"did you mean earmark/sentiment\?"),
    ],
)
def test_what_names_no_model_is_told_what_does(source: Any, told: str) -> None:  # noqa: ANN401 - see above
    """The error for what names no model says what does."""
    with pytest.raises(CheckpointNotFound, match=told) as caught:
        earmark.load(source)
    assert len(str(caught.value)) < 500


def test_a_model_of_another_task_names_the_call_to_make() -> None:
    """The error for a model of another task names the call to make."""
    with (
        earmark.load("earmark/ner", threads=1, precision="int8") as tokens,
        pytest.raises(UnsupportedTask, match=r"POST /models/earmark/ner of earmark serve"),
    ):
        tokens.classify(["a"])
    with earmark.load("earmark/zero-shot", threads=1, precision="int8") as pairs:
        with pytest.raises(UnsupportedTask, match=r"reads pairs: classify\(\[\(text, "):
            pairs.classify(["a"])
        assert pairs.classify([("A dog runs.", "An animal moves.")])[0].label == "entailment"
        assert pairs.classify([]) == []
