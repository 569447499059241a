"""For a checkpoint whose config names no class, the head follows from its tensors."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from structlog.testing import capture_logs
from support.checkpoints import CheckpointSpec, write_checkpoint

from earmark.checkpoint.files.folder import LocalRepository
from earmark.checkpoint.ref import FolderRef
from earmark.domain.texts import TextInput
from earmark.engine.engine import Engine
from earmark.engine.load import EngineOptions, load_engine
from earmark.engine.model import choose
from earmark.errors import InvalidCheckpoint, UnsupportedCheckpoint
from earmark.graph.architectures.registry import ARCHITECTURES
from earmark.tasks.text_classification import TextClassification

OPTIONS = EngineOptions(threads=1, precision="float32")
TAGS = ("O", "B-PER", "I-PER")
EVERY_HEAD = [(kind, head) for kind, one in ARCHITECTURES.items() for head in sorted(one.writers)]


def spec_of(kind: str, head: str) -> CheckpointSpec:
    """Describe a tiny checkpoint of an architecture and a head, its labels named for the head."""
    names = TAGS if head == "token" else ("BAD", "MIXED", "GOOD")
    # Any: the registry's keys are those of the spec, which has them as a Literal.
    return CheckpointSpec(architecture=kind, head=head, num_labels=3, label_names=names)  # type: ignore[arg-type]


def change_config(folder: Path, **changes: object) -> None:
    """Change fields of a config; an ellipsis takes a field away."""
    path = folder / "config.json"
    fields = json.loads(path.read_text("utf-8")) | changes
    path.write_text(json.dumps({k: v for k, v in fields.items() if v is not ...}), "utf-8")


def change_tensors(folder: Path, **changes: object) -> None:
    """Add tensors; None takes one away. Names have a double underscore for a dot."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    for written, value in changes.items():
        name = written.replace("__", ".")
        if value is None:
            del tensors[name]
        else:
            tensors[name] = np.asarray(value, np.float32)
    save_file(tensors, path)


def kind_and_class(folder: Path) -> tuple[str, object]:
    """Choose a way, and return the head and the class it settled on."""
    choice = choose(LocalRepository.open(folder))
    assert choice.kind == "graph"
    return choice.head, choice.config.fields["architectures"]


@pytest.mark.parametrize(("kind", "head"), EVERY_HEAD)
def test_the_head_is_told_from_the_tensors(kind: str, head: str, tmp_path: Path) -> None:
    """The head is found where the class is missing, null, an encoder's or another task's."""
    folder = write_checkpoint(tmp_path, spec_of(kind, head))
    (named,) = json.loads((folder / "config.json").read_text())["architectures"]
    family = named.partition("For")[0]
    for value in (..., None, [], [f"{family}Model"], [f"{family}ForMaskedLM"], [f"TF{named}"]):
        change_config(folder, architectures=value)
        assert kind_and_class(folder) == (head, [named])
    change_config(folder, architectures=[named], model_type=...)
    assert kind_and_class(folder) == (head, [named])


def scores(engine: Engine) -> list[float]:
    """Answer one text, and close."""
    try:
        request = TextClassification((TextInput("a good film"),))
        (result,) = engine.answer_blocking(request).results()
        return [one.score for one in result.scores]
    finally:
        engine.close()


def test_a_model_without_a_class_answers_as_with_it(tmp_path: Path) -> None:
    """A model gives the same scores with and without its class in the config."""
    folder = write_checkpoint(tmp_path, CheckpointSpec(num_labels=3))
    usual = scores(load_engine(FolderRef(folder), options=OPTIONS))
    change_config(folder, architectures=None, id2label=None, label2id=None)
    assert scores(load_engine(FolderRef(folder), options=OPTIONS)) == usual


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"id2label": {"0": "O", "1": "B-LOC", "2": "I-LOC"}}, "token"),
        ({"id2label": {"0": "O", "1": "LOC-B", "2": "LOC-I"}}, "token"),
        ({"id2label": {"0": "B_X", "1": "I_X", "2": "E_X"}}, "token"),
        ({"id2label": None, "label2id": {"O": 0, "S-LOC": 1, "U-LOC": 2}}, "token"),
        ({"id2label": {"0": "NON-PERSON", "1": "PERSON", "2": "e-mail"}}, "sequence"),
        ({"id2label": {"0": "O", "1": "A", "2": "B"}}, "sequence"),
        (
            {"id2label": {"0": "O", "1": "B-A", "2": "I-A"}, "problem_type": "regression"},
            "sequence",
        ),
        ({"id2label": None, "label2id": None}, "sequence"),
    ],
)
@pytest.mark.parametrize("kind", ["bert", "albert", "modernbert"])
def test_tensors_that_fit_both_heads_are_told_apart_by_the_labels(
    kind: str, fields: dict[str, object], expected: str, tmp_path: Path
) -> None:
    """Where tensors fit both heads, as with a pooler or ModernBERT, the labels decide."""
    folder = write_checkpoint(tmp_path, spec_of(kind, "sequence"))
    change_config(folder, **{"label2id": None, **fields}, architectures=["Other"][:0])
    assert kind_and_class(folder)[0] == expected


