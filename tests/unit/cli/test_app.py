"""The command line as a whole, in this process: exit codes, error lines, help."""

import json
from pathlib import Path

import pytest
from support.checkpoints import CheckpointSpec, write_checkpoint

from earmark.checkpoint.bundled import bundled_ids
from earmark.cli import main
from earmark.settings import KNOWN


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model in a folder called `tiny`."""
    spec = CheckpointSpec(num_labels=3, label_names=("BAD", "SO-SO", "GOOD"))
    return write_checkpoint(tmp_path_factory.mktemp("models") / "tiny", spec)


@pytest.fixture(autouse=True)
def empty_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the settings and the state of this machine out of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EARMARK_STATE_FOLDER", str(tmp_path / "state"))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["clasify"], 'unknown command "clasify". Did you mean "classify"?'),
        (["serve", "--prot", "1"], "unknown option: --prot. Did you mean --port?"),
        (["serve", "--port", "eighty"], '--port: unable to convert "eighty" into int'),
        (["serve", "--port"], "--port needs a value"),
        (["serve", "stray"], "unexpected argument 'stray'"),
        (["serve", "--port", "0", "--host", "0.0.0.0"], "0.0.0.0 can be reached from other"),  # noqa: S104 - under test
        (["keys", "crate", "x"], 'unknown command "crate". Did you mean "create"?'),
        (["keys", "create"], "NAME needs a value"),
        (["keys", "create", "a b"], "'a b' cannot name an access key"),
        (["keys", "revoke", "nobody"], "no access key with the id or the name 'nobody'"),
        (["keys", "list", "--state-folder", __file__], "test_app.py/earmark.sqlite cannot be used"),
        (["serve", "--port", "65536"], "--port is 65536: expected int <= 65535"),
        (["serve", "--precision", "int4"], 'Choose from: "auto", "float32", "bfloat16", "int8"'),
        (["serve", "--config", "missing.toml"], "missing.toml cannot be read"),
        (["serve", "--port", "0", "--model", "nowhere"], "nowhere is neither a folder nor"),
        (["classify", "x", "--top-k", "0"], 'invalid value "0" for --top-k. Must be >= 1'),
        (["classify", "x", "--model", "nowhere"], "nowhere is neither a folder nor"),
        (["classify", "x", "--model", "a b"], "'a b' gives no usable model id"),
        (["classify", "\udcff"], "text 1 of the command line is not UTF-8"),
        (["classify", "-", "-"], "standard input can be read only once"),
        (["classify", __file__], "test_app.py' is a file, and classify takes texts"),
        (["classify", "a text", "/"], "'/' is a folder, and classify takes texts"),
        (["classify", "x", "--model", "sentimnet"], "did you mean earmark/sentiment?"),
        (["serve", "--log-level", "loud"], 'Choose from: "debug", "info", "warning", "error"'),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user's mistake is one line and perhaps a hint on standard error, with exit code 2."""
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    first, *more = err.splitlines()
    assert first.startswith("earmark: error: ")
    assert complaint in first
    assert all(line.startswith("earmark: hint: ") for line in more)
    assert len(more) <= 1
    assert out == ""


