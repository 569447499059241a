"""The newest `huggingface_hub`, unmodified, against a running server."""

from collections.abc import Iterator

import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import BadRequestError, HfHubHTTPError
from support.fake_engine import FakeEngine
from support.http_server import RunningServer, running_server

from earmark.errors import QueueFull
from earmark.serving.models import ServedModels
from earmark.serving.service import Service
from earmark.web.app import create_app


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A server of three models: one that is well, one that is ill, one that is busy."""
    engines = [
        FakeEngine("acme/tc", label_names=("A", "B", "C")),
        FakeEngine("acme/stalled", state="stalled"),
        FakeEngine("acme/busy", failure=QueueFull("the server is busy; try again later")),
    ]
    with running_server(create_app(Service(ServedModels(engines)))) as running:
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


def test_health_is_told(server: RunningServer) -> None:
    """True for the model that is well, False for the one that is ill."""
    assert _client(server).health_check() is True
    assert _client(server, "acme/stalled").health_check() is False


def test_the_models_facts_are_told(server: RunningServer) -> None:
    """As a dictionary."""
    assert _client(server).get_endpoint_info()["model_id"] == "acme/tc"


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
