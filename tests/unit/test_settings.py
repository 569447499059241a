"""Settings: which source wins, and the errors for wrong values."""

import json
from operator import attrgetter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earmark.checkpoint.bundled import bundled_ids
from earmark.checkpoint.ref import BundledRef, FolderRef, HubRef, ModelRef
from earmark.engine.load import EngineOptions
from earmark.errors import SettingsError
from earmark.models.on_demand import OnDemandOptions
from earmark.serving.limits import ServiceOptions
from earmark.settings import CONFIG_FILE, KNOWN, NamedModel, Settings, read_settings
from earmark.web.options import WebOptions

NOWHERE = Path("/no such folder")


def read(
    *,
    flags: dict[str, object] | None = None,
    environ: dict[str, str] | None = None,
    folder: Path = NOWHERE,
    config: Path | None = None,
    warnings: list[str] | None = None,
) -> Settings:
    """Read settings from what is named alone."""
    told: list[str] = [] if warnings is None else warnings
    return read_settings(
        flags or {}, environ=environ or {}, folder=folder, config=config, warn=told.append
    )


def write(folder: Path, text: str) -> Path:
    """Write the settings file of a folder."""
    file = folder / CONFIG_FILE
    file.write_text(text, "utf-8")
    return file


def test_without_any_source_every_setting_is_its_floors_default() -> None:
    """Without any source every setting has the default of the options that use it."""
    settings = read()
    assert settings.named_models() == tuple(
        NamedModel(one, BundledRef(one)) for one in bundled_ids()
    )
    assert settings == Settings()
    assert settings.engine == EngineOptions()
    assert settings.service == ServiceOptions()
    assert settings.web_options() == WebOptions()


ports = st.none() | st.integers(0, 65535)


@settings(deadline=None)
@given(flag=ports, variable=ports, in_file=ports)
def test_a_flag_wins_over_a_variable_over_the_file_over_the_default(
    tmp_path_factory: pytest.TempPathFactory,
    flag: int | None,
    variable: int | None,
    in_file: int | None,
) -> None:
    """Whatever sources name a setting, the first in this order counts."""
    folder = tmp_path_factory.mktemp("settings")
    if in_file is not None:
        write(folder, f"port = {in_file}")
    settings = read(
        flags={"port": flag},
        environ={} if variable is None else {"EARMARK_PORT": str(variable)},
        folder=folder,
    )
    named = [one for one in (flag, variable, in_file) if one is not None]
    assert settings.port == (named[0] if named else 8080)


def test_sources_that_name_different_settings_add_up(tmp_path: Path) -> None:
    """No source hides what another one alone names."""
    write(tmp_path, 'host = "0.0.0.0"\nthreads = 3')
    settings = read(
        flags={"precision": "int8"}, environ={"EARMARK_LOG_FORMAT": "json"}, folder=tmp_path
    )
    assert (settings.host, settings.engine.threads) == ("0.0.0.0", 3)  # noqa: S104 - a value, not a bind
    assert (settings.engine.precision, settings.log_format) == ("int8", "json")


def test_what_is_set_reaches_the_options_of_each_floor() -> None:
    """Each option arrives at the floor that uses it."""
    settings = read(
        flags={
            "precision": "float32",
            "runtime": "onnxruntime",
            "threads": 2,
            "max_batch_tokens": 256,
            "max_body_bytes": 99,
            "request_timeout_s": 1.5,
            "cache_bytes": 0,
        }
    )
    assert settings.engine == EngineOptions(
        precision="float32", runtime="onnxruntime", threads=2, max_batch_tokens=256
    )
    assert settings.web_options().max_body_bytes == 99
    assert settings.service.request_timeout_s == 1.5
    assert settings.service.cache_bytes == 0


