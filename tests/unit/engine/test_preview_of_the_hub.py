"""What a model of the Hub is, before its weights are fetched; with the real `huggingface_hub`."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from safetensors.numpy import load, save
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.hub_stand_in import HubRepo, HubStandIn, commit_of, running_hub

from earmark.checkpoint.hub import fetch as the_hub
from earmark.checkpoint.hub import preview as hub_preview
from earmark.checkpoint.hub.access import HubAccess
from earmark.checkpoint.hub.progress import SilentProgress
from earmark.checkpoint.ref import HubRef
from earmark.engine.preview import PreviewedModel, fetch_previewed_model, preview_model
from earmark.engine.ways.choice import runs_from_weights
from earmark.errors import (
    CheckpointError,
    CheckpointNotFound,
    HubUnavailable,
    InvalidCheckpoint,
    UnsupportedCheckpoint,
)

FIRST = commit_of("first")
fetch = partial(the_hub.fetch, from_weights=runs_from_weights)
preview = partial(hub_preview.preview, from_weights=runs_from_weights)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A checkpoint's files by name."""
    spec = CheckpointSpec(label_names=("BAD", "GOOD"))
    folder = write_checkpoint(tmp_path_factory.mktemp("hub"), spec)
    return HubRepo.of(folder).commits[FIRST]


@pytest.fixture
def hub(files: dict[str, bytes]) -> Iterator[HubStandIn]:
    """A Hub with that checkpoint as `org/name`."""
    repo = HubRepo({}, {})
    repo.commit("first", dict(files))
    with running_hub({"org/name": repo}) as hub:
        yield hub


@pytest.fixture
def access(hub: HubStandIn, tmp_path: Path) -> HubAccess:
    """The way to it, with an empty cache."""
    return HubAccess(endpoint=hub.url, cache=tmp_path / "cache")


def change(hub: HubStandIn, **files: bytes | None) -> None:
    """Put other files into the repository's only commit; None takes one away."""
    held = hub.repos["org/name"].commits[FIRST]
    for written, body in files.items():
        name = written.replace("_json", ".json").replace("_st", ".safetensors")
        held.pop(name, None)
        if body is not None:
            held[name] = body
    hub.repos["org/name"].commit("first", held)


def refused(access: HubAccess) -> CheckpointError:
    """Preview what cannot run, and return why; no message names a place of this machine."""
    with pytest.raises(CheckpointError) as caught:
        preview_model(HubRef("org/name"), access)
    assert str(access.cache) not in str(caught.value)
    return caught.value


def test_only_the_config_is_fetched(
    hub: HubStandIn, access: HubAccess, files: dict[str, bytes]
) -> None:
    """It tells the labels; the listing tells the sizes."""
    found = preview_model(HubRef("org/name"), access)
    assert found.ref == HubRef("org/name", FIRST)
    assert (found.facts.model_id, found.facts.revision) == ("org/name", FIRST)
    assert (found.facts.task, found.facts.labels.names) == ("text-classification", ("BAD", "GOOD"))
    assert found.facts.weights_bytes == len(files["model.safetensors"])
    assert found.to_come_bytes == sum(map(len, files.values())) - len(files["config.json"])
    assert hub.files_asked() == {"config.json"}


def test_what_is_in_the_cache_need_not_come(access: HubAccess) -> None:
    """The files that an earlier fetch brought are not counted."""
    fetch(HubRef("org/name"), access=access)
    assert preview_model(HubRef("org/name"), access).to_come_bytes == 0


def test_weights_in_several_files_are_weighed_by_their_names(
    hub: HubStandIn, access: HubAccess
) -> None:
    """The index that lists them is not read for it."""
    held = hub.repos["org/name"].commits[FIRST]
    del held["model.safetensors"]
    held |= {
        "model.safetensors.index.json": b"12",
        "model-00001-of-00002.safetensors": b"345",
        "model-00002-of-00002.safetensors": b"6789",
        "other-00001-of-00001.safetensors": b"0" * 100,
    }
    hub.repos["org/name"].commit("first", held)
    assert preview_model(HubRef("org/name"), access).facts.weights_bytes == 9


@pytest.mark.parametrize(
    ("config", "kind", "said"),
    [
        (b"{", InvalidCheckpoint, "config.json cannot be read as JSON"),
        (
            json.dumps({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}).encode(),
            UnsupportedCheckpoint,
            "config.json: the model class is GPT2LMHeadModel of the architecture",
        ),
        (b" " * 5_000_000 + b"{}", UnsupportedCheckpoint, "has 5,000,002 bytes; at most 4,000,000"),
        (None, UnsupportedCheckpoint, "has no config.json"),
    ],
    ids=["no JSON", "other architecture", "large", "none"],
)
def test_a_config_that_does_not_do_is_told(
    hub: HubStandIn, access: HubAccess, config: bytes | None, kind: type[Exception], said: str
) -> None:
    """One that is too large, or of a repository without weights, is not even fetched."""
    change(hub, config_json=config)
    error = refused(access)
    assert (type(error), said in str(error)) == (kind, True)