def test_word_classes_are_tags(tmp_path: Path) -> None:
    """Labels that are parts of speech, which have no marks, mean a token head."""
    names = ("NOUN", "VERB", "ADJ", "DET", "PUNCT", "ADP")
    spec = CheckpointSpec(num_labels=len(names), label_names=names)
    folder = write_checkpoint(tmp_path, spec)
    change_config(folder, architectures=None)
    assert kind_and_class(folder)[0] == "token"


def test_the_class_wins_over_the_labels(tmp_path: Path) -> None:
    """Where the config names a class, the labels do not decide on the head."""
    folder = write_checkpoint(tmp_path, replace(spec_of("bert", "sequence"), label_names=TAGS))
    assert kind_and_class(folder)[0] == "sequence"


@pytest.mark.parametrize("name", [None, "BertModel", "BertForPreTraining", "BertForMaskedLM"])
def test_an_encoder_without_a_head_says_so(name: str | None, tmp_path: Path) -> None:
    """The error for an encoder without a head names the tensors that were looked for."""
    folder = write_checkpoint(tmp_path, CheckpointSpec())
    change_config(folder, architectures=None if name is None else [name])
    change_tensors(folder, classifier__weight=None, classifier__bias=None)
    with pytest.raises(UnsupportedCheckpoint, match=r"without a head.*classifier\.weight of a tok"):
        choose(LocalRepository.open(folder))


def test_a_class_of_another_known_architecture_goes_by_the_model_type(tmp_path: Path) -> None:
    """A class of another known architecture runs as the `model_type`, as in `transformers`."""
    folder = write_checkpoint(tmp_path, spec_of("xlm-roberta", "token"))
    change_config(folder, architectures=["RobertaForTokenClassification"])
    assert kind_and_class(folder) == ("token", ["XLMRobertaForTokenClassification"])


@pytest.mark.parametrize(
    "name", ["JinaBertForSequenceClassification", "BertForMultiLabel", "MyModel"]
)
def test_a_class_of_others_is_refused(name: str, tmp_path: Path) -> None:
    """An unknown class under a known `model_type` is refused; the error suggests an export."""
    folder = write_checkpoint(tmp_path, CheckpointSpec())
    change_config(folder, architectures=[name], auto_map={"AutoModel": "modeling_x.X"})
    with pytest.raises(UnsupportedCheckpoint, match=rf"class is {name}.*never run.*onnx/model"):
        choose(LocalRepository.open(folder))


def test_code_of_the_checkpoint_is_not_guessed_at(tmp_path: Path) -> None:
    """A checkpoint that names code and no class is refused."""
    folder = write_checkpoint(tmp_path, CheckpointSpec())
    change_config(folder, architectures=None, auto_map={"AutoModel": "modeling_x.X"})
    with pytest.raises(UnsupportedCheckpoint, match="which is never run"):
        choose(LocalRepository.open(folder))


def test_the_rows_of_the_head_count_the_labels(tmp_path: Path) -> None:
    """The head's rows count the labels: `label2id` alone names them, else they are numbered."""
    folder = write_checkpoint(tmp_path, CheckpointSpec(num_labels=3))
    change_config(folder, id2label=None, label2id={"C": 2, "A": 0, "B": 1})
    assert choose(LocalRepository.open(folder)).config.labels().names == ("A", "B", "C")
    change_config(folder, id2label=None, label2id=None, num_labels=7)
    names = choose(LocalRepository.open(folder)).config.labels().names
    assert names == ("LABEL_0", "LABEL_1", "LABEL_2")


def test_names_for_other_rows_are_refused_at_load(tmp_path: Path) -> None:
    """Label names that do not match the head's rows are refused with both numbers."""
    folder = write_checkpoint(tmp_path, CheckpointSpec(num_labels=3))
    change_config(folder, id2label={"0": "A", "2": "C"}, label2id=None)
    with pytest.raises(InvalidCheckpoint, match=r"\{'0': 'A', '2': 'C'\}, and the head has 3"):
        load_engine(FolderRef(folder), options=OPTIONS)


def test_an_unknown_problem_type_is_a_warning(tmp_path: Path) -> None:
    """An unknown `problem_type` is a warning, and the number of labels chooses the function."""
    for labels, total in ((2, 1.0), (1, None)):
        folder = write_checkpoint(tmp_path / str(labels), CheckpointSpec(num_labels=labels))
        usual = scores(load_engine(FolderRef(folder), options=OPTIONS))
        change_config(folder, problem_type="ranking")
        with capture_logs() as logs:
            found = scores(load_engine(FolderRef(folder), options=OPTIONS))
        assert found == usual
        assert total is None or sum(found) == pytest.approx(total)
        assert [line["log_level"] for line in logs] == ["warning"]
        assert "'ranking'" in logs[0]["found"]
