"""Warms up a session: runs its first batches before the first request."""

import time
from collections.abc import Sequence

import numpy as np

from earmark.batching.packer import BatchLimits, pack
from earmark.domain.encoding import Encoding
from earmark.domain.packing import Float32
from earmark.domain.texts import Question, TextInput
from earmark.engine.model import OpenedModel
from earmark.errors import InvalidCheckpoint
from earmark.runtime.session import RuntimeSession
from earmark.tokenizing.tokenizer import TextTokenizer

WARM_UP_TEXT = "one more word and " * 32
"""Encoded by the model's own tokenizer, since some heads look for the end token of a text."""
WARM_UP_TOKENS = (8, 32, 128)
"""Lengths of the texts that are run before the first request: the runtime needs extra time for its
first run and for each new shape."""
CANARY_TEXT = "The weather is fine today."
CANARY_TOKENS = 16


def warm_up(session: RuntimeSession, model: OpenedModel, limits: BatchLimits) -> float:
    """Run a few batches, so that the first request is as fast as the tenth.

    Returns:
        Seconds per token of the last batch, which is the longest.

    Raises:
        InvalidCheckpoint: the model's answers are not finite.
    """
    for tokens in WARM_UP_TOKENS:
        text = _encoded(model.tokenizer, WARM_UP_TEXT, min(tokens, model.max_tokens), model.rows)
        session.run(pack([text], limits))  # a shape's first run takes longer
        started_s = time.monotonic()
        logits = session.run(pack([text], limits))
        token_s = (time.monotonic() - started_s) / len(text)
    refuse_non_finite([logits], model)
    return token_s


def canary_text(tokenizer: TextTokenizer, max_tokens: int, rows: int | None) -> Encoding:
    """Encode a short text that any healthy model answers.

    Args:
        tokenizer: the model's.
        max_tokens: longest encoding, special tokens included.
        rows: of the word embeddings; None where they are not known.
    """
    return _encoded(tokenizer, CANARY_TEXT, min(CANARY_TOKENS, max_tokens), rows)


def _encoded(tokenizer: TextTokenizer, text: str, tokens: int, rows: int | None) -> Encoding:
    ((encoding,),) = tokenizer.encode([Question(0, TextInput(text))], max_tokens=tokens)
    if not len(encoding):  # the vocabulary has none of these letters
        encoding = Encoding((0,), (0,))
    return encoding.within(rows)


def refuse_non_finite(logits: Sequence[Float32], model: OpenedModel) -> None:
    """Raise an error if a model's logits are not finite.

    Raises:
        InvalidCheckpoint: a logit is NaN or infinite.
    """
    if not all(np.isfinite(one).all() for one in logits):
        raise InvalidCheckpoint(
            f"{model.repository.source}: the model answers NaN or infinity even for the simplest "
            "text; its weights are damaged, or overflow in this precision"
        )