SAMPLES: dict[str, tuple[str, object, str]] = {
    "models": ("a=./x, org/b", ["a=./x", "org/b"], "models"),
    "preload": ("false", False, "preload"),
    "load_on_demand": ("0", False, "load_on_demand"),
    "models_folder": ("/srv", "/srv", "models_folder"),
    "hub_models": ("org/*,deny", ["org/*", "deny"], "hub_models"),
    "aliases": ("a=b", ["a=b"], "aliases"),
    "max_loaded": ("7", 7, "on_demand.max_loaded"),
    "hold_s": ("1.5", 1.5, "on_demand.hold_s"),
    "load_timeout_s": ("1.5", 1.5, "on_demand.load_s"),
    "kept": ("a/b", ("a/b",), "on_demand.kept"),
    "memory": ("8GB", "8GB", "memory"),
    "idle_unload": ("30m", "30m", "idle_unload"),
    "host": ("::1", "::1", "host"),
    "port": ("0", 0, "port"),
    "allow_anonymous": ("true", True, "allow_anonymous"),
    "hosts": ("box.lan,box", ["box.lan", "box"], "hosts"),
    "drain_s": ("0.5", 0.5, "server.drain_s"),
    "max_body_bytes": ("99", 99, "web.max_body_bytes"),
    "cors_origins": ("https://a.example", ["https://a.example"], "web.cors_origins"),
    "zero_shot_form": ("both", "both", "web.zero_shot_form"),
    "strict": ("1", True, "web.strict"),
    "accounts": ("mine", ["mine"], "web.accounts"),
    "max_inputs": ("12", 12, "service.max_inputs"),
    "max_texts": ("5000", 5000, "service.max_texts"),
    "request_timeout_s": ("9", 9.0, "service.request_timeout_s"),
    "cache_bytes": ("0", 0, "service.cache_bytes"),
    "keep_answers_h": ("0.5", 0.5, "jobs.keep_answers_h"),
    "precision": ("int8", "int8", "engine.precision"),
    "runtime": ("onnxruntime", "onnxruntime", "engine.runtime"),
    "threads": ("3", 3, "engine.threads"),
    "max_batch_tokens": ("256", 256, "engine.max_batch_tokens"),
    "run_timeout_s": ("7.5", 7.5, "engine.run_timeout_s"),
    "certify": ("off", "off", "engine.reference"),
    "tolerance": ("0.25", 0.25, "engine.tolerance"),
    "engine": ("thread", "thread", "engine_place"),
    "shared_engine_bytes": ("5", 5, "shared_engine_bytes"),
    "sandbox": ("true", True, "sandbox"),
    "cache_folder": ("/c", "/c", "cache_folder"),
    "compiled_bytes": ("1", 1, "compiled_bytes"),
    "state_folder": ("/s", "/s", "state_folder"),
    "log_format": ("json", "json", "log_format"),
    "log_level": ("error", "error", "log_level"),
}
"""Setting -> text of its variable, the same value in the file, and where it arrives."""


def test_every_setting_has_a_sample() -> None:
    """The cases below are of all settings, in the order in which errors list them."""
    assert list(SAMPLES) == list(KNOWN)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_setting_can_be_written_in_every_source(name: str, tmp_path: Path) -> None:
    """The variable, the file and the flag give the same value, which is not the default."""
    text, value, place = SAMPLES[name]
    write(tmp_path, f"{name} = {json.dumps(value)}")
    expected = tuple(value) if isinstance(value, list) else value
    for found in (
        read(environ={f"EARMARK_{name.upper()}": text}),
        read(folder=tmp_path),
        read(flags={name: value}),
    ):
        assert attrgetter(place)(found) == expected
        assert found != Settings()


def test_a_larger_limit_on_what_comes_in_raises_those_on_what_is_read() -> None:
    """A larger limit on inputs or bodies raises the limits on texts and characters."""
    settings = read(environ={"EARMARK_MAX_INPUTS": "8000", "EARMARK_MAX_BODY_BYTES": "99999999"})
    assert settings.service.max_texts == 8000
    assert settings.service.max_characters == 99_999_999


def test_an_empty_variable_counts_as_not_set() -> None:
    """`EARMARK_PORT= earmark serve` is the way to unset one for a single call."""
    assert read(environ={"EARMARK_PORT": "", "EARMARK_CONFIG": ""}).port == 8080


def test_models_of_a_variable_are_separated_by_commas() -> None:
    """A variable has no lists; commas make one."""
    settings = read(environ={"EARMARK_MODELS": "earmark/sentiment, mine=./folder"})
    assert settings.models == ("earmark/sentiment", "mine=./folder")


def test_a_variable_that_means_nothing_is_warned_of() -> None:
    """An unknown `EARMARK_` variable causes a warning with the nearest name."""
    warnings: list[str] = []
    settings = read(environ={"EARMARK_PROT": "1", "OTHER_PORT": "2"}, warnings=warnings)
    assert settings == Settings()
    assert warnings == [
        "the environment variable EARMARK_PROT means nothing (did you mean EARMARK_PORT?)"
    ]


def test_the_variable_of_a_clients_key_is_not_warned_of() -> None:
    """The variable of a client's key causes no warning."""
    warnings: list[str] = []
    assert read(environ={"EARMARK_KEY": "ek_x"}, warnings=warnings) == Settings()
    assert warnings == []


