"""`langchain-cohere`'s reranker."""

from clients.calls.checking import Seen, equal
from clients.calls.reranking import KEY, MODEL, PASSAGES, QUERY, URL, checks, ranking
from langchain_cohere import CohereRerank
from langchain_core.documents import Document


def reranker(top_n: int) -> CohereRerank:
    """Make one that keeps so many."""
    return CohereRerank(cohere_api_key=KEY, base_url=URL, model=MODEL, top_n=top_n)


@checks.add("CohereRerank.rerank")
def places() -> Seen:
    """By index."""
    found = reranker(len(PASSAGES)).rerank(PASSAGES, QUERY)
    return ranking((each["index"], each["relevance_score"]) for each in found)


@checks.add("CohereRerank.compress_documents")
def documents() -> Seen:
    """The documents themselves."""
    asked = [Document(page_content=each) for each in PASSAGES]
    found = reranker(len(PASSAGES)).compress_documents(asked, QUERY)
    equal(len(reranker(1).compress_documents(asked, QUERY)), 1, "the best document alone")
    return ranking((each.page_content, each.metadata["relevance_score"]) for each in found)


checks.run()
