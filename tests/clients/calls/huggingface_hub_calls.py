"""Every method of `huggingface_hub` for the three tasks, in whichever version is installed.

What versions can be told, and how, stands in docs/huggingface.md; methods that newer versions lack
are looked up by name.
"""

import asyncio
import contextlib
import json
import math
import sys
from collections.abc import Mapping
from typing import Any

import huggingface_hub
from clients.calls.checking import Checks, Scores, Seen, equal, expect
from clients.calls.huggingface_hub_answers import (
    EMPTY,
    KEY,
    LABELS,
    MODELS,
    PAIRS,
    SAMPLES,
    SENSE,
    TIMEOUT_S,
    URL,
    VERSION,
    BadRequestError,
    HfHubHTTPError,
    arguments,
    client,
    entity_scores,
    label_scores,
    old,
    persons_are_found,
    ranking_is_sensible,
    raw_scores,
    refused,
    sentiment_is_sensible,
    text_scores,
)
from clients.calls.huggingface_hub_rerouting import rerouted
from huggingface_hub import AsyncInferenceClient, HfApi, InferenceClient

STRATEGIES = ("none", "simple", "first", "average", "max")

checks = Checks(VERSION)


@checks.add("text_classification")
def a_text() -> Seen:
    """All labels, best first."""
    scores = text_scores(client("sentiment").text_classification(SAMPLES["liked"]), "a text")
    sentiment_is_sensible(scores, SENSE["liked"])
    return {"a text": scores}


@checks.add("text_classification(top_k, function_to_apply)", since=(0, 26))
def text_parameters() -> Seen:
    """One raw score."""
    answer = client("sentiment").text_classification(
        SAMPLES["liked"], top_k=1, function_to_apply="none"
    )
    scores = text_scores(answer, "a text's raw score")
    equal(list(scores), [SENSE["liked"]], "the labels")
    expect(scores[SENSE["liked"]] > 1, f"a raw score is a logit, found {scores}")
    return {"a text's raw score": scores}


@checks.add("text_classification of a pair")
def a_pair() -> Seen:
    """The client's types know texts only, and it sends what it is given."""
    answer = client("reranker").text_classification(PAIRS[0])  # type: ignore[arg-type] # untyped use
    scores = text_scores(answer, "a pair")
    equal(list(scores), ["LABEL_0"], "a reranker's labels")
    return {"a pair": scores}


@checks.add("text_classification of a list of pairs: a score for each")
def a_list_of_pairs() -> Seen:
    """In the one list that the client keeps."""
    pairs: Any = PAIRS
    answer = client("reranker").text_classification(pairs)
    equal([each.label for each in answer], ["LABEL_0"] * len(PAIRS), "a label for each pair")
    first, second = ({each.label: each.score} for each in answer)
    return {"a pair": first, "a pair, 2": second}


@checks.add("text_classification of a list of texts with top_k=1: a label for each", since=(0, 26))
def the_best_of_each_text() -> None:
    """In the one list that the client keeps."""
    texts: Any = [SAMPLES["disliked"], SAMPLES["liked"]]
    answer = client("sentiment").text_classification(texts, top_k=1)
    equal([each.label for each in answer], [SENSE["disliked"], SENSE["liked"]], "the labels")


@checks.add("text_classification of a list: the first text's answer")
def a_list_of_texts() -> Seen:
    """All that the client keeps where texts have several labels."""
    texts: Any = [SAMPLES["disliked"], SAMPLES["liked"]]
    scores = text_scores(client("sentiment").text_classification(texts), "a list")
    sentiment_is_sensible(scores, SENSE["disliked"])
    return {"the first of a list": scores}


@checks.add("zero_shot_classification")
def labels_of_choice() -> Seen:
    """All labels, best first, against each other."""
    answer = client("zero_shot").zero_shot_classification(SAMPLES["refund"], LABELS)
    scores = label_scores(answer, "a ranking")
    ranking_is_sensible(scores)
    return {"a ranking": scores}


