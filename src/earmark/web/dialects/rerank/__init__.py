"""Reranking and classification in the forms of other servers.

``POST /rerank`` as text-embeddings-inference, Cohere and Jina have it, and ``POST /predict`` as
text-embeddings-inference has it. Knows nothing of other dialects.
"""
