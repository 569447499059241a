"""Models under the names of Workers AI, and the addresses they are asked at."""

from support.fake_engine import FakeEngine, reranker

ACCOUNT = "/client/v4/accounts/0123456789abcdef0123456789abcdef"
AI = f"{ACCOUNT}/ai"
CLASSIFIER = "@cf/huggingface/distilbert-sst-2-int8"
RERANKER = "@cf/baai/bge-reranker-base"


def classifier() -> FakeEngine:
    """Make the classifier of the documentation's examples."""
    return FakeEngine(CLASSIFIER)


def workers_ai() -> tuple[FakeEngine, FakeEngine]:
    """Make both models of the task."""
    return classifier(), reranker(RERANKER)
