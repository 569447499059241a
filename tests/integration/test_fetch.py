"""Models of a Hub on loopback, fetched with the real `huggingface_hub`."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import structlog
from huggingface_hub import HfApi, snapshot_download
from support.checkpoints import CheckpointSpec, write_checkpoint
from support.hub_stand_in import TOKEN, HubRepo, HubStandIn, commit_of, running_hub

from earmark.checkpoint.hub import fetch as the_hub
from earmark.checkpoint.hub.access import HubAccess
from earmark.checkpoint.hub.cache import CachedRepo, cached_models
from earmark.checkpoint.hub.fetch import look_up
from earmark.checkpoint.ref import HubRef
from earmark.engine.ways.choice import runs_from_weights
from earmark.errors import CheckpointNotFound, HubUnavailable

ID = HubRef("org/name")
fetch = partial(the_hub.fetch, from_weights=runs_from_weights)
FIRST = commit_of("first")
SMALL = {"config.json", "tokenizer.json", "tokenizer_config.json"}
LARGE_BYTES = 24 << 20
"""More than twice what the library takes from a connection at once, which is lost with it."""


class Told:
    """Hears of downloads; may do something when a file has come."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.begun: list[tuple[int, int]] = []
        self.bytes = 0
        self.open = 0

    def begin(self, model: str, *, total_bytes: int, there_bytes: int) -> None:
        """Note the announcement."""
        assert model.startswith("org/name@")
        self.begun.append((total_bytes, there_bytes))
        self.open += 1

    def advance(self, more_bytes: int) -> None:
        """Count."""
        self.bytes += more_bytes

    def finish(self) -> None:
        """Note the end."""
        self.open -= 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as people publish it, with much that no load reads."""
    made = write_checkpoint(tmp_path_factory.mktemp("hub") / "name", CheckpointSpec())
    for name in ("README.md", "tf_model.h5", "training_args.bin", "pytorch_model.bin", "a.py"):
        (made / name).write_text(name)
    (made / "onnx").mkdir()
    (made / "onnx" / "model.onnx").write_text("graph")
    return made


@pytest.fixture
def hub(folder: Path) -> Iterator[HubStandIn]:
    """A Hub with that checkpoint as `org/name`."""
    with running_hub({"org/name": HubRepo.of(folder)}) as hub:
        yield hub


@pytest.fixture
def access(hub: HubStandIn, tmp_path: Path) -> HubAccess:
    """The way to it, with an empty cache."""
    return HubAccess(endpoint=hub.url, cache=tmp_path / "cache")


def large_repo(hub: HubStandIn) -> bytes:
    """Give the repository weights of `LARGE_BYTES`; what they mean is nobody's business here."""
    body = os.urandom(LARGE_BYTES)
    files = hub.repos["org/name"].commits[FIRST]
    hub.repos["org/name"].commit("first", {**files, "model.safetensors": body})
    return body


def test_only_what_a_load_reads_is_fetched_with_one_question_before(
    hub: HubStandIn, access: HubAccess
) -> None:
    """After one look-up, the config, the tokenizer and one form of weights are fetched."""
    told = Told()
    repository = fetch(ID, told, access)
    assert hub.files_asked() == {*SMALL, "model.safetensors"}
    assert [one.path for one in hub.asked if one.path.startswith("/api/")] == [
        "/api/models/org/name"
    ]
    assert repository.source == f"org/name@{FIRST[:12]}"
    assert repository.revision == FIRST
    assert {path.name for path in repository.folder.iterdir()} == {*SMALL, "model.safetensors"}
    total = sum(path.stat().st_size for path in repository.folder.iterdir())
    # The config came first, to tell whether the graph beside the weights is wanted.
    config = (repository.folder / "config.json").stat().st_size
    assert (told.begun, told.bytes, told.open) == ([(total, config)], total - config, 0)


def test_what_is_there_is_not_asked_for_again(hub: HubStandIn, access: HubAccess) -> None:
    """A cached branch costs one look-up, and a cached whole commit none."""
    fetch(ID, access=access)
    hub.asked.clear()
    told = Told()
    fetch(ID, told, access)
    assert [one.path for one in hub.asked] == ["/api/models/org/name"]
    hub.asked.clear()
    again = fetch(ID.at(FIRST), told, access)
    assert (hub.asked, told.begun) == ([], [])
    assert again.find("added_tokens.json") is None