def test_anonymous_callers_are_allowed_by_any_source(tmp_path: Path) -> None:
    """`allow_anonymous` can be set in every source; a variable holds a word for it."""
    assert not read().allow_anonymous
    assert read(environ={"EARMARK_ALLOW_ANONYMOUS": "true"}).allow_anonymous
    assert not read(
        flags={"allow_anonymous": False}, environ={"EARMARK_ALLOW_ANONYMOUS": "1"}
    ).allow_anonymous
    write(tmp_path, "allow_anonymous = true")
    assert read(folder=tmp_path).allow_anonymous


def test_the_file_can_be_named_by_flag_or_by_variable(tmp_path: Path) -> None:
    """A named file is read instead of the one in the working directory; the flag wins."""
    write(tmp_path, "port = 1")
    by_flag, by_variable = tmp_path / "flag.toml", tmp_path / "variable.toml"
    by_flag.write_text("port = 2", "utf-8")
    by_variable.write_text("port = 3", "utf-8")
    environ = {"EARMARK_CONFIG": str(by_variable)}
    assert read(folder=tmp_path, environ=environ).port == 3
    assert read(folder=tmp_path, environ=environ, config=by_flag).port == 2


def test_a_named_file_has_to_be_there(tmp_path: Path) -> None:
    """Only the file in the working directory may be missing."""
    with pytest.raises(SettingsError, match=r"missing\.toml cannot be read"):
        read(config=tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"port = @", r"is not TOML: .*line 1"),
        (b"port = 8080 # \xff", r"cannot be read: 'utf-8' codec"),
        (b"prot = 8080", r"'prot' is no setting \(did you mean port\?\); settings are models, "),
        (b"[server]\nport = 1", r"'server' is no setting"),
        (b'port = "8080"', r"port is '8080': expected int, got str"),
        (b"port = 65536", r"port is 65536: expected int <= 65535"),
        (b'precision = "int4"', r"precision is 'int4': expected one of auto, float32, "),
        (b"models = []", r"models is \[\]: expected array of length >= 1"),
        (b"request_timeout_s = 0", r"request_timeout_s is 0: expected float > 0"),
    ],
)
def test_a_wrong_file_is_refused_by_its_name_and_the_key(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    """The operator learns which file, which key, what was found and what was expected."""
    file = tmp_path / CONFIG_FILE
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=complaint) as caught:
        read(folder=tmp_path)
    assert str(file) in str(caught.value)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    """A folder in place of the settings file is an error without a traceback."""
    (tmp_path / CONFIG_FILE).mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        read(folder=tmp_path)


def test_a_wrong_variable_is_named() -> None:
    """The error names the variable as it is written."""
    with pytest.raises(SettingsError, match=r"^EARMARK_PORT is 'eighty': expected int"):
        read(environ={"EARMARK_PORT": "eighty"})


def test_a_wrong_flag_is_named() -> None:
    """The error names the flag as it is written."""
    with pytest.raises(SettingsError, match=r"^--max-body-bytes is 0: expected int >= 1"):
        read(flags={"max_body_bytes": 0})


@pytest.mark.parametrize(
    ("written", "model_id", "ref"),
    [
        ("earmark/sentiment", "earmark/sentiment", BundledRef("earmark/sentiment")),
        ("mood=earmark/sentiment", "mood", BundledRef("earmark/sentiment")),
        ("a/models/distil", "distil", FolderRef(Path("a/models/distil"))),
        ("./models/distil", "distil", FolderRef(Path.cwd() / "models" / "distil")),
        ("org/name", "org/name", HubRef("org/name")),
        ("org/name@refs/pr/1", "org/name", HubRef("org/name", "refs/pr/1")),
        ("mine=org/name@v1", "mine", HubRef("org/name", "v1")),
        ("bert-base-uncased", "bert-base-uncased", HubRef("bert-base-uncased")),
        ("word", "word", FolderRef(Path("word"))),
        ("/srv/models/distil/", "distil", FolderRef(Path("/srv/models/distil"))),
        ("me/mine=/srv/x", "me/mine", FolderRef(Path("/srv/x"))),
        ("mine=/srv/a=b", "mine", FolderRef(Path("/srv/a=b"))),
    ],
)
def test_a_model_is_bundled_a_folder_or_of_the_hub_with_or_without_an_id(
    written: str, model_id: str, ref: ModelRef
) -> None:
    """A folder without an id goes by its own name, a model of the Hub by its id there."""
    assert NamedModel.read(written) == NamedModel(model_id, ref)


def test_a_folder_that_is_there_is_meant_before_a_model_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its id is the folder's name, and it stays a folder when the folder goes."""
    folder = tmp_path / "org" / "name"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    model = NamedModel.read("org/name")
    assert model == NamedModel("name", FolderRef(folder))


