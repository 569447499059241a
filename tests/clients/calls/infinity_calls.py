"""`infinity_client`, which demands `model` and `usage`; and Agno and LangChain through it."""

from urllib.parse import urlsplit

from agno.knowledge.document import Document as AgnoDocument
from agno.knowledge.reranker.infinity import InfinityReranker
from clients.calls.checking import Seen, equal
from clients.calls.reranking import KEY, MODEL, PASSAGES, QUERY, URL, checks, ranking
from infinity_client import AuthenticatedClient, Client
from infinity_client.api.default import rerank
from infinity_client.models import RerankInput
from langchain_community.document_compressors import InfinityRerank
from langchain_core.documents import Document


def client() -> AuthenticatedClient:
    """Make one with the key."""
    return AuthenticatedClient(base_url=URL, token=KEY)


@checks.add("rerank.sync")
def synchronous() -> Seen:
    """Every member is read, or the client raises."""
    body = RerankInput.from_dict({"query": QUERY, "documents": PASSAGES, "model": MODEL})
    answer = rerank.sync(client=client(), body=body)
    equal(answer.model, MODEL, "the model")
    return ranking((each.index, each.relevance_score) for each in answer.results)


@checks.add("agno's InfinityReranker.rerank")
def of_agno() -> Seen:
    """It logs what goes wrong and returns the documents as they were, without scores."""
    at = urlsplit(URL)
    reranker = InfinityReranker(host=at.hostname, port=at.port, model=MODEL, api_key=KEY)
    found = reranker.rerank(QUERY, [AgnoDocument(content=each) for each in PASSAGES])
    return ranking((each.content, each.reranking_score) for each in found)


@checks.add("langchain_community's InfinityRerank.compress_documents")
def of_langchain() -> Seen:
    """The documents themselves."""
    # It takes no client of the other class, which has a key of its own.
    plain = Client(base_url=URL, headers={"Authorization": f"Bearer {KEY}"})
    compressor = InfinityRerank(client=plain, model=MODEL, top_n=len(PASSAGES))
    asked = [Document(page_content=each) for each in PASSAGES]
    found = compressor.compress_documents(asked, QUERY)
    return ranking((each.page_content, each.metadata["relevance_score"]) for each in found)


checks.run()
