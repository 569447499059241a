"""The newest `huggingface_hub`, unmodified, against a running server."""

import logging
from collections.abc import Iterator
from typing import Literal

import pytest
from huggingface_hub import HfApi, InferenceClient
from huggingface_hub.errors import BadRequestError, HfHubHTTPError
from support.fake_engine import FakeEngine, token_labeller, zero_shot_model
from support.http_server import RunningServer, running_server

from earmark.domain.texts import TextInput
from earmark.errors import QueueFull
from earmark.models.registry import Registry
from earmark.serving.service import Service
from earmark.web.app import create_app

_NAME = "I am Sarah Jessica"
# O, B-PER, I-PER.
_PERSONS = {
    TextInput("I"): (5.0, 0.0, 0.0),
    TextInput("am"): (5.0, 0.0, 0.0),
    TextInput("Sarah"): (0.0, 5.0, 0.0),
    TextInput("Jessica"): (0.0, 0.0, 5.0),
}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A server of a model for each task, one that is ill and one that is busy."""
    engines = [
        FakeEngine("acme/tc", label_names=("A", "B", "C")),
        zero_shot_model("acme/zs"),
        token_labeller("acme/tk", logits=_PERSONS),
        FakeEngine("acme/stalled", state="stalled"),
        FakeEngine("acme/busy", failure=QueueFull("the server is busy; try again later")),
    ]
    with running_server(create_app(Service(Registry(engines)))) as running:
        yield running


def _client(server: RunningServer, model_id: str = "acme/tc") -> InferenceClient:
    url = f"{server.url}/models/{model_id}"
    return InferenceClient(url, provider="hf-inference", api_key="any", timeout=20)


def test_a_text_is_classified(server: RunningServer) -> None:
    """All labels, best first."""
    answer = _client(server).text_classification("I like you")
    assert sorted(each.label for each in answer) == ["A", "B", "C"]
    scores = [each.score for each in answer]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1.0)


def test_a_client_without_a_provider_is_served_alike(server: RunningServer) -> None:
    """It needs none."""
    client = InferenceClient(base_url=f"{server.url}/models/acme/tc")
    assert len(client.text_classification("na\u00efve \U0001f600")) == 3


def test_parameters_arrive(server: RunningServer) -> None:
    """`top_k` labels, by the function asked for."""
    answer = _client(server).text_classification("I like you", top_k=2, function_to_apply="none")
    assert len(answer) == 2
    assert any(not 0 <= each.score <= 1 for each in answer)


def test_pairs_are_classified(server: RunningServer) -> None:
    """The client's types know texts only, and it sends what it is given."""
    pair = {"text": "What is Paris?", "text_pair": "Paris is a city"}
    answer = _client(server).text_classification(pair)  # type: ignore[arg-type] # untyped use
    assert sorted(each.label for each in answer) == ["A", "B", "C"]


def test_a_text_is_sorted_by_any_labels(server: RunningServer) -> None:
    """Best first; alone against each other they sum to one."""
    labels = ["refund", "legal, or not", "faq"]
    answer = _client(server, "acme/zs").zero_shot_classification("I want a refund", labels)
    assert sorted(each.label for each in answer) == sorted(labels)
    scores = [each.score for each in answer]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1.0)


def test_several_labels_may_hold_and_the_template_is_the_callers(server: RunningServer) -> None:
    """Each label is scored by itself, and another template gives other scores."""
    client = _client(server, "acme/zs")
    default, about = (
        client.zero_shot_classification(
            "I want a refund", ["refund", "legal"], multi_label=True, hypothesis_template=template
        )
        for template in (None, "About {}.")
    )
    assert sum(each.score for each in default) != pytest.approx(1.0)
    assert {each.score for each in default}.isdisjoint(each.score for each in about)


def test_one_label_is_enough(server: RunningServer) -> None:
    """Its score is that of entailment against contradiction."""
    (only,) = _client(server, "acme/zs").zero_shot_classification("I want a refund", ["refund"])
    assert only.label == "refund"
    assert 0 < only.score < 1


def test_a_template_without_a_place_is_told_so(server: RunningServer) -> None:
    """The client sends it as it is."""
    with pytest.raises(BadRequestError, match=r"`hypothesis_template` has no \{\}"):
        _client(server, "acme/zs").zero_shot_classification(
            "I want a refund", ["refund", "legal"], hypothesis_template="This example is."
        )


