"""Configs are read field by field, with errors that name the field."""

import json
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


@pytest.mark.parametrize("value", ["tiny", 0, True])
def test_an_epsilon_is_a_positive_number(value: object) -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidCheckpoint, match="layer_norm_eps"):
        config(layer_norm_eps=value).number("layer_norm_eps", 1e-12)


@pytest.mark.parametrize("value", ["1", 1.0, True, -1, 1 << 40, None])
def test_an_index_is_a_whole_number_from_0(value: object) -> None:
    """Anything else is refused with the field's name; the first index is 0."""
    with pytest.raises(InvalidCheckpoint, match=r'"pad_token_id" is .*, expected a whole number'):
        config(pad_token_id=value).index("pad_token_id", 1)
    assert config(pad_token_id=0).index("pad_token_id", 1) == 0
    assert config().index("pad_token_id", 1) == 1


@pytest.mark.parametrize("value", ["1", 1.0, True, 1 << 40, None])
def test_an_integer_may_be_negative_but_must_be_whole(value: object) -> None:
    """Anything else is refused with the field's name."""
    with pytest.raises(InvalidCheckpoint, match=r'"position_buckets" is .*, expected a whole'):
        config(position_buckets=value).integer("position_buckets", 0)
    assert config(position_buckets=-1).integer("position_buckets", 0) == -1
    assert config().integer("position_buckets", -1) == -1


@pytest.mark.parametrize("value", ["true", 1, None])
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


@pytest.mark.parametrize("value", [["A", "B"], {}, {"0": "A", "2": "C"}, {"zero": "A"}, "A"])
def test_malformed_labels_are_refused(value: object) -> None:
    """Gaps, lists and other keys leave a logit without a name."""
    with pytest.raises(InvalidCheckpoint, match="id2label"):
        config(id2label=value).labels()


def test_an_unknown_problem_type_is_refused_with_the_known_ones() -> None:
    """It decides which function is applied, so it is not guessed."""
    with pytest.raises(InvalidCheckpoint, match="multi_label_classification"):
        config(problem_type="ranking").labels()


@pytest.mark.parametrize("value", [None, [], "BertForSequenceClassification", [3]])
def test_the_model_class_must_be_named(value: object) -> None:
    """Without it the head is unknown."""
    with pytest.raises(InvalidCheckpoint, match='"architectures" is'):
        _ = config(architectures=value).class_name


@pytest.mark.parametrize("contents", [b"", b"{", b"[1]", b'"x"', b'{"a": "\xff"}', b"[" * 100_000])
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
    assert read_config(path).class_name == "BertForSequenceClassification"