def test_requests_tell_our_name_and_nothing_of_the_machine(
    hub: HubStandIn, access: HubAccess
) -> None:
    """Requests have earmark's name, and no versions of other libraries."""
    fetch(ID, access=access)
    agents = {one.headers["user-agent"] for one in hub.asked}
    assert len(agents) == 1
    assert agents.pop().startswith("earmark/")
    assert not any("harness" in one.path for one in hub.asked)


def test_a_branch_that_moves_meanwhile_gives_one_commit_all_the_same(
    hub: HubStandIn, access: HubAccess
) -> None:
    """All files are of the commit that the branch had at the look-up."""

    class Mover(Told):
        def advance(self, more_bytes: int) -> None:
            super().advance(more_bytes)
            repo = hub.repos["org/name"]
            repo.commit("second", dict.fromkeys(repo.commits[FIRST], b"{}"))

    repository = fetch(ID, Mover(), access)
    assert repository.revision == FIRST
    found = {path.name: path.read_bytes() for path in repository.folder.iterdir()}
    expected = hub.repos["org/name"].commits[FIRST]
    assert found == {name: expected[name] for name in found}
    assert fetch(ID, access=access).revision == commit_of("second")


@pytest.mark.parametrize("revision", ["main", "v1", "refs/pr/1", FIRST])
def test_every_kind_of_revision_is_found(revision: str, hub: HubStandIn, access: HubAccess) -> None:
    """A branch, a tag, a pull request and a commit are each found."""
    hub.repos["org/name"].revisions |= {"v1": FIRST, "refs/pr/1": FIRST}
    assert look_up(HubRef("org/name", revision), access).commit == FIRST
    assert fetch(HubRef("org/name", revision), access=access).revision == FIRST
    assert fetch(HubRef("org/name", revision), access=replace(access, offline=True))


