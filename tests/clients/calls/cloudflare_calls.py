"""Every call of `cloudflare` that the server answers, in whichever version is installed."""

import asyncio
import os
import time
import uuid
from functools import partial
from typing import Any

from clients.calls.checking import Checks, Seen, equal, expect
from clients.calls.cloudflare_answers import (
    ACCOUNT,
    KEY,
    MODELS,
    RERANKING,
    SAMPLES,
    SENSE,
    URL,
    VERSION,
    asynchronous_client,
    client,
    client_of_a_person,
    label_scores,
    refused,
)
from clients.calls.passages import pair_scores
from cloudflare import AuthenticationError, BadRequestError, Cloudflare

POLLS = 100
PAUSE_S = 0.1
"""Wait between two polls: a batch is answered within a second, without a notice."""

checks = Checks(VERSION)


@checks.add("ai.run(text=...)")
def a_text() -> Seen:
    """Typed labels, in the order of the classes."""
    answer = client().ai.run(MODELS["classifier"], account_id=ACCOUNT, text=SAMPLES["liked"])
    return {"a text": label_scores(answer, SENSE["liked"])}


@checks.add("ai.run(extra_body=...): reranking, top_k")
def a_ranking() -> Seen:
    """The SDK has no overload for it."""
    ask = client().ai.run
    answer: Any = ask(MODELS["ranker"], account_id=ACCOUNT, extra_body=RERANKING)
    best: Any = ask(MODELS["ranker"], account_id=ACCOUNT, extra_body={**RERANKING, "top_k": 1})
    best_place = answer["response"][0]["id"]
    equal([each["id"] for each in best["response"]], [best_place], "the best one alone")
    return pair_scores(answer["response"], "id", "score")


@checks.add(
    "ai.run(extra_query={'queueRequest': 'true'}): a batch, asked after until it is answered"
)
def a_batch() -> Seen:
    """An answer for each input, in order, and the caller's own name for it."""
    model = MODELS["classifier"]
    texts = [
        {"text": SAMPLES["disliked"], "external_reference": "first"},
        {"text": SAMPLES["liked"]},
        {"text": ""},
    ]
    queued = ask_of_a_batch(model, {"requests": texts})
    equal((queued["status"], queued["model"]), ("queued", model), "status, model")
    first, second, empty = responses_of(model, queued["request_id"])
    equal([first["id"], second["id"], empty["id"]], [0, 1, 2], "the inputs")
    equal(first["external_reference"], "first", "the caller's own name for it")
    equal([first["success"], empty["success"]], [True, False], "success")
    equal(empty["errors"][0]["code"], 5006, "the code of an empty text")
    return {
        "the first of a list": raw_scores(first["result"]),
        "a text": raw_scores(second["result"]),
    }