def test_the_working_directory_goes_by_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--model .` serves the folder one stands in."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert NamedModel.read(".") == NamedModel("here", FolderRef(Path()))


@pytest.mark.parametrize(
    "written", ["", "=folder", "mine=", "my model", "a b=folder", "./a=b", "/"]
)
def test_a_model_without_a_usable_id_is_refused(written: str) -> None:
    """An id has to stand in a URL; a folder's odd name asks for an id beside it."""
    with pytest.raises(SettingsError, match="gives no usable model id"):
        NamedModel.read(written)


def test_two_models_of_one_id_are_refused() -> None:
    """Two folders of the same name need ids of their own."""
    with pytest.raises(SettingsError, match="two models have the id 'x': /a/x and /b/x"):
        read(flags={"models": ["/a/x", "/b/x"]}).named_models()


def test_what_can_be_loaded_on_demand_is_what_is_named_in_the_box_and_in_the_folder(
    tmp_path: Path,
) -> None:
    """Named models first; a bundled id named otherwise keeps the operator's meaning."""
    (tmp_path / "org" / "name").mkdir(parents=True)
    (tmp_path / "org" / "name" / "config.json").touch()
    flags: dict[str, object] = {
        "models": ["earmark/sentiment=/mine", "x=/y"],
        "models_folder": str(tmp_path),
    }
    catalogue = read(flags=flags).catalogue()
    assert catalogue is not None
    assert catalogue.ids()[:2] == ("earmark/sentiment", "x")
    assert catalogue.ids()[-1] == "org/name"
    found = catalogue.find("earmark/sentiment")
    assert found is not None
    assert found.ref == FolderRef(Path("/mine"))


@pytest.mark.parametrize("flags", [{"preload": False}, {"models_folder": "."}])
def test_models_that_nobody_could_ever_use_are_refused(flags: dict[str, object]) -> None:
    """Without loading on demand, settings for models that only it could load are refused."""
    with pytest.raises(SettingsError, match="load_on_demand is off"):
        read(flags=flags | {"load_on_demand": False}).catalogue()
    assert read(flags={"load_on_demand": False}).catalogue() is None


def test_a_models_folder_has_to_be_there() -> None:
    """A missing models folder is an error that names it."""
    with pytest.raises(SettingsError, match=r"models folder .*no such folder is not there"):
        read(environ={"EARMARK_MODELS_FOLDER": str(NOWHERE)}).catalogue()


def test_how_models_are_loaded_on_demand_can_be_set() -> None:
    """Variables set how models are loaded on demand, truth values by words."""
    variables = {"MAX_LOADED": "2", "HOLD_S": "30", "LOAD_TIMEOUT_S": "9", "PRELOAD": "false"}
    settings = read(environ={f"EARMARK_{name}": value for name, value in variables.items()})
    assert settings.on_demand == OnDemandOptions(max_loaded=2, hold_s=30.0, load_s=9.0)
    assert not settings.preload
    assert read().on_demand == OnDemandOptions()


def test_aliases_of_the_operators_come_before_those_that_there_are() -> None:
    """The operator's aliases come first, and replace built-in ones of the same name."""
    written = ("mine=earmark/sentiment", "@cf/baai/bge-reranker-base=me/reranker:int8")
    table = {one.name: one.runs for one in read(flags={"aliases": list(written)}).alias_table()}
    assert table == {
        "mine": "earmark/sentiment",
        "@cf/baai/bge-reranker-base": "me/reranker:int8",
        "@cf/huggingface/distilbert-sst-2-int8": (
            "distilbert/distilbert-base-uncased-finetuned-sst-2-english:int8"
        ),
    }


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        (["nonsense"], "'nonsense' is no alias; expected name=model-id"),
        (["a=b", "a=c"], "the alias 'a' is an alias already"),
        (["earmark/sentiment=b"], "the alias 'earmark/sentiment' is a model's own id"),
    ],
)
def test_an_alias_that_cannot_be_is_refused(written: list[str], complaint: str) -> None:
    """A malformed or conflicting alias is refused before anything is loaded."""
    with pytest.raises(SettingsError, match=complaint):
        read(flags={"aliases": written}).alias_table()


def test_lists_in_the_environment_are_separated_by_commas() -> None:
    """Models, aliases and accounts in variables are separated by commas."""
    settings = read(environ={"EARMARK_ALIASES": "a=b, c=d", "EARMARK_ACCOUNTS": "x,y"})
    assert settings.aliases == ("a=b", "c=d")
    assert settings.web_options().accounts == ("x", "y")
    origins = {"EARMARK_CORS_ORIGINS": "https://a.example,http://localhost:3000"}
    named = read(environ=origins).web_options().cors_origins
    assert named == ("https://a.example", "http://localhost:3000")
    assert read().web_options().cors_origins == ("*",)


@pytest.mark.parametrize("origin", ["https://a.example/", "a.example", "https://", ""])
def test_an_origin_is_a_scheme_and_a_host(origin: str) -> None:
    """An origin with a path is refused, since browsers send none."""
    with pytest.raises(SettingsError, match="is no origin; expected a scheme and a host"):
        read(flags={"cors_origins": [origin]}).web_options()
    assert read(environ={"EARMARK_KEEP_ANSWERS_H": "0.5"}).jobs.keep_answers_h == 0.5


@pytest.mark.parametrize(
    ("sources", "shown"),
    [
        ({}, "None"),
        ({"flags": {"hub_models": ["org/*", "a/b,c/d"]}}, "org/*, a/b, c/d"),
        ({"environ": {"EARMARK_HUB_MODELS": "org/*, other/name"}}, "org/*, other/name"),
        ({"environ": {"EARMARK_HUB_MODELS": "any"}}, "any"),
        ({"flags": {"load_on_demand": False}}, "deny"),
        ({"flags": {"load_on_demand": False, "hub_models": ["deny"]}}, "deny"),
    ],
)
def test_which_models_of_the_hub_may_be_fetched_is_a_rule(
    sources: dict[str, dict[str, object]], shown: str
) -> None:
    """`hub_models` gives the rule, None where it is not set."""
    assert str(read(**sources).hub_rule()) == shown  # type: ignore[arg-type] # cases of two kinds


def test_a_list_in_the_file_is_a_rule_too(tmp_path: Path) -> None:
    """A list of patterns in the file gives the rule."""
    write(tmp_path, 'hub_models = ["dslim/*", "org/name"]')
    assert str(read(folder=tmp_path).hub_rule()) == "dslim/*, org/name"


def test_without_loading_on_demand_nothing_is_fetched() -> None:
    """Without loading on demand, a rule that allows models is refused."""
    flags: dict[str, object] = {"load_on_demand": False, "hub_models": ["org/*"]}
    with pytest.raises(
        SettingsError, match=r"load_on_demand is off, so that hub_models \(org/\*\)"
    ):
        read(flags=flags).hub_rule()


def test_a_rule_that_is_none_is_refused() -> None:
    """The error for a malformed rule has what was found and what is accepted."""
    with pytest.raises(SettingsError, match="hub_models has 'dslim'; expected deny, any, or"):
        read(environ={"EARMARK_HUB_MODELS": "dslim"}).hub_rule()


@pytest.mark.parametrize("written", ["yes", "on", "2"])
def test_a_switch_says_which_two_words_there_are(written: str) -> None:
    """The error for a wrong truth value names the two accepted words."""
    with pytest.raises(SettingsError, match=rf"^EARMARK_STRICT is '{written}': expected true or"):
        read(environ={"EARMARK_STRICT": written})
    with pytest.raises(SettingsError, match=r"expected int$"):
        read(environ={"EARMARK_PORT": "eighty"})


def test_a_settings_file_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    """The error for a missing settings file has no error number."""
    file = tmp_path / "no.toml"
    with pytest.raises(SettingsError, match=r"cannot be read: no such file or directory$"):
        read(environ={"EARMARK_CONFIG": str(file)})


@pytest.mark.parametrize(
    ("written", "size"),
    [("8GB", 8_000_000_000), ("1.5 gib", 1_610_612_736), ("500m", 500_000_000), ("123", 123)],
)
def test_a_size_is_read_as_operators_write_it(written: str, size: int) -> None:
    """Decimal units, and binary ones with an `i`, in any case, with a space or without."""
    assert Settings(memory=written).on_demand_options().memory_bytes == size


@pytest.mark.parametrize(("written", "seconds"), [("30m", 1800), ("90s", 90), ("1.5h", 5400)])
def test_a_time_is_read_as_operators_write_it(written: str, seconds: float) -> None:
    """In seconds, minutes, hours and days."""
    assert Settings(idle_unload=written).on_demand_options().idle_s == seconds


@pytest.mark.parametrize("written", ["8 gigs", "GB", "-1GB", "0", "1e9", "8GB or so", "30 years"])
def test_what_is_no_size_is_refused(written: str) -> None:
    """The error shows what was found, and an example."""
    with pytest.raises(SettingsError, match=r"memory is .*: expected a size, such as 8GB"):
        Settings(memory=written).on_demand_options()