def test_a_connection_that_breaks_goes_on_where_it_stopped(
    hub: HubStandIn, access: HubAccess
) -> None:
    """After a broken connection, bytes that have come are not sent again."""
    body = large_repo(hub)
    hub.cut_after = [LARGE_BYTES * 2 // 3]
    told = Told()
    repository = fetch(ID, told, access)
    assert (repository.folder / "model.safetensors").read_bytes() == body
    assert hub.sent_bytes < LARGE_BYTES * 4 // 3
    ranges = [one.headers.get("range") for one in hub.asked if one.path.startswith("/large")]
    assert ranges == [None, f"bytes={10 << 20}-"]
    total, there = told.begun[0]
    assert told.bytes == total - there


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on_in_the_next_one(
    ranges: bool,  # noqa: FBT001 - a case
    hub: HubStandIn,
    access: HubAccess,
) -> None:
    """A later download goes on where one broke off; without ranges it begins again and logs it."""
    body = large_repo(hub)
    half = 16 << 20
    digest = hashlib.sha256(body).hexdigest()
    part = CachedRepo.of(access.cache, "org/name").folder / "blobs" / f"{digest}.incomplete"
    part.parent.mkdir(parents=True)
    part.write_bytes(body[:half])
    hub.ranges = ranges
    told = Told()
    repository = fetch(ID, told, access)
    assert (repository.folder / "model.safetensors").read_bytes() == body
    assert hub.sent_bytes == (LARGE_BYTES - half if ranges else LARGE_BYTES)
    total, there = told.begun[0]
    assert there == half + (repository.folder / "config.json").stat().st_size
    assert told.bytes == total - there
    assert not part.exists()


def test_a_failure_leaves_what_has_come_for_the_next_time(
    hub: HubStandIn, access: HubAccess
) -> None:
    """After a 500 in the middle of a file, the error says so and the first half is kept."""
    large_repo(hub)
    hub.cut_after = [LARGE_BYTES * 2 // 3]

    class Failing(Told):
        def advance(self, more_bytes: int) -> None:
            super().advance(more_bytes)
            if more_bytes > 1 << 20:
                hub.failures = [500]

    told = Failing()
    with pytest.raises(HubUnavailable, match=r"answered 500 .* `earmark pull org/name` goes on"):
        fetch(ID, told, access)
    assert told.open == 0
    hub.failures, hub.sent_bytes = [], 0
    fetch(ID, access=access)
    assert hub.sent_bytes == LARGE_BYTES - (10 << 20)


def test_the_hub_may_ask_to_wait(hub: HubStandIn, access: HubAccess) -> None:
    """After a 429 the download waits as the answer says, and goes on."""
    hub.failures = [429]
    assert fetch(ID, access=access).revision == FIRST


def test_a_file_that_is_not_what_was_announced_is_thrown_away(
    hub: HubStandIn, access: HubAccess
) -> None:
    """A file with another digest is deleted, though its length is right."""
    repo = hub.repos["org/name"]
    config = repo.commits[FIRST]["config.json"]
    fetch(ID, access=access)
    weights = repo.commits[FIRST]["model.safetensors"]
    repo.commit("second", {**repo.commits[FIRST], "model.safetensors": weights[::-1]})
    hub.spoilt = weights
    with pytest.raises(HubUnavailable, match="is not what its digest says"):
        fetch(HubRef("org/name", commit_of("second")), access=access)
    assert not list(access.cache.rglob("*.incomplete"))
    hub.spoilt = None
    found = fetch(ID, access=access)
    assert (found.folder / "model.safetensors").read_bytes() == weights[::-1]
    assert (found.folder / "config.json").read_bytes() == config


def test_a_small_file_of_another_size_is_refused_and_then_mended(
    hub: HubStandIn, access: HubAccess
) -> None:
    """A small file of a wrong size is refused, and the next fetch replaces it."""
    hub.spoilt = b"{}"
    with pytest.raises(HubUnavailable, match=r"config.json .* is not of .* bytes"):
        fetch(ID, access=access)
    hub.spoilt = None
    found = fetch(ID, access=access)
    assert json.loads((found.folder / "config.json").read_text())["model_type"]


def test_a_file_that_was_cut_on_disk_is_fetched_anew(hub: HubStandIn, access: HubAccess) -> None:
    """A cached file whose size is not the Hub's is fetched again."""
    found = fetch(ID, access=access)
    for name in ("config.json", "model.safetensors"):
        path = found.folder / name
        whole = path.read_bytes()
        path.resolve().write_bytes(whole[:10])
        assert (fetch(ID, access=access).folder / name).read_bytes() == whole
    assert hub.files_asked() == {*SMALL, "model.safetensors"}


def test_the_token_goes_to_the_hub_and_no_further(hub: HubStandIn, access: HubAccess) -> None:
    """The token is sent to the Hub, and not to the host of large files."""
    hub.repos["org/name"].private = True
    fetch(ID, access=replace(access, token=TOKEN))
    there = hub.other_url.removeprefix("http://")
    assert {one.headers.get("authorization") for one in hub.asked if one.host != there} == {
        f"Bearer {TOKEN}"
    }
    others = [one for one in hub.asked if one.host == there]
    assert others
    assert not any("authorization" in one.headers for one in others)


@pytest.mark.parametrize(
    ("token", "told"),
    [(None, "401; no token was sent"), ("hf_wrong", "401; the token that was sent may not read")],
)
def test_a_private_model_is_refused_with_what_would_help(
    token: str | None, told: str, hub: HubStandIn, access: HubAccess
) -> None:
    """The error for a private model says what would help, and does not repeat the token."""
    hub.repos["org/name"].private = True
    with pytest.raises(CheckpointNotFound, match=told) as caught:
        fetch(ID, access=replace(access, token=token))
    assert "HF_TOKEN" in str(caught.value)
    assert "hf auth login" in str(caught.value)
    assert "hf_wrong" not in str(caught.value)


def test_a_gated_model_says_that_its_terms_are_to_be_accepted(
    hub: HubStandIn, access: HubAccess
) -> None:
    """The error for a gated model says that its terms have to be accepted."""
    hub.repos["org/name"].gated = True
    with pytest.raises(CheckpointNotFound, match="is gated: accept its terms"):
        fetch(ID, access=access)
    assert fetch(ID, access=replace(access, token=TOKEN)).revision == FIRST


def test_what_there_is_not_is_named(hub: HubStandIn, access: HubAccess) -> None:
    """The error for a missing repository or revision names it, in one line."""
    for token in (None, TOKEN):
        with pytest.raises(CheckpointNotFound, match=r"has no model org/other, or a private one"):
            fetch(HubRef("org/other"), access=replace(access, token=token))
    with pytest.raises(CheckpointNotFound, match=r"org/name .* has no revision 'v9'") as caught:
        fetch(HubRef("org/name", "v9"), access=access)
    assert "\n" not in str(caught.value)
    assert hub.files_asked() == set()


def test_a_renamed_model_is_found_under_its_old_name(hub: HubStandIn, access: HubAccess) -> None:
    """A renamed model is found by its old name, as the Hub redirects."""
    hub.moved["old-name"] = "org/name"
    found = fetch(HubRef("old-name"), access=access)
    assert (found.revision, found.source) == (FIRST, f"old-name@{FIRST[:12]}")


def test_weights_in_several_files_come_with_their_index(
    hub: HubStandIn, access: HubAccess, folder: Path
) -> None:
    """Exactly the files that the index names are fetched."""
    files = {name: (folder / name).read_bytes() for name in SMALL}
    shards = {f"model-0000{one}-of-00002.safetensors": bytes(one) for one in (1, 2)}
    index = {"weight_map": {f"tensor{n}": name for n, name in enumerate(shards)}}
    listed = {"model.safetensors.index.json": json.dumps(index).encode(), **shards}
    hub.repos["org/name"].commit("shards", {**files, **listed, "stray.safetensors": b"x"})
    told = Told()
    found = fetch(ID, told, access)
    assert {path.name for path in found.folder.iterdir()} == {*files, *listed}
    assert len(told.begun) == 1
    assert fetch(ID, access=replace(access, offline=True)).revision == commit_of("shards")
    (found.folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(HubUnavailable, match=r"model-00002-of-00002.safetensors missing"):
        fetch(ID, access=replace(access, offline=True))
    hub.repos["org/name"].commit(
        "lost", {**files, "model.safetensors.index.json": listed["model.safetensors.index.json"]}
    )
    with pytest.raises(CheckpointNotFound, match="lacks model-00001"):
        fetch(ID, access=access)


def test_a_graph_comes_where_there_are_no_weights(
    hub: HubStandIn, access: HubAccess, folder: Path
) -> None:
    """Without weights the ONNX file and its data are fetched, in their folder."""
    files = {name: (folder / name).read_bytes() for name in SMALL}
    graph = {"onnx/model.onnx": b"graph", "onnx/model.onnx_data": b"data"}
    hub.repos["org/name"].commit("onnx", {**files, **graph, "onnx/model_int8.onnx": b"other"})
    found = fetch(ID, access=access)
    assert (found.folder / "onnx" / "model.onnx_data").read_bytes() == b"data"
    assert hub.files_asked() == {*files, *graph}
    hub.asked.clear()
    assert fetch(ID.at(found.revision or ""), access=access).folder == found.folder
    assert hub.asked == []


def test_the_data_of_a_graph_lies_beside_it_and_not_behind_a_link(
    hub: HubStandIn, access: HubAccess, folder: Path
) -> None:
    """The data of an ONNX file is no link, as OpenVINO needs it, and is stored once."""
    files = {name: (folder / name).read_bytes() for name in SMALL}
    graph = {"onnx/model.onnx": b"graph", "onnx/model.onnx_data": b"data"}
    hub.repos["org/name"].commit("onnx", {**files, **graph})
    for _ in range(2):
        path = fetch(ID, access=access).folder / "onnx" / "model.onnx_data"
        assert path.read_bytes() == b"data"
        assert not path.is_symlink()
        assert path.stat().st_nlink == 2


def test_offline_takes_what_the_cache_holds_and_asks_nobody(
    hub: HubStandIn, access: HubAccess
) -> None:
    """Offline, the commit that a branch last had is taken from the cache."""
    fetch(ID, access=access)
    hub.asked.clear()
    with structlog.testing.capture_logs() as logs:
        found = fetch(ID, access=replace(access, offline=True))
    assert (found.revision, hub.asked) == (FIRST, [])
    assert [(one["log_level"], one["commit"]) for one in logs] == [("info", FIRST)]


def test_offline_without_all_files_says_what_is_missing(hub: HubStandIn, access: HubAccess) -> None:
    """Offline with files missing, the error names them and how to get them."""
    away = replace(access, offline=True)
    with pytest.raises(
        HubUnavailable, match=r"holds no whole copy of it: unset HF_HUB_OFFLINE"
    ) as caught:
        fetch(ID, access=away)
    assert "earmark pull org/name" in str(caught.value)
    found = fetch(ID, access=access)
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        (found.folder / name).unlink()
    with pytest.raises(HubUnavailable, match=r"config.json, its tokenizer, its weights missing"):
        fetch(ID, access=away)
    with pytest.raises(HubUnavailable, match="HF_HUB_OFFLINE is set"):
        look_up(ID, away)
    assert hub.asked


def test_out_of_reach_the_cached_commit_is_taken_with_a_warning(
    hub: HubStandIn, access: HubAccess
) -> None:
    """Out of reach, the cached commit is used with a warning; without a cache it is an error."""
    fetch(ID, access=access)
    away = replace(access, endpoint="http://127.0.0.1:9")
    with structlog.testing.capture_logs() as logs:
        assert fetch(ID, access=away).revision == FIRST
    assert logs[0]["log_level"] == "warning"
    assert "127.0.0.1:9 cannot be reached" in logs[0]["reason"]
    with pytest.raises(HubUnavailable, match=r"127.0.0.1:9 cannot be reached.*goes on where"):
        fetch(HubRef("org/other"), access=away)
    assert hub.asked


@pytest.mark.parametrize("endpoint", ["nonsense", "http://user:secret@127.0.0.1:9", "http://[::1"])
def test_a_wrong_address_is_one_line_without_its_password(endpoint: str, access: HubAccess) -> None:
    """The error for a wrong HF_ENDPOINT is one line without its password."""
    with pytest.raises(HubUnavailable) as caught:
        fetch(ID, access=replace(access, endpoint=endpoint))
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_hub_is_told_so(hub: HubStandIn, access: HubAccess) -> None:
    """The error for a server that is no Hub says so."""
    hub.repos["org/name"].revisions["main"] = "nothing"
    hub.repos["org/name"].commits["nothing"] = {}
    with pytest.raises(HubUnavailable, match="does not answer as a Hub does"):
        look_up(ID, access)


def test_a_hub_that_tells_no_sizes_is_told_so(hub: HubStandIn, access: HubAccess) -> None:
    """The error for a Hub that lists no sizes says so."""
    hub.bare = True
    with pytest.raises(HubUnavailable, match="does not answer as a Hub does"):
        look_up(ID, access)


def test_a_hub_cannot_choose_where_a_file_is_written(hub: HubStandIn, access: HubAccess) -> None:
    """A digest that is a path is refused."""
    hub.crooked = True
    with pytest.raises(HubUnavailable, match="does not answer as a Hub does"):
        fetch(ID, access=access)
    assert hub.files_asked() == set()


def test_weights_that_two_commits_share_are_fetched_once(
    hub: HubStandIn, access: HubAccess
) -> None:
    """Weights that two commits share are fetched once."""
    fetch(ID, access=access)
    sent = hub.sent_bytes
    repo = hub.repos["org/name"]
    repo.commit("second", {**repo.commits[FIRST], "tokenizer_config.json": b"{}"})
    told = Told()
    found = fetch(ID, told, access)
    assert found.revision == commit_of("second")
    assert hub.sent_bytes == sent
    assert told.bytes == len(b"{}") + len(repo.commits[FIRST]["tokenizer.json"])


def test_a_part_that_is_longer_than_the_file_is_thrown_away(
    hub: HubStandIn, access: HubAccess
) -> None:
    """A partial file that is longer than the whole is deleted."""
    weights = hub.repos["org/name"].commits[FIRST]["model.safetensors"]
    digest = hashlib.sha256(weights).hexdigest()
    part = CachedRepo.of(access.cache, "org/name").folder / "blobs" / f"{digest}.incomplete"
    part.parent.mkdir(parents=True)
    part.write_bytes(weights + b"more")
    found = fetch(ID, access=access)
    assert (found.folder / "model.safetensors").read_bytes() == weights


def test_a_cache_that_may_not_be_written_is_one_line(
    hub: HubStandIn, access: HubAccess, tmp_path: Path
) -> None:
    """The error for a cache that cannot be written is one line."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(HubUnavailable, match=r"cannot be kept in .* HF_HUB_CACHE"):
        fetch(ID, access=replace(access, cache=blocked / "cache"))
    assert hub.asked


def test_a_model_larger_than_the_disk_is_refused_before_it_is_fetched(
    hub: HubStandIn, access: HubAccess
) -> None:
    """A model that the disk has no room for is refused before its weights are fetched."""

    class Huge(bytes):
        def __len__(self) -> int:
            return 1 << 60

    repo = hub.repos["org/name"]
    repo.commit("huge", {**repo.commits[FIRST], "model.safetensors": Huge(b"x")})
    with pytest.raises(HubUnavailable, match=r"needs 1,152,921,504,607 MB more, but .* make room"):
        fetch(ID, access=access)
    assert hub.files_asked() == {"config.json"}


def test_what_another_program_fetched_in_part_is_completed(
    hub: HubStandIn, access: HubAccess
) -> None:
    """Files that are missing from another program's cache are fetched."""
    snapshot_download(
        "org/name",
        revision=FIRST,
        endpoint=access.endpoint,
        cache_dir=access.cache,
        allow_patterns=["config.json", "tokenizer.json", "model.safetensors"],
    )
    repo = CachedRepo.of(access.cache, "org/name")
    assert repo.missing(FIRST) == ()
    assert not repo.is_whole(FIRST)
    assert fetch(ID.at(FIRST), access=access).find("tokenizer_config.json") is not None
    assert repo.is_whole(FIRST)
    assert hub.asked


def test_the_cache_is_listed_without_what_a_load_could_not_begin_with(
    hub: HubStandIn, access: HubAccess
) -> None:
    """Data sets, other folders and partial models are not listed."""
    assert list(cached_models(access.cache)) == []
    found = fetch(ID, access=access)
    for other in ("models--org--half/snapshots/x", "datasets--org--data", "models--word/snapshots"):
        (access.cache / other).mkdir(parents=True)
    (access.cache / "models--org--empty").mkdir()
    listed = list(cached_models(access.cache))
    assert [(one.ref, one.folder) for one in listed] == [(ID.at(FIRST), found.folder)]
    assert hub.asked


def test_the_stand_in_lists_files_page_by_page_as_the_hub_does(hub: HubStandIn) -> None:
    """The library reads the stand-in's pages of files as a whole list."""
    api = HfApi(endpoint=hub.url)
    listed = {one.path for one in api.list_repo_tree("org/name", recursive=True)}
    assert listed == set(hub.repos["org/name"].commits[FIRST])


@pytest.mark.parametrize(
    ("model_type", "fetched"),
    [
        ("bert", {"model.safetensors"}),
        ("convbert", {"onnx/model.onnx"}),
        (None, {"model.safetensors"}),  # the class says what it is
    ],
)
def test_the_graph_is_fetched_where_the_weights_would_not_be_read(
    model_type: str | None,
    fetched: set[str],
    hub: HubStandIn,
    access: HubAccess,
) -> None:
    """For an unknown architecture the ONNX file is fetched and the weights are not."""
    held = hub.repos["org/name"].commits[FIRST]
    config = json.dumps(json.loads(held["config.json"]) | {"model_type": model_type})
    hub.repos["org/name"].commit("other", {**held, "config.json": config.encode()})
    found = fetch(ID, access=access)
    assert hub.files_asked() == SMALL | fetched
    absent = access.cache / "models--org--name" / ".no_exist" / str(found.revision)
    assert not (absent / "model.safetensors").exists()
    assert not (absent / "onnx" / "model.onnx").exists()


def test_a_config_that_cannot_be_read_changes_nothing(hub: HubStandIn, access: HubAccess) -> None:
    """With a broken config the weights are fetched, and the load reports the error."""
    held = hub.repos["org/name"].commits[FIRST]
    hub.repos["org/name"].commit("other", {**held, "config.json": b"{"})
    fetch(ID, access=access)
    assert "model.safetensors" in hub.files_asked()
