"""What people type and scripts hold: the same addresses by `curl`, with whatever it adds.

Runs in the environment of the tests, but uses no more of it than the other scripts may.
"""

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clients.calls.checking import Checks, Scores, Seen, equal, expect
from clients.calls.passages import pair_scores

JOB = json.load(sys.stdin)
URL, KEY, MODELS, SAMPLES = (JOB[name] for name in ("url", "key", "models", "samples"))
ACCOUNT = "0123456789abcdef0123456789abcdef"
AI = f"/client/v4/accounts/{ACCOUNT}/ai"
RUN = f"{AI}/run/{MODELS['classifier']}"
TEXT = json.dumps({"text": SAMPLES["liked"]})
CONTEXTS = [{"text": passage} for passage in SAMPLES["passages"]]
BEARER = f"Authorization: Bearer {KEY}"
LIMIT_S = 30
LONG = 1_500_000
"""Characters: so many that curl asks whether it may send them."""

HELD = "HTTP/1.1 100"


@dataclass(frozen=True)
class Answer:
    """What curl wrote.

    Attributes:
        status: of HTTP.
        headers: by their names in small letters.
        body: read as JSON.
        interim: the status lines that came before.
    """

    status: int
    headers: Mapping[str, str]
    body: Any
    interim: Sequence[str]