def test_a_model_of_a_hub_out_of_reach_comes_with_how_to_fetch_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The error for a Hub out of reach says how to fetch the model."""
    assert main(["classify", "x", "--model", "org/name"]) == 2
    assert "earmark pull org/name" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("models", "complaint"),
    [
        ([], "no model named"),
        (["./folder"], "'./folder' cannot be a model of the Hub"),
        (["earmark/ner"], "'earmark/ner' is in the box already"),
    ],
)
def test_only_what_can_be_of_the_hub_is_pulled(
    models: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`pull` refuses a name that cannot be of the Hub, before it asks the Hub."""
    assert main(["pull", *models]) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("spoiled", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_damaged_checkpoint_is_one_line_and_exit_code_2(
    spoiled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A damaged checkpoint is one line that names the file, with exit code 2."""
    folder = write_checkpoint(tmp_path / "tiny", CheckpointSpec())
    (folder / spoiled).write_bytes(b"rubbish")
    assert main(["classify", "x", "--model", str(folder)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("earmark: error: ")
    assert spoiled in err
    assert len(err.splitlines()) == 1


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """`earmark` without a command shows the help."""
    assert main([]) == 0
    out = capsys.readouterr().out
    for command in ("serve", "classify", "models", "keys"):
        assert command in out


@pytest.mark.parametrize("command", ["serve", "classify", "models", "keys create", "keys list"])
def test_every_command_explains_its_flags(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help shows the flags, and an example to start from."""
    assert main([*command.split(), "--help"]) == 0
    out = capsys.readouterr().out
    assert f"Try: earmark {command}" in out
    assert "--config" in out


def test_the_help_shows_the_defaults_of_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    """A flag left out is not nothing: the help says what it is then."""
    main(["serve", "--help"])
    out = capsys.readouterr().out
    for shown in ("earmark/sentiment", "127.0.0.1", "8080", "all cores", "openvino"):
        assert f", else {shown}" in " ".join(out.replace("│", " ").split())


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, the name first."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("earmark ")


def test_texts_are_classified_into_json_lines(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not on a terminal, each text becomes an object on a line of its own, in order."""
    texts = ["one", "", "and two"]
    assert main(["classify", *texts, "--model", str(checkpoint), "--top-k", "2"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["text"] for answer in answers] == texts
    for answer in answers:
        scores = [one["score"] for one in answer["scores"]]
        assert scores == sorted(scores, reverse=True)
        assert (answer["label"], answer["score"]) == tuple(answer["scores"][0].values())
        assert len(scores) == 2


def test_a_text_too_long_for_the_model_is_cut_and_counted(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The caller learns how much was not read."""
    assert main(["classify", "a " * 1000, "--model", str(checkpoint)]) == 0
    assert json.loads(capsys.readouterr().out)["truncated_tokens"] > 0


def test_after_two_dashes_everything_is_text(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Texts may begin with a dash, or be one."""
    assert main(["classify", "--model", str(checkpoint), "--", "-1 of 10", "-"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["text"] for answer in answers] == ["-1 of 10", "-"]


def test_a_model_of_the_settings_goes_by_its_id(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The settings' first model is the default, and their ids can be named."""
    file = tmp_path / "earmark.toml"
    file.write_text(f'models = ["mine={checkpoint}", "earmark/sentiment"]', "utf-8")
    assert main(["classify", "x"]) == 0
    assert main(["classify", "x", "--model", "mine"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert answers[0] == answers[1]
    assert answers[0]["label"] in {"BAD", "SO-SO", "GOOD"}


def test_the_models_at_hand_are_listed(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bundled ones and those of the settings, with what their files say."""
    file = tmp_path / "earmark.toml"
    file.write_text(f'models = ["mine={checkpoint}", "gone=./gone"]', "utf-8")
    assert main(["models", "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == [*bundled_ids(), "mine", "gone"]
    assert rows["earmark/sentiment"]["source"] == "bundled"
    assert rows["earmark/sentiment"]["facts"]["labels"] == ["NEGATIVE", "POSITIVE"]
    assert rows["mine"]["folder"] == str(checkpoint)
    assert rows["mine"]["facts"]["task"] == "text-classification"
    assert rows["mine"]["facts"]["labels"] == ["BAD", "SO-SO", "GOOD"]
    assert rows["mine"]["facts"]["stored_precision"] == "float32"
    assert rows["gone"]["facts"] is None
    assert "gone is neither" in rows["gone"]["problem"]


@pytest.mark.parametrize(
    ("spec", "task"),
    [
        (CheckpointSpec(label_names=("entailment", "not")), "zero-shot-classification"),
        (CheckpointSpec(head="token"), "token-classification"),
    ],
    ids=["zero-shot", "tokens"],
)
def test_a_model_is_listed_with_what_it_will_be_served_for(
    spec: CheckpointSpec, task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model is listed with the task that its head and labels give."""
    folder = write_checkpoint(tmp_path / "mine", spec)
    (tmp_path / "earmark.toml").write_text(f'models = ["{folder}"]', "utf-8")
    assert main(["models", "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["mine"]["facts"]["task"] == task


def test_texts_for_a_model_that_labels_tokens_are_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says what the model is for."""
    folder = write_checkpoint(tmp_path / "mine", CheckpointSpec(head="token"))
    assert main(["classify", "x", "--model", str(folder)]) == 2
    err = capsys.readouterr().err
    assert "mine is for token-classification, and classify labels whole texts" in err
    assert len(err.splitlines()) == 2  # the second says what asks it


def test_the_table_of_models_shows_each_and_warns_of_the_unreadable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One model that cannot be read does not hide the others."""
    (tmp_path / "earmark.toml").write_text('models = ["gone=./[gone]"]', "utf-8")
    assert main(["models"]) == 0
    out, err = capsys.readouterr()
    assert "earmark/sentiment" in out
    assert "[gone]" in out
    assert err.startswith("earmark: warning: gone: ")


def test_a_file_named_as_a_text_is_told_how_it_is_read(
    empty_working_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error for a file's name as a text has a command line that reads the file."""
    (empty_working_directory / "my texts.csv").write_text("a\n")
    assert main(["classify", "my texts.csv"]) == 2
    assert "did you mean earmark classify < 'my texts.csv', whose" in capsys.readouterr().err


def test_a_word_that_is_a_folders_name_by_chance_is_a_text(
    checkpoint: Path, empty_working_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A word that is also a folder's name is classified."""
    (empty_working_directory / "good").mkdir()
    assert main(["classify", "good", "--model", str(checkpoint)]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == "good"


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("earmark/ner", "is for token-classification, and"),
        ("earmark/zero-shot", "is for zero-shot-classification, which needs labels, and"),
    ],
)
def test_a_model_of_another_task_is_told_what_asks_it(
    model: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model of another task is refused with the way to use it."""
    assert main(["classify", "x", "--model", model, "--certify", "off"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{model} {told}" in err
    assert f"earmark serve --model {model}, then curl http://127.0.0.1:8080/models/{model}" in err


def test_the_help_of_serve_names_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    """Each setting's, and that of the settings file."""
    assert main(["serve", "--help"]) == 0
    shown = capsys.readouterr().out
    variables = [one.variable for one in KNOWN.values()]
    assert [one for one in (*variables, "EARMARK_CONFIG") if one not in shown] == []


def test_the_help_of_serve_names_the_flag_of_every_setting(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is on by default can be turned off, and nothing else can."""
    assert main(["serve", "--help"]) == 0
    shown = set(capsys.readouterr().out.split())
    assert [name for name, one in KNOWN.items() if one.flag not in shown] == []
    off = {one for one in shown if one.startswith("--no-")}
    assert off == {"--no-preload", "--no-load-on-demand"}


@pytest.mark.parametrize(
    ("flag", "written", "complaint"),
    [
        ("--model", "", "'' gives no usable model id"),
        ("--allowed-host", "", "--allowed-host is ['']: expected str of length >= 1 - at"),
        ("--max-inputs", "0", "--max-inputs is 0: expected int >= 1"),
        ("--max-texts", "16385", "--max-texts is 16385: expected int <= 16384"),
        ("--hold-s", "300", "--hold-s is 300.0: expected float < 300"),
        ("--threads", "0", "--threads is 0: expected int >= 1"),
        ("--zero-shot-form", "list", "--zero-shot-form"),
        ("--certify", "on", "--certify"),
    ],
)
def test_a_flag_out_of_bounds_is_one_line_that_names_it(
    flag: str, written: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is loaded, as it is for a variable or a key of the file."""
    assert main(["serve", "--port", "0", flag, written]) == 2
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith("earmark: error: ")
    assert complaint in first


def test_a_path_in_a_pipe_is_not_broken(
    checkpoint: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table in a pipe has each path on one line, however narrow the terminal is."""
    monkeypatch.setenv("COLUMNS", "40")
    folder = checkpoint.parent
    assert main(["models", "--models-folder", str(folder)]) == 0
    [line] = [one for one in capsys.readouterr().out.splitlines() if one.startswith("tiny ")]
    assert line.split()[-1] == str(checkpoint)
