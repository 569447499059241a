"""`litellm.rerank`, as each of the providers whose form the server speaks."""

import contextlib
import sys

import litellm
from clients.calls.checking import Seen, equal
from clients.calls.reranking import KEY, MODEL, PASSAGES, QUERY, URL, best_alone, checks, ranking


def asked(provider: str, address: str, *, top_n: int) -> list[dict[str, object]]:
    """Ask as a provider of that name."""
    with contextlib.redirect_stdout(sys.stderr):  # it writes advice
        answer = litellm.rerank(
            model=f"{provider}/{MODEL}",
            query=QUERY,
            documents=PASSAGES,
            top_n=top_n,
            # Infinity's documents are texts, everybody else's are objects.
            return_documents=provider != "infinity",
            api_base=URL + address,
            api_key=KEY,
        )
    found: list[dict[str, object]] = answer.results
    return found


def ranked(provider: str, address: str = "") -> Seen:
    """Demand every passage, then the best alone."""
    found = asked(provider, address, top_n=len(PASSAGES))
    seen = ranking((int(str(each["index"])), float(str(each["relevance_score"]))) for each in found)
    best = asked(provider, address, top_n=1)
    best_alone((int(str(each["index"])) for each in best), seen)
    return seen


@checks.add("rerank: cohere")
def cohere() -> Seen:
    """At ``/v2/rerank``."""
    return ranked("cohere")


@checks.add("rerank: jina_ai")
def jina() -> Seen:
    """At the address that it is given."""
    return ranked("jina_ai", "/v1/rerank")


@checks.add("rerank: infinity")
def infinity() -> Seen:
    """At ``/rerank``."""
    return ranked("infinity")


@checks.add("rerank: hosted_vllm")
def vllm() -> Seen:
    """In the form of Jina."""
    return ranked("hosted_vllm")


@checks.add("rerank: huggingface, which is text-embeddings-inference")
def huggingface() -> Seen:
    """It takes the best by itself."""
    found = asked("huggingface", "", top_n=len(PASSAGES))
    equal(len(found), len(PASSAGES), "the passages")
    return ranking((int(str(each["index"])), float(str(each["relevance_score"]))) for each in found)


checks.run()
