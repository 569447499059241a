"""Configs are read field by field, with errors that name the field."""

import json
import math
from pathlib import Path

import pytest

from earmark.checkpoint.config import Config, read_config
from earmark.errors import InvalidCheckpoint


def config(**fields: object) -> Config:
    """Make a config that was read from a file."""
    return Config(Path("config.json"), fields)


@pytest.mark.parametrize("value", ["768", 7.5, True, 0, -1, 1 << 40, None])
def test_a_size_is_a_positive_whole_number(value: object) -> None:
    """Anything else is refused with the field's name and what was found."""
    with pytest.raises(InvalidCheckpoint, match=r'"hidden_size" is .*, expected a positive whole'):
        config(hidden_size=value).size("hidden_size")


def test_a_missing_field_is_named() -> None:
    """A field without a default must be there."""
    with pytest.raises(InvalidCheckpoint, match="'nothing', expected a positive whole number"):
        config().size("hidden_size")
    assert config().size("type_vocab_size", 2) == 2


@pytest.mark.parametrize("value", ["tiny", 0, True, math.nan, math.inf, -math.inf])
def test_an_epsilon_is_a_positive_number(value: object) -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidCheckpoint, match="layer_norm_eps"):
        config(layer_norm_eps=value).number("layer_norm_eps", 1e-12)


@pytest.mark.parametrize("value", ["1", 1.0, True, -1, 1 << 40, math.nan])
def test_an_index_is_a_whole_number_from_0(value: object) -> None:
    """Anything else is refused with the field's name; the first index is 0."""
    with pytest.raises(InvalidCheckpoint, match=r'"pad_token_id" is .*, expected a whole number'):
        config(pad_token_id=value).index("pad_token_id", 1)
    assert config(pad_token_id=0).index("pad_token_id", 1) == 0
    assert config().index("pad_token_id", 1) == 1


@pytest.mark.parametrize("value", ["1", 1.0, True, 1 << 40, math.inf])
def test_an_integer_may_be_negative_but_must_be_whole(value: object) -> None:
    """Anything else is refused with the field's name."""
    with pytest.raises(InvalidCheckpoint, match=r'"position_buckets" is .*, expected a whole'):
        config(position_buckets=value).integer("position_buckets", 0)
    assert config(position_buckets=-1).integer("position_buckets", 0) == -1
    assert config().integer("position_buckets", -1) == -1


@pytest.mark.parametrize("value", ["true", 1, math.nan])
def test_a_flag_is_true_or_false(value: object) -> None:
    """Anything else is refused, what Python would take for true included."""
    with pytest.raises(InvalidCheckpoint, match="expected true or false"):
        config(relative_attention=value).flag("relative_attention", default=True)
    assert not config(relative_attention=False).flag("relative_attention", default=True)
    assert config().flag("relative_attention", default=True)


@pytest.mark.parametrize("value", [["c2p", "p2c"], "C2P | p2c"])
def test_words_stand_in_a_list_or_between_bars(value: object) -> None:
    """Both forms are found in published configs; missing or null is none."""
    assert config(pos_att_type=value).words("pos_att_type") == ("c2p", "p2c")
    assert config(pos_att_type=None).words("pos_att_type") == config().words("x") == ()


@pytest.mark.parametrize("value", [7, ["c2p", 7]])
def test_words_are_strings(value: object) -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidCheckpoint, match=r'one such as "c2p\|p2c"'):
        config(pos_att_type=value).words("pos_att_type")


def test_a_section_is_read_like_the_whole() -> None:
    """A missing one, or null, is empty; anything but an object is refused."""
    assert config(rope={"theta": 5}).section("rope").number("theta", 1.0) == 5
    assert config(rope=None).section("rope").number("theta", 1.0) == 1
    assert not config().section("rope").fields
    with pytest.raises(InvalidCheckpoint, match="\"rope\" is 'linear', expected an object"):
        config(rope="linear").section("rope")


def test_labels_come_in_the_order_of_their_keys() -> None:
    """Keys are strings; the file's own order says nothing. Names that are numbers become text."""
    labels = config(id2label={"1": "B", "0": 5, "2": "C"}).labels()
    assert labels.names == ("5", "B", "C")


def test_labels_without_names_are_numbered() -> None:
    """Two where the config does not say how many, as `transformers` has it."""
    assert config().labels().names == ("LABEL_0", "LABEL_1")
    assert config(num_labels=1).labels().names == ("LABEL_0",)


def test_a_bart_without_names_has_three_labels() -> None:
    """It is the one architecture whose head has more where the config does not count."""
    assert config(model_type="bart").labels().names == ("LABEL_0", "LABEL_1", "LABEL_2")
    assert config(model_type="bart", num_labels=2).labels().names == ("LABEL_0", "LABEL_1")


def test_a_field_that_is_null_is_not_there() -> None:
    """A null field counts as absent for every type; `is_null` distinguishes the two."""
    found = config(a=None, id2label=None, label2id=None, num_labels=None, problem_type=None)
    assert found.size("a", 2) == found.index("a", 2) == found.integer("a", 2) == 2
    assert found.number("a", 0.5) == 0.5
    assert found.text("a", "x") == "x"
    assert found.flag("a", default=True)
    assert found.class_names == ()
    assert found.labels().names == ("LABEL_0", "LABEL_1")
    assert (found.is_null("a"), found.is_null("b")) == (True, False)


THREE = {"0": "A", "1": "B", "2": "C"}
BY_NAME = {"A": 0, "C": 2, "B": "1"}