def curl(path: str, *flags: str, sent: str | None = None) -> Answer:
    """Run curl.

    Args:
        path: of the address, as it is to stand on the wire.
        flags: its arguments, as they stand in documentation.
        sent: to its standard input.

    Raises:
        subprocess.CalledProcessError: curl took the answer for none.
    """
    words = ["curl", URL + path, *flags, "--silent", "--show-error", "--include"]
    ended = subprocess.run(  # noqa: S603 - our own words
        [*words, "--max-time", str(LIMIT_S)],
        input=sent,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    # In JSON line breaks are escaped, so that only heads end in two of them.
    *interim, head, body = re.split(r"\r?\n\r?\n", ended.stdout)
    first, *rest = head.splitlines()
    named = dict(line.split(": ", 1) for line in rest)
    headers = {name.lower(): value for name, value in named.items()}
    return Answer(int(first.split()[1]), headers, json.loads(body), interim)


def version() -> tuple[int, ...]:
    """Ask curl which it is."""
    told = subprocess.run(["curl", "--version"], capture_output=True, check=True, text=True)  # noqa: S607
    return tuple(int(part) for part in re.findall(r"\d+", told.stdout.split()[1])[:3])


def post(path: str, body: object, *flags: str) -> Answer:
    """Send a body as most people do, with the key."""
    return curl(
        path, "-H", BEARER, "-d", body if isinstance(body, str) else json.dumps(body), *flags
    )


def result_of(answer: Answer) -> Any:  # noqa: ANN401 - plain JSON
    """Take the result out of its envelope, and demand the headers that go with it."""
    equal((answer.status, answer.body["success"]), (200, True), "status, success")
    equal(set(answer.body), {"result", "success", "errors", "messages"}, "the members")
    equal(answer.headers["content-type"], "application/json", "the type")
    ran = answer.headers["x-compute-model"]
    expect(ran in {MODELS["sentiment"], MODELS["reranker"]}, f"what ran is called {ran}")
    uuid.UUID(answer.headers["cf-ai-req-id"])
    expect(bool(answer.headers["cf-ray"]), "no cf-ray")
    return answer.body["result"]


def label_scores(result: Sequence[Mapping[str, Any]]) -> Scores:
    """Read a classification, in the order of the classes."""
    scores = {each["label"]: each["score"] for each in result}
    equal(list(scores), ["NEGATIVE", "POSITIVE"], "the labels, in the model's order")
    return scores


def a_text(answer: Answer) -> Seen:
    """Read a classification of the sample, as other clients have it."""
    return {"a text": label_scores(result_of(answer))}


def refused(answer: Answer, status: int, code: int, text: str) -> None:
    """Demand an error with Cloudflare's code and words."""
    equal((answer.status, answer.body["success"]), (status, False), "status, success")
    (error,) = answer.body["errors"]
    equal(error["code"], code, "the code")
    expect(text in error["message"], f"expected {text!r}, found {error['message']!r}")


checks = Checks(version())


@checks.add("-X POST -H Authorization -d: the documentation's example, sent as a form")
def documented() -> Seen:
    """As it stands there but for the address, the key and the text."""
    return a_text(
        curl(RUN, "-X", "POST", "-H", BEARER, "-d", f'{{ "text": "{SAMPLES["liked"]}" }}')
    )


@checks.add("-H 'Content-Type: text/plain;charset=UTF-8': as fetch sends a string")
def plain_text() -> Seen:
    """The documentation's example of fetch names no type either."""
    return a_text(post(RUN, TEXT, "-H", "Content-Type: text/plain;charset=UTF-8"))


@checks.add("a model's name with its slashes as %2F, and with its @ as %40")
def encoded_names() -> Seen:
    """As some SDKs send the one, and other libraries the other."""
    for name in (
        MODELS["classifier"].replace("/", "%2F"),
        MODELS["classifier"].replace("@", "%40"),
        MODELS["classifier"].replace("@", "%40").replace("/", "%2f"),
    ):
        seen = a_text(post(f"{AI}/run/{name}", TEXT))
    return seen


@checks.add("-H 'Transfer-Encoding: chunked'")
def chunked() -> Seen:
    """As `wrangler dev` sends."""
    return a_text(post(RUN, TEXT, "-H", "Transfer-Encoding: chunked"))


@checks.add("-H 'Expect: 100-continue': 1.5 MB, cut and said to be")
def expecting() -> None:
    """Answered before the body is sent, and then as any other."""
    text = json.dumps({"text": "good " * (LONG // len("good "))})
    answer = curl(RUN, "-H", BEARER, "-H", "Expect: 100-continue", "-d", "@-", sent=text)
    equal([line[: len(HELD)] for line in answer.interim], [HELD], "what came before")
    label_scores(result_of(answer))
    expect(int(answer.headers["x-truncated-tokens"]) > 0, "no x-truncated-tokens")


@checks.add("members that mean nothing here: options, external_reference, cf-aig-*")
def tolerated() -> Seen:
    """They are for other models, or for a gateway."""
    body = {"text": SAMPLES["liked"], "options": {"rejectIfBusy": True}}
    text = a_text(post(f"{RUN}?tags=a,b", body, "-H", "cf-aig-skip-cache: true"))
    contexts = [{**each, "external_reference": "mine"} for each in CONTEXTS]
    asked = {"query": SAMPLES["query"], "contexts": contexts, "top_k": None}
    ranked = result_of(post(f"{AI}/run/{MODELS['ranker']}", asked))["response"]
    return {**text, **pair_scores(ranked, "id", "score")}


@checks.add("ai/run with {model, input}")
def universal() -> Seen:
    """The address names no model then."""
    body = {"model": MODELS["classifier"], "input": {"text": SAMPLES["liked"]}}
    return a_text(post(f"{AI}/run", body, "-H", "cf-aig-gateway-id: default"))


@checks.add("a gateway's two addresses, with Authorization and with cf-aig-authorization")
def gateway() -> Seen:
    """Below the server's own address, without `client/v4`."""
    at = f"/v1/{ACCOUNT}/my-gateway/workers-ai"
    a_text(post(f"{at}/run/{MODELS['classifier']}", TEXT))
    key = f"cf-aig-authorization: Bearer {KEY}"
    return a_text(curl(f"{at}/{MODELS['classifier']}", "-H", key, "-d", TEXT))


@checks.add("ai/run/proxy: a binding's run and models")
def binding() -> Seen:
    """As wrangler 3 hands them on; the output is bare, and the models are not."""

    def ask(model: str, inputs: object) -> Answer:
        return post(
            f"{AI}/run/proxy",
            {"inputs": inputs, "options": {}},
            *("-H", "Content-Type: application/json"),
            *("-H", "Transfer-Encoding: chunked"),
            *("-H", f"cf-consn-model-id: {model}"),
            *("-H", "cf-consn-sdk-version: 2.0.0"),
            *("-H", "x-forwarded: https://workers-binding.ai/run?version=3"),
        )

    text = ask(MODELS["classifier"], {"text": SAMPLES["liked"]})
    equal((text.status, text.headers["content-type"]), (200, "application/json"), "status, type")
    ranked = ask(MODELS["ranker"], {"query": SAMPLES["query"], "contexts": CONTEXTS})
    unknown = ask(MODELS["unknown"], {"text": "a text"})
    equal((unknown.status, unknown.body["name"]), (400, "AiError"), "an error's status, name")
    equal((unknown.body["internalCode"], unknown.body["httpCode"]), (5007, 400), "its codes")
    meant = "x-forwarded: https://workers-binding.ai/ai-api/models/search?per_page=1"
    models = curl(f"{AI}/run/proxy", "-H", BEARER, "-H", meant)
    equal(len(models.body["result"]), 1, "the models on a page of one")
    return {
        "a text": label_scores(text.body),
        **pair_scores(ranked.body["response"], "id", "score"),
    }


@checks.add("X-Auth-Email with X-Auth-Key, and both beside a stale Authorization")
def a_pair_of_credentials() -> Seen:
    """The pair counts first, as some SDKs send all three."""
    pair = ("-H", "X-Auth-Email: someone@example.org", "-H", f"X-Auth-Key: {KEY}")
    a_text(curl(RUN, *pair, "-d", TEXT))
    return a_text(curl(RUN, *pair, "-H", "Authorization: Bearer stale", "-d", TEXT))


@checks.add("400 and 401 for whoever has no key, a wrong one, or no words for one")
def not_let_in() -> None:
    """Each with Cloudflare's own code."""
    text = ("-d", TEXT)
    refused(curl(RUN, *text), 400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization")
    wrong = curl(RUN, "-H", "Authorization: Bearer wrong", *text)
    refused(wrong, 401, 10000, "Authentication error")
    malformed = curl(RUN, "-H", f"Authorization: {KEY}", *text)
    refused(malformed, 400, 6003, "Invalid request headers")
    equal(malformed.body["errors"][0]["error_chain"][0]["code"], 6111, "the code it came of")


@checks.add("400 for what cannot be run, 405 for a wrong method")
def bad_requests() -> None:
    """The input's faults in the words of Cloudflare's validator, with the request's id."""
    missing = post(RUN, {"txt": "a text"})
    words = "AiError: Bad input: Error: required properties at '/' are 'text'"
    refused(missing, 400, 5006, words)
    expect(missing.headers["cf-ai-req-id"] in missing.body["errors"][0]["message"], "no id")
    equal(missing.body["result"], {}, "the result")
    refused(post(RUN, "no JSON"), 400, 5006, "AiError: Bad input")
    refused(post(f"{AI}/run/{MODELS['unknown']}", TEXT), 400, 5007, "AiError: No such model")
    refused(post(f"{AI}/nothing", TEXT), 400, 7000, "No route for that URI")
    refused(curl(RUN, "-H", BEARER), 405, 7001, "Method GET")


@checks.add("models/search past the last page, and tokens/verify")
def look_ups() -> None:
    """What the SDKs hide: the counts, and the message of a key that holds."""
    past = curl(f"{AI}/models/search?per_page=50&page=9", "-H", BEARER).body
    equal((past["result"], past["result_info"]["count"]), ([], 0), "the models past the end")
    expect(past["result_info"]["total_count"] > 1, f"the counts are {past['result_info']}")
    for at in ("user", f"accounts/{ACCOUNT}"):
        verified = curl(f"/client/v4/{at}/tokens/verify", "-H", BEARER).body
        equal(verified["result"]["status"], "active", "the status")
        (message,) = verified["messages"]
        equal(message["message"], "This API Token is valid and active", "the message")


@checks.add("/rerank as text-embeddings-inference has it")
def rerank_of_texts() -> Seen:
    """A bare list."""
    asked = {"model": MODELS["reranker"], "query": SAMPLES["query"], "texts": SAMPLES["passages"]}
    ranked = post("/rerank", {**asked, "return_text": True}).body
    equal([SAMPLES["passages"][each["index"]] for each in ranked], texts_of(ranked), "the texts")
    return pair_scores(ranked, "index", "score")


def texts_of(ranked: Sequence[Mapping[str, Any]]) -> list[str]:
    """List the texts of a ranking."""
    return [each["text"] for each in ranked]


@checks.add("/rerank, /v1/rerank, /v2/rerank as Cohere and Jina have them")
def rerank_of_documents() -> Seen:
    """An object, with the documents where they are asked for."""
    asked = {
        "model": MODELS["reranker"],
        "query": SAMPLES["query"],
        "documents": SAMPLES["passages"],
    }
    best, whole, _ = (
        post(address, {**asked, **more}).body["results"]
        for address, more in (
            ("/rerank", {"top_n": 1, "return_documents": True}),
            ("/v1/rerank", {}),
            ("/v2/rerank", {}),
        )
    )
    equal(len(best), 1, "the documents")
    equal(best[0]["document"]["text"], SAMPLES["passages"][best[0]["index"]], "the best one")
    return pair_scores(whole, "index", "relevance_score")


@checks.add("/predict: a text, a pair, a list of texts")
def predict() -> Seen:
    """Here `["a", "b"]` is a pair, and a list of texts is one of lists."""

    def ask(model: str, inputs: object) -> Any:  # noqa: ANN401 - plain JSON
        return post("/predict", {"model": MODELS[model], "inputs": inputs}).body

    def scores(answer: Sequence[Mapping[str, Any]]) -> Scores:
        return {each["label"]: each["score"] for each in answer}

    text = ask("sentiment", SAMPLES["liked"])
    pair = ask("reranker", [SAMPLES["query"], SAMPLES["passages"][0]])
    first, second = ask("sentiment", [[SAMPLES["disliked"]], [SAMPLES["liked"]]])
    equal(second[0]["label"], text[0]["label"], "the best label, of the text in a list")
    return {
        "a text": scores(text),
        "a pair": scores(pair),
        "the first of a list": scores(first),
    }


if __name__ == "__main__":
    checks.run()
