"""Wire formats, one folder each; none imports another."""

from typing import Final

from earmark.web.dialect import Dialect
from earmark.web.dialects.cloudflare.routes import CloudflareDialect
from earmark.web.dialects.huggingface.operations import LOOKUP_ERRORS
from earmark.web.dialects.huggingface.routes import HuggingFaceDialect
from earmark.web.dialects.rerank.routes import RerankDialect

__all__ = ["DESCRIPTION", "DIALECTS", "LOOKUP_ERRORS"]

DIALECTS: Final[tuple[type[Dialect], ...]] = (
    HuggingFaceDialect,
    CloudflareDialect,
    RerankDialect,
)
"""Every dialect; where two have the same address, the first answers."""

DESCRIPTION: Final = (
    "Labels text: whole texts, pairs, any labels you name, named entities; and reranks. Speaks the"
    " Hugging Face Inference API and Cloudflare Workers AI: a program written for either changes"
    " its address and nothing else. `POST /rerank` and `POST /predict` are those of"
    " text-embeddings-inference, Cohere and Jina."
)
"""The first text of the OpenAPI document."""