@pytest.mark.parametrize(
    ("fields", "rows", "expected"),
    [
        ({"label2id": BY_NAME}, 3, "A B C"),
        ({"label2id": BY_NAME}, None, "A B C"),
        ({"id2label": {"0": "A", "2": "C"}, "label2id": BY_NAME}, 3, "A B C"),
        ({"id2label": {"1": "A", "2": "B", "3": "C"}, "label2id": BY_NAME}, 3, "A B C"),
        ({"id2label": THREE, "label2id": {"NO": 0, "YES": 1}}, 2, "NO YES"),
        ({"id2label": THREE, "label2id": {"NO": 0, "YES": 1}}, 3, "A B C"),
        ({"id2label": THREE, "num_labels": 2}, 3, "A B C"),
        ({"id2label": THREE, "num_labels": 2}, 2, "LABEL_0 LABEL_1"),
        ({"id2label": {}, "label2id": {}}, 3, "LABEL_0 LABEL_1 LABEL_2"),
        ({"num_labels": 2}, 3, "LABEL_0 LABEL_1 LABEL_2"),
        ({}, 1, "LABEL_0"),
        ({"model_type": "bart"}, 2, "LABEL_0 LABEL_1"),
    ],
)
def test_the_labels_are_those_that_the_head_has(
    fields: dict[str, object], rows: int | None, expected: str
) -> None:
    """Of several fields the one that names as many as the head has rows; none names numbers."""
    assert config(**fields).labels(rows).names == tuple(expected.split())


@pytest.mark.parametrize(
    ("fields", "rows"),
    [
        ({"id2label": ["A", "B"]}, 2),
        ({"id2label": {"0": "A", "2": "C"}}, 3),
        ({"id2label": {"1": "A", "2": "B"}}, 2),
        ({"id2label": {"0": "A", "1": None}}, 2),
        ({"id2label": {"zero": "A"}}, 1),
        ({"id2label": "A"}, 1),
        ({"id2label": THREE}, 2),
        ({"label2id": {"A": 0, "B": 0}}, 2),
        ({"label2id": {"A": 0, "B": "one"}}, 2),
        ({"label2id": ["A", "B"]}, 2),
        ({"id2label": THREE, "label2id": BY_NAME, "num_labels": 4}, 2),
    ],
)
def test_names_that_are_not_those_of_the_head_are_refused(
    fields: dict[str, object], rows: int
) -> None:
    """A gap, or a count that no field has, leaves a logit with another's name or with none."""
    with pytest.raises(InvalidCheckpoint, match=f"label.*the head has {rows} labels; expected"):
        config(**fields).labels(rows)


@pytest.mark.parametrize("value", ["ranking", 5, ["regression"], "single_label"])
def test_an_unknown_problem_type_counts_as_none(value: object) -> None:
    """`transformers` 5.24 then goes by the number of labels, and so do we."""
    assert config(problem_type=value).labels().problem_type is None


@pytest.mark.parametrize("value", ["BertForSequenceClassification", [3], {"a": "b"}])
def test_the_model_class_stands_in_a_list(value: object) -> None:
    """Anything else is refused; none at all is none."""
    with pytest.raises(InvalidCheckpoint, match='"architectures" is'):
        _ = config(architectures=value).class_names
    assert config(architectures=[]).class_names == config().class_names == ()


@pytest.mark.parametrize(
    "contents",
    [b"\xef\xbb\xbf%s", b"%s\n"],
    ids=["byte order mark", "plain"],
)
def test_numbers_that_python_writes_and_marks_of_editors_are_read(
    tmp_path: Path, contents: bytes
) -> None:
    """NaN and infinity are no JSON, but stand in published files where they change nothing."""
    path = tmp_path / "config.json"
    path.write_bytes(contents % b'{"a": NaN, "b": Infinity, "c": -Infinity, "hidden_size": 8}')
    found = read_config(path)
    assert found.size("hidden_size") == 8
    for name in "abc":
        with pytest.raises(InvalidCheckpoint, match=f'"{name}" is .*positive number'):
            found.number(name, 1.0)


def test_a_file_in_utf_16_is_read(tmp_path: Path) -> None:
    """As shells of Windows write it."""
    path = tmp_path / "config.json"
    path.write_text('{"model_type": "bert"}', "utf-16")
    assert read_config(path).model_type == "bert"


def test_damaged_json_is_refused_with_its_place(tmp_path: Path) -> None:
    """Line and column, so that it can be found."""
    path = tmp_path / "config.json"
    path.write_text('{\n  "a": 1,\n  "b" 2\n}')
    with pytest.raises(InvalidCheckpoint, match=r"config\.json .*line 3, column 7: Expecting ':'"):
        read_config(path)


@pytest.mark.parametrize(
    "contents", [b"", b"{", b"[1]", b'"x"', b'{"a": "\xff"}', b"[" * 100_000, b'{"a": "\\ud800"}']
)
def test_a_file_that_holds_no_object_is_refused(tmp_path: Path, contents: bytes) -> None:
    """The message names the file."""
    path = tmp_path / "config.json"
    path.write_bytes(contents)
    with pytest.raises(InvalidCheckpoint, match=r"config\.json"):
        read_config(path)


def test_a_sound_file_is_read(tmp_path: Path) -> None:
    """The fields are those of the file."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"architectures": ["BertForSequenceClassification"]}))
    assert read_config(path).class_names == ("BertForSequenceClassification",)