def ask_of_a_batch(model: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - plain JSON
    """Submit a batch or ask after it; the address is the same."""
    query = {"queueRequest": "true"}
    return client().ai.run(model, account_id=ACCOUNT, extra_query=query, extra_body=body)


def responses_of(model: str, request_id: str) -> list[Any]:
    """Ask after a batch until it is answered."""
    for _ in range(POLLS):
        answered = ask_of_a_batch(model, {"request_id": request_id})
        if "responses" in answered:
            return list(answered["responses"])
        expect(answered["status"] in {"queued", "running"}, f"the status is {answered['status']}")
        time.sleep(PAUSE_S)
    raise AssertionError(f"the batch was not answered within {POLLS * PAUSE_S:.0f} s")


def raw_scores(answer: list[dict[str, Any]]) -> dict[str, float]:
    """Read labels and scores out of plain JSON."""
    return {each["label"]: each["score"] for each in answer}


@checks.add("ai.with_raw_response.run: the request's id")
def raw_response() -> Seen:
    """A UUID."""
    raw = client().ai.with_raw_response.run(
        MODELS["classifier"], account_id=ACCOUNT, text=SAMPLES["liked"]
    )
    uuid.UUID(raw.headers["cf-ai-req-id"])
    equal(raw.headers["content-type"], "application/json", "the type")
    return {"a text": label_scores(raw.parse())}


@checks.add("post(path, body=...)")
def generic() -> Seen:
    """The name stands raw in its path, and the answer is its caller's to unwrap."""
    path = f"/accounts/{ACCOUNT}/ai/run/{MODELS['classifier']}"
    answer: Any = client().post(path, body={"text": SAMPLES["liked"]}, cast_to=object)
    equal((answer["success"], answer["errors"]), (True, []), "success, errors")
    return {"a text": raw_scores(answer["result"])}


@checks.add("AsyncCloudflare: both tasks at once, and a list")
def asynchronous() -> Seen:
    """As the client for threads."""

    async def ask() -> tuple[Any, Any, list[str]]:
        async with asynchronous_client() as named:
            text, ranking = await asyncio.gather(
                named.ai.run(MODELS["classifier"], account_id=ACCOUNT, text=SAMPLES["liked"]),
                named.ai.run(MODELS["ranker"], account_id=ACCOUNT, extra_body=RERANKING),
            )
            pages = named.ai.models.list(account_id=ACCOUNT, per_page=1)
            return text, ranking, [model["name"] async for model in pages]

    text, ranking, names = asyncio.run(ask())
    expect(MODELS["classifier"] in names, f"no {MODELS['classifier']} in {names}")
    return {
        "a text": label_scores(text, SENSE["liked"]),
        **pair_scores(ranking["response"], "id", "score"),
    }


@checks.add("api_email and api_key")
def a_pair_of_credentials() -> Seen:
    """It sends no Authorization then."""
    run = client_of_a_person().ai.run
    answer = run(MODELS["classifier"], account_id=ACCOUNT, text=SAMPLES["liked"])
    return {"a text": label_scores(answer, SENSE["liked"])}


@checks.add("CLOUDFLARE_BASE_URL and CLOUDFLARE_API_TOKEN")
def environment() -> Seen:
    """A program that is not changed at all."""
    told = {"CLOUDFLARE_BASE_URL": f"{URL}/client/v4", "CLOUDFLARE_API_TOKEN": KEY}
    os.environ |= told
    run = Cloudflare().ai.run
    for name in told:
        del os.environ[name]
    answer = run(MODELS["classifier"], account_id=ACCOUNT, text=SAMPLES["liked"])
    return {"a text": label_scores(answer, SENSE["liked"])}


@checks.add("ai.models.list: in pages, narrowed")
def models() -> None:
    """The client asks for pages until one is empty."""
    found = client().ai.models.list
    everything = [model["name"] for model in found(account_id=ACCOUNT)]
    expect({MODELS["classifier"], MODELS["ranker"]} <= set(everything), f"only {everything}")
    one_by_one = [model["name"] for model in found(account_id=ACCOUNT, per_page=1)]
    equal(one_by_one, everything, "the models, one on a page")
    of_the_task = [model["name"] for model in found(account_id=ACCOUNT, task="Text Classification")]
    equal(of_the_task, everything, "the models of the task")
    searched = found(account_id=ACCOUNT, search=MODELS["classifier"])
    equal([model["name"] for model in searched], [MODELS["classifier"]], "the one searched for")
    equal(list(found(account_id=ACCOUNT, task="Translation")), [], "the models of another task")


@checks.add("ai.models.schema.get")
def schema() -> None:
    """What the two kinds of model demand."""
    get: Any = client().ai.models.schema.get
    for model, demanded in (("classifier", ["text"]), ("ranker", ["query", "contexts"])):
        answer = get(account_id=ACCOUNT, model=MODELS[model])
        found = answer if isinstance(answer, dict) else answer.to_dict()  # no type before 5
        equal(found["input"]["required"], demanded, f"what a {model} demands")
        expect("type" in found["output"], f"no type in {found['output']}")


@checks.add("ai.tasks.list, ai.authors.list, ai.finetunes.list, ai.finetunes.public.list")
def short_lists() -> None:
    """One task, the authors of the models, and no finetune."""
    ai = client().ai
    tasks: list[Any] = list(ai.tasks.list(account_id=ACCOUNT))
    equal([task["name"] for task in tasks], ["Text Classification"], "the tasks")
    authors: list[Any] = list(ai.authors.list(account_id=ACCOUNT))
    expect(bool(authors), "no author is listed")
    equal(ai.finetunes.list(account_id=ACCOUNT), [], "the finetunes")
    equal(list(ai.finetunes.public.list(account_id=ACCOUNT)), [], "the public finetunes")


@checks.add("user.tokens.verify, accounts.tokens.verify")
def tokens() -> None:
    """A key that holds is active."""
    for verified in (
        client().user.tokens.verify(),
        client().accounts.tokens.verify(account_id=ACCOUNT),
    ):
        equal(verified.status, "active", "the status")
        expect(bool(verified.id), "the key has no id")


@checks.add("a BadRequestError: a list for a text, an empty text, an unknown model")
def bad_requests() -> None:
    """With Cloudflare's code and words."""

    def refused_run(model: str, text: object, code: int, words: str) -> None:
        untyped: Any = text  # a list is for other models
        run = partial(client().ai.run, MODELS[model], account_id=ACCOUNT, text=untyped)
        refused(run, BadRequestError, code, words)

    mistyped = "Type mismatch of '/text', 'array' not in 'string'"
    refused_run("classifier", ["a text"], 5006, mistyped)
    refused_run("classifier", "", 5006, "Length of '/text' must be >= 1")
    refused_run("unknown", "a text", 5007, "AiError: No such model")


@checks.add("an AuthenticationError: a wrong key, by itself and with an address")
def a_wrong_key() -> None:
    """And a client with the right one is let in right after."""
    for stranger in (client("wrong"), client_of_a_person("wrong")):
        run = partial(stranger.ai.run, MODELS["classifier"], account_id=ACCOUNT, text="a text")
        for call in (run, stranger.user.tokens.verify):
            refused(call, AuthenticationError, 10000, "Authentication error")
    equal(client().user.tokens.verify().status, "active", "the status of the right key")


@checks.add("a model that has to be loaded first")
def a_cold_model() -> Seen:
    """Who asks is held, however long it takes."""
    answer = client().ai.run(MODELS["cold"], account_id=ACCOUNT, text="a text")
    return {"a cold model's text": label_scores(answer)}


if __name__ == "__main__":
    checks.run()