@pytest.mark.parametrize("strategy", [None, "simple", "first", "average", "max"])
def test_persons_are_found(
    server: RunningServer, strategy: Literal["simple", "first", "average", "max"] | None
) -> None:
    """One group of two words; without a strategy the server's is simple."""
    client = _client(server, "acme/tk")
    (found,) = client.token_classification(_NAME, aggregation_strategy=strategy)
    assert (found.entity_group, found.word) == ("PER", "Sarah Jessica")
    assert (found.start, found.end) == (5, 18)
    assert 0.9 < found.score < 1


def test_tokens_are_labelled_one_by_one(server: RunningServer) -> None:
    """With the strategy none; the client keeps the label and the group."""
    client = _client(server, "acme/tk")
    found = client.token_classification(_NAME, aggregation_strategy="none")
    assert [(each["entity"], each.entity_group, each.word) for each in found] == [
        ("B-PER", "PER", "Sarah"),
        ("I-PER", "PER", "Jessica"),
    ]


def test_labels_to_ignore_and_a_stride_arrive(server: RunningServer) -> None:
    """An empty list ignores nothing."""
    client = _client(server, "acme/tk")
    found = client.token_classification(_NAME, ignore_labels=[], stride=2)
    assert [each.entity_group for each in found] == ["O", "PER"]
    assert client.token_classification(_NAME, ignore_labels=["O", "PER"]) == []
    assert client.token_classification("") == []


def test_a_task_that_the_model_does_not_do_is_told_so(server: RunningServer) -> None:
    """Where the address names it."""
    url = f"{server.url}/models/acme/tk/pipeline/text-classification"
    client = InferenceClient(url, provider="hf-inference", timeout=20)
    with pytest.raises(BadRequestError, match="acme/tk is for token-classification, not for text"):
        client.text_classification("I like you")


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


def test_a_model_not_made_for_zero_shot_is_warned_of(server: RunningServer) -> None:
    """The client logs the header's message."""
    log, listener = logging.getLogger("huggingface_hub"), _Listener()
    log.addHandler(listener)
    try:
        _client(server).zero_shot_classification("I want a refund", ["refund", "legal"])
    finally:
        log.removeHandler(listener)
    assert [text for text in listener.heard if "no label of this model begins with" in text]


def test_health_is_told(server: RunningServer) -> None:
    """True for the model that is well, False for the one that is ill."""
    assert _client(server).health_check() is True
    assert _client(server, "acme/stalled").health_check() is False


@pytest.mark.parametrize(
    ("model_id", "task"),
    [
        ("acme/tc", "text-classification"),
        ("acme/zs", "zero-shot-classification"),
        ("acme/tk", "token-classification"),
    ],
)
def test_the_models_facts_are_told(server: RunningServer, model_id: str, task: str) -> None:
    """As a dictionary."""
    facts = _client(server, model_id).get_endpoint_info()
    assert (facts["model_id"], facts["task"]) == (model_id, task)


def test_the_hubs_page_of_a_model_is_read(server: RunningServer) -> None:
    """By what a client in id mode asks before anything else."""
    api = HfApi(endpoint=server.url)
    assert api.model_info("acme/tk").pipeline_tag == "token-classification"
    found = api.model_info("acme/tk", expand=["inferenceProviderMapping"])
    assert found.inference_provider_mapping is not None
    (mapping,) = found.inference_provider_mapping
    assert (mapping.provider, mapping.task) == ("hf-inference", "token-classification")
    assert (mapping.provider_id, mapping.status) == ("acme/tk", "live")


def test_a_wrong_request_is_told_why(server: RunningServer) -> None:
    """The text of the answer reaches the caller, once."""
    with pytest.raises(BadRequestError) as caught:
        _client(server).text_classification("I like you", top_k=0)
    assert str(caught.value).count("`parameters.top_k`: expected `int` >= 1") == 1


def test_an_unknown_model_is_told_so(server: RunningServer) -> None:
    """With what is served in its place."""
    with pytest.raises(
        HfHubHTTPError, match="Model acme/nope does not exist; served here: acme/tc"
    ):
        _client(server, "acme/nope").text_classification("I like you")


def test_a_busy_server_is_told_at_once(server: RunningServer) -> None:
    """429 is not tried again by the client itself."""
    with pytest.raises(HfHubHTTPError, match="the server is busy; try again later") as caught:
        _client(server, "acme/busy").text_classification("I like you")
    assert caught.value.response is not None
    assert caught.value.response.status_code == 429