@checks.add("zero_shot_classification(multi_label=True)")
def labels_by_themselves() -> Seen:
    """Each label by itself."""
    answer = client("zero_shot").zero_shot_classification(
        SAMPLES["refund"], LABELS, multi_label=True
    )
    scores = label_scores(answer, "several labels")
    equal(set(scores), set(LABELS), "the labels")
    expect(abs(sum(scores.values()) - 1) > 1e-3, f"{scores} share one softmax")
    return {"several labels": scores}


@checks.add("zero_shot_classification(hypothesis_template=...)", since=(0, 24))
def a_template() -> Seen:
    """The caller's own words."""
    answer = client("zero_shot").zero_shot_classification(
        SAMPLES["refund"], LABELS, hypothesis_template=SAMPLES["template"]
    )
    scores = label_scores(answer, "a template")
    ranking_is_sensible(scores)
    return {"a template": scores}


@checks.add("zero_shot_classification of one label, and of labels in one string", since=(0, 24))
def few_labels() -> Seen:
    """A string with commas, which the client sends as it is, means the same as a list."""
    named = client("zero_shot")
    one = label_scores(named.zero_shot_classification(SAMPLES["refund"], ["refund"]), "one label")
    equal(list(one), ["refund"], "the labels")
    joined: Any = ", ".join(LABELS)
    ranking_is_sensible(
        label_scores(named.zero_shot_classification(SAMPLES["refund"], joined), "a string")
    )
    return {"one label": one}


@checks.add("token_classification")
def entities() -> Seen:
    """Groups, with their places."""
    scores = entity_scores(client("ner").token_classification(SAMPLES["person"]))
    persons_are_found(scores)
    return {"entities": scores}


@checks.add("token_classification(aggregation_strategy=...): all five", since=(0, 26))
def strategies() -> Seen:
    """Tokens by themselves carry their label and an index."""
    seen = {}
    for strategy in STRATEGIES:
        answer = client("ner").token_classification(
            SAMPLES["person"],
            aggregation_strategy=strategy,  # type: ignore[arg-type] # its types lack `none`
        )
        group = "entity" if strategy == "none" else "entity_group"
        seen[f"entities, {strategy}"] = entity_scores(answer, group=group)
    return seen


@checks.add("token_classification(ignore_labels, stride)", since=(0, 26))
def entity_parameters() -> Seen:
    """Ignoring nothing shows everything; a text longer than the model is read in windows."""
    named, text = client("ner"), SAMPLES["person"]
    everything = entity_scores(named.token_classification(text, ignore_labels=[]))
    expect(any(label.startswith("O ") for label in everything), f"no O among {everything}")
    equal(named.token_classification("", ignore_labels=[]), [], "an empty text")
    long = " ".join([text] * 60)
    last = named.token_classification(long, stride=8, ignore_labels=[])[-1]
    equal(last.end, len(long), "the end of the last entity of a long text")
    return {"everything": everything}


@checks.add("health_check", since=(0, 24))
def health() -> None:
    """True for what is served alone."""
    expect(client("ner").health_check() is True, "a model is served and said to be ill")
    expect(client("unknown").health_check() is False, "an unknown model is said to be well")


@checks.add("get_endpoint_info", since=(0, 24))
def info() -> None:
    """Facts of the model, as a dictionary."""
    facts = client("ner").get_endpoint_info()
    equal((facts["model_id"], facts["task"]), (MODELS["ner"], "token-classification"), "the facts")


@checks.add("get_model_status", before=(0, 35))
def model_status() -> None:
    """All four facts of it."""
    status = old(InferenceClient(token=KEY), "get_model_status")(MODELS["sentiment"])
    equal((status.loaded, status.state), (True, "Loaded"), "loaded, state")
    equal(status.framework, "transformers", "the framework")


@checks.add("list_deployed_models", before=(0, 35))
def deployed_models() -> None:
    """By task."""
    found = old(InferenceClient(token=KEY), "list_deployed_models")()
    for model, task in (
        ("sentiment", "text-classification"),
        ("zero_shot", "zero-shot-classification"),
        ("ner", "token-classification"),
    ):
        expect(MODELS[model] in found.get(task, ()), f"no {MODELS[model]} for {task} in {found}")