def test_a_repository_without_weights_is_told(hub: HubStandIn, access: HubAccess) -> None:
    """Before its config is fetched."""
    change(hub, model_st=None)
    assert "no weights that can be read; expected model.safetensors" in str(refused(access))
    assert hub.files_asked() == set()


def test_a_repository_that_there_is_not_is_not_found(access: HubAccess) -> None:
    """As is one that is private."""
    with pytest.raises(CheckpointNotFound, match="no model org/none, or a private one"):
        preview_model(HubRef("org/none"), access)


def test_a_gated_model_is_not_found(hub: HubStandIn, access: HubAccess) -> None:
    """The listing is public, the config is not."""
    hub.repos["org/name"].gated = True
    with pytest.raises(CheckpointNotFound, match="is gated"):
        preview_model(HubRef("org/name"), access)


def nowhere(access: HubAccess) -> HubAccess:
    """The same cache, and a Hub that nobody runs."""
    return replace(access, endpoint="http://127.0.0.1:9")


@pytest.mark.parametrize("offline", [False, True])
def test_without_the_hub_what_the_cache_holds_is_taken(access: HubAccess, *, offline: bool) -> None:
    """If all that a load needs is there."""
    before: PreviewedModel = preview_model(HubRef("org/name"), access)
    fetch(HubRef("org/name"), access=access)
    found = preview_model(HubRef("org/name"), replace(nowhere(access), offline=offline))
    assert (found.ref, found.facts) == (before.ref, before.facts)
    assert found.to_come_bytes == 0


def test_a_hub_out_of_reach_is_told_apart_from_one_that_is_not_to_be_asked(
    access: HubAccess,
) -> None:
    """The first may come back; with the second there is only the cache."""
    preview_model(HubRef("org/name"), access)  # of which the cache now has a part
    with pytest.raises(HubUnavailable, match="cannot be reached"):
        preview_model(HubRef("org/name"), nowhere(access))
    with pytest.raises(CheckpointNotFound, match="does not hold org/name, and HF_HUB_OFFLINE"):
        preview_model(HubRef("org/name"), replace(access, offline=True))


def test_a_previewed_model_is_its_names_once_it_is_whole(
    hub: HubStandIn, access: HubAccess, files: dict[str, bytes]
) -> None:
    """A newer commit of which only the config has come does not take an older one's place."""
    first = preview_model(HubRef("org/name"), access)
    fetch_previewed_model(first.ref, SilentProgress(), access)
    hub.repos["org/name"].commit("second", {**files, "README.md": b"changed"})
    second = preview_model(HubRef("org/name"), access)
    assert second.ref != first.ref
    assert preview_model(HubRef("org/name"), nowhere(access)).ref == first.ref
    fetch_previewed_model(second.ref, SilentProgress(), access)
    assert preview_model(HubRef("org/name"), nowhere(access)).ref == second.ref


def test_a_preview_is_a_repository_of_what_a_load_will_find(access: HubAccess) -> None:
    """Whether it is here yet or not."""
    found = preview(HubRef("org/name"), access)
    assert found.source == f"org/name@{FIRST[:12]}"
    assert found.require("nothing", "model.safetensors").name == "model.safetensors"
    with pytest.raises(CheckpointNotFound, match=r"has no model\.onnx or nothing"):
        found.require("model.onnx", "nothing")


def test_a_repository_with_a_graph_alone_is_one_that_can_run(
    hub: HubStandIn, access: HubAccess
) -> None:
    """Also of an architecture that is not known here; the graph is what is weighed."""
    config = {
        "model_type": "mobilebert",
        "architectures": ["MobileBertForSequenceClassification"],
        "id2label": {"0": "BAD", "1": "GOOD"},
    }
    change(hub, config_json=json.dumps(config).encode(), model_st=None)
    held = hub.repos["org/name"].commits[FIRST]
    hub.repos["org/name"].commit("first", {**held, "onnx/model.onnx": b"0" * 1000})
    found = preview_model(HubRef("org/name"), access)
    assert (found.facts.architecture, found.facts.weights_bytes) == ("mobilebert", 1000)
    assert hub.files_asked() == {"config.json"}


