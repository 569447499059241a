"""Both rerankers of LlamaIndex that ask a server."""

from clients.calls.checking import Seen
from clients.calls.reranking import KEY, MODEL, PASSAGES, QUERY, URL, best_alone, checks, ranking
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.postprocessor.cohere_rerank import CohereRerank
from llama_index.postprocessor.tei_rerank import TextEmbeddingInference


def nodes() -> list[NodeWithScore]:
    """Make a node of each passage."""
    return [NodeWithScore(node=TextNode(text=each), score=0.5) for each in PASSAGES]


def ranked(reranker: CohereRerank | TextEmbeddingInference) -> Seen:
    """Demand every passage, then the best alone."""
    found = reranker.postprocess_nodes(nodes(), query_str=QUERY)
    seen = ranking((each.node.text, each.score) for each in found)
    reranker.top_n = 1
    best = reranker.postprocess_nodes(nodes(), query_str=QUERY)
    best_alone((each.node.text for each in best), seen)
    return seen


@checks.add("TextEmbeddingInference.postprocess_nodes")
def text_embeddings_inference() -> Seen:
    """It names no model."""
    top_n, token = len(PASSAGES), f"Bearer {KEY}"
    return ranked(TextEmbeddingInference(base_url=URL, top_n=top_n, auth_token=token))


@checks.add("CohereRerank.postprocess_nodes")
def cohere() -> Seen:
    """Through Cohere's own client."""
    top_n = len(PASSAGES)
    return ranked(CohereRerank(api_key=KEY, base_url=URL, model=MODEL, top_n=top_n))


checks.run()