@checks.add("post(json=...): a list of texts, a list of pairs", before=(0, 31))
def posted_lists() -> Seen:
    """An answer for each, in order."""
    body = old(client("sentiment"), "post")(
        json={"inputs": [SAMPLES["disliked"], SAMPLES["liked"]]}
    )
    first, second = (raw_scores(each) for each in json.loads(body))
    # In the one list that `text_classification`, which cannot be told from this, would read.
    (pairs,) = json.loads(old(client("reranker"), "post")(json={"inputs": PAIRS}))
    return texts_and_pairs(first, second, *(raw_scores([each]) for each in pairs))


@checks.add("InferenceApi: every task, a list of texts, a list of pairs", before=(1,))
def the_old_class() -> Seen:
    """It asks the Hub for the model's task, then for `/pipeline/{task}/{id}`."""
    make = old(huggingface_hub, "InferenceApi")
    with contextlib.redirect_stderr(None):  # it warns of its own age
        named = {name: make(MODELS[name], token=KEY) for name in ("sentiment", "zero_shot", "ner")}
        reranker = make(MODELS["reranker"], token=KEY)
    first, second = map(
        raw_scores, named["sentiment"](inputs=[SAMPLES["disliked"], SAMPLES["liked"]])
    )
    pairs = map(raw_scores, reranker(inputs=PAIRS))
    ranking = named["zero_shot"](inputs=SAMPLES["refund"], params={"candidate_labels": LABELS})
    found = named["ner"](inputs=SAMPLES["person"])
    return {
        **texts_and_pairs(first, second, *pairs),
        "a ranking": dict(zip(ranking["labels"], ranking["scores"], strict=True)),
        "entities": {
            f"{each['entity_group']} {each['start']}-{each['end']}": each["score"] for each in found
        },
    }


def texts_and_pairs(first: Scores, second: Scores, *pairs: Scores) -> Seen:
    """Demand that the texts of a list are answered in order, and the pairs of another."""
    sentiment_is_sensible(first, SENSE["disliked"])
    sentiment_is_sensible(second, SENSE["liked"])
    equal(len(pairs), len(PAIRS), "answers to pairs")
    return {
        "the first of a list": first,
        "a text": second,
        "a pair": pairs[0],
        "a pair, 2": pairs[1],
    }


@checks.add("HfApi().model_info, as id mode asks it")
def the_hubs_page() -> None:
    """What a model is for."""
    page = HfApi(endpoint=URL, token=KEY).model_info(MODELS["ner"])
    equal((page.id, page.pipeline_tag), (MODELS["ner"], "token-classification"), "the page")


@checks.add("a client of an id, its requests to the hosted service rerouted")
def id_mode() -> Seen:
    """From 0.28 on the service's address is fixed, and only a transport can change it."""
    if VERSION < (0, 28):
        answer = InferenceClient(MODELS["sentiment"], token=KEY).text_classification(
            SAMPLES["liked"]
        )
        return {"a text": text_scores(answer, "a text")}
    with rerouted():
        named = InferenceClient(provider="hf-inference", api_key=KEY, timeout=TIMEOUT_S)
        liked = named.text_classification(SAMPLES["liked"], model=MODELS["sentiment"])
        ranking = named.zero_shot_classification(
            SAMPLES["refund"], LABELS, model=MODELS["zero_shot"]
        )
        found = named.token_classification(SAMPLES["person"], model=MODELS["ner"])
    return {
        "a text": text_scores(liked, "a text"),
        "a ranking": label_scores(ranking, "a ranking"),
        "entities": entity_scores(found),
    }


@checks.add("AsyncInferenceClient: every task at once")
def asynchronous() -> Seen:
    """As the client for threads."""

    async def ask() -> tuple[Any, Any, Any]:
        named = {name: AsyncInferenceClient(**arguments(name)) for name in MODELS}
        return await asyncio.gather(
            named["sentiment"].text_classification(SAMPLES["liked"]),
            named["zero_shot"].zero_shot_classification(SAMPLES["refund"], LABELS),
            named["ner"].token_classification(SAMPLES["person"]),
        )

    liked, ranking, found = asyncio.run(ask())
    return {
        "a text": text_scores(liked, "a text"),
        "a ranking": label_scores(ranking, "a ranking"),
        "entities": entity_scores(found),
    }