def test_a_graph_beside_weights_that_nothing_reads_is_what_counts(
    hub: HubStandIn, access: HubAccess, files: dict[str, bytes]
) -> None:
    """As the load will have it: an architecture that is not known runs as it was exported."""
    config = json.dumps(json.loads(files["config.json"]) | {"model_type": "convbert"})
    held = hub.repos["org/name"].commits[FIRST]
    held |= {"config.json": config.encode(), "onnx/model.onnx": b"graph"}
    hub.repos["org/name"].commit("first", held)
    assert preview_model(HubRef("org/name"), access).facts.weights_bytes == len(b"graph")


def without_a_class(files: dict[str, bytes], **changes: object) -> bytes:
    """Return the config with no class named, and other fields changed."""
    return json.dumps(json.loads(files["config.json"]) | {"architectures": None} | changes).encode()


@pytest.mark.parametrize("ranges", [True, False])
def test_the_head_of_a_model_without_a_class_is_told_from_its_header(
    hub: HubStandIn, access: HubAccess, files: dict[str, bytes], *, ranges: bool
) -> None:
    """Which is the beginning of the weights; no more of them is fetched."""
    hub.ranges = ranges
    names = {"O": 0, "B-X": 1}  # would be taken for tags, were there no class
    config = without_a_class(files, id2label=None, label2id=names, problem_type="regression")
    change(hub, config_json=config)
    found = preview_model(HubRef("org/name"), access)
    assert (found.facts.task, found.facts.labels.names) == ("text-classification", ("O", "B-X"))
    assert found.to_come_bytes > len(files["model.safetensors"])


def test_an_encoder_without_a_head_is_told_before_it_is_fetched(
    hub: HubStandIn, access: HubAccess, files: dict[str, bytes]
) -> None:
    """Nobody can have the server fetch what cannot run."""
    tensors = {k: v for k, v in load(files["model.safetensors"]).items() if "classifier" not in k}
    change(hub, config_json=without_a_class(files), model_st=save(tensors))
    assert "model.safetensors holds an encoder without a head" in str(refused(access))


def test_what_is_no_safetensors_is_told(
    hub: HubStandIn, access: HubAccess, files: dict[str, bytes]
) -> None:
    """A header that is none, one without an end, and no file at all to speak of."""
    for body in (b"x", b"\xff" * 100, b"\x02" + b"\0" * 7 + b"[]", b"\x01" + b"\0" * 7 + b"{"):
        change(hub, config_json=without_a_class(files), model_st=body)
        assert "model.safetensors cannot be read as safetensors" in str(refused(access))


def test_a_pickle_whose_head_nothing_names_is_not_fetched(
    hub: HubStandIn, access: HubAccess, files: dict[str, bytes]
) -> None:
    """Its tensors show only when all of it is here; labels in the config speak for a head."""
    config = without_a_class(files, id2label=None, label2id=None)
    held = hub.repos["org/name"].commits[FIRST]
    del held["model.safetensors"]
    held["pytorch_model.bin"] = b"x"
    hub.repos["org/name"].commit("first", held | {"config.json": config})
    assert "run `earmark pull`" in str(refused(access))
    hub.repos["org/name"].commit("second", held | {"config.json": without_a_class(files)})
    assert preview_model(HubRef("org/name"), access).facts.task == "text-classification"


def test_a_modular_model_is_told_before_it_is_fetched(
    hub: HubStandIn, access: HubAccess, files: dict[str, bytes]
) -> None:
    """By its list of modules, which is small."""
    modules = [{"type": "sentence_transformers.models.Transformer"}, {"type": "x.Pooling"}]
    hub.repos["org/name"].commit("first", files | {"modules.json": json.dumps(modules).encode()})
    assert "several modules" in str(refused(access))
    assert hub.files_asked() == {"config.json", "modules.json"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("adapter_model.safetensors", "no name under which"),
        ("model.gguf", "GGUF"),
        ("onnx/model_int8.onnx", "optimum-cli"),
        ("tf_model.h5", "from_tf=True"),
    ],
)
def test_a_repository_of_other_files_says_what_they_are(
    name: str, said: str, hub: HubStandIn, access: HubAccess
) -> None:
    """Before its config is fetched."""
    change(hub, model_st=None)
    held = hub.repos["org/name"].commits[FIRST]
    hub.repos["org/name"].commit("first", {**held, name: b"x"})
    assert said in str(refused(access))
    assert hub.files_asked() == set()


def test_an_adapter_of_the_hub_is_told(
    hub: HubStandIn, access: HubAccess, files: dict[str, bytes]
) -> None:
    """With its base beside it, or alone."""
    hub.repos["org/name"].commit("first", files | {"adapter_config.json": b"{}"})
    assert "merge_and_unload" in str(refused(access))
    hub.repos["org/name"].commit("first", {"adapter_config.json": b"{}"})
    assert "merge_and_unload" in str(refused(access))
