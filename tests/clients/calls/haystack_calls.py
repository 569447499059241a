"""Haystack's rankers that ask a server."""

from clients.calls.checking import Seen, equal
from clients.calls.reranking import KEY, MODEL, PASSAGES, QUERY, URL, best_alone, checks, ranking
from haystack import Document
from haystack.utils import Secret
from haystack_integrations.components.rankers.huggingface_api import HuggingFaceTEIRanker
from haystack_integrations.components.rankers.jina import JinaRanker


def documents() -> list[Document]:
    """Make a document of each passage."""
    return [Document(content=each) for each in PASSAGES]


@checks.add("HuggingFaceTEIRanker.run")
def text_embeddings_inference() -> Seen:
    """It names no model."""
    ranker = HuggingFaceTEIRanker(url=URL, token=Secret.from_token(KEY), top_k=len(PASSAGES))
    found = ranker.run(query=QUERY, documents=documents())["documents"]
    seen = ranking((each.content, each.score) for each in found)
    best = ranker.run(query=QUERY, documents=documents(), top_k=1)["documents"]
    best_alone((each.content for each in best), seen)
    return seen


@checks.add("JinaRanker.run: model, usage")
def jina() -> Seen:
    """It reads both."""
    ranker = JinaRanker(
        model=MODEL,
        base_url=f"{URL}/v1/rerank",
        api_key=Secret.from_token(KEY),
        top_k=len(PASSAGES),
    )
    answer = ranker.run(query=QUERY, documents=documents())
    equal(answer["meta"]["model"], MODEL, "the model")
    equal(sorted(answer["meta"]["usage"]), ["prompt_tokens", "total_tokens"], "the usage")
    return ranking((each.content, each.score) for each in answer["documents"])


checks.run()