@checks.add("AsyncInferenceClient: health_check, get_endpoint_info", since=(0, 24))
def asynchronous_look_ups() -> None:
    """As the client for threads."""

    async def ask() -> tuple[bool, Mapping[str, Any]]:
        named = AsyncInferenceClient(**arguments("ner"))
        return await named.health_check(), await named.get_endpoint_info()

    healthy, facts = asyncio.run(ask())
    equal((healthy, facts["model_id"]), (True, MODELS["ner"]), "health and facts")


@checks.add("one connection for calls in a row")
def kept_alive() -> None:
    """However many there are, errors among them."""
    opened = []
    sys.addaudithook(lambda event, _: opened.append(event) if event == "socket.connect" else None)
    named = client("sentiment")
    for _ in range(3):
        named.text_classification(SAMPLES["liked"])
        with contextlib.suppress(HfHubHTTPError):
            client("unknown").text_classification(SAMPLES["liked"])
    expect(len(opened) <= 1, f"{len(opened)} connections were opened for 6 calls")


@checks.add("400 is a BadRequestError with the server's text, once")
def a_bad_request() -> None:
    """A text that is missing, and a parameter out of range."""
    refused(
        lambda: client("zero_shot").zero_shot_classification("", LABELS),
        400,
        BadRequestError,
        EMPTY,
    )
    if VERSION >= (0, 26):
        refused(
            lambda: client("sentiment").text_classification("a text", top_k=0),
            400,
            BadRequestError,
            "`parameters.top_k`: expected `int` >= 1",
        )


@checks.add("404 is an HfHubHTTPError with the server's text")
def an_unknown_model() -> None:
    """Which names what is served."""
    refused(
        lambda: client("unknown").text_classification("a text"),
        404,
        HfHubHTTPError,
        f"Model {MODELS['unknown']} does not exist",
    )


@checks.add("401 is an HfHubHTTPError with the server's text")
def a_wrong_key() -> None:
    """And a client with the right one is let in right after."""
    refused(
        lambda: client("sentiment", key="wrong").text_classification("a text"),
        401,
        HfHubHTTPError,
        "Invalid credentials in Authorization header: this access key is unknown here",
    )
    expect(bool(client("sentiment").text_classification("a text")), "the right key is refused")


@checks.add("a model that has to be loaded first")
def a_cold_model() -> Seen:
    """A client that takes 503 for a failure is held, unless it says that it will not wait."""
    if VERSION >= (0, 29):
        hasty = InferenceClient(**arguments("cold"), headers={"X-Wait-For-Model": "false"})
        text = f"Model {MODELS['cold']} is currently loading"
        refused(lambda: hasty.text_classification("a text"), 503, HfHubHTTPError, text)
    scores = text_scores(client("cold").text_classification("a text"), "a text")
    return {"a cold model's text": scores}


@checks.add("AsyncInferenceClient: 400 is an exception of its own kind")
def an_asynchronous_bad_request() -> None:
    """Before 0.24 it was aiohttp's own, without the server's text."""

    async def ask() -> object:
        named = AsyncInferenceClient(**arguments("zero_shot"))
        return await named.zero_shot_classification("", LABELS)

    if VERSION >= (1,):
        refused(lambda: asyncio.run(ask()), 400, BadRequestError, EMPTY)
        return
    try:
        asyncio.run(ask())
    except Exception as error:  # noqa: BLE001 - aiohttp is installed beside old clients alone
        equal(type(error).__name__, "ClientResponseError", "the kind of exception")
        equal(getattr(error, "status", math.nan), 400, "the status")
    else:
        raise AssertionError("expected ClientResponseError, and nothing was raised")


if __name__ == "__main__":
    checks.run()
