"""Warms up a session: runs its first batches before the first request."""

from collections.abc import Sequence

import numpy as np

from earmark.batching.packer import BatchLimits, pack
from earmark.domain.encoding import Encoding
from earmark.domain.packing import Float32
from earmark.domain.texts import Question, TextInput
from earmark.engine.model import OpenedModel
from earmark.errors import InvalidCheckpoint
from earmark.runtime.session import RuntimeSession

WARM_UP_TEXT = "one more word and " * 32
"""Encoded by the model's own tokenizer, since some heads look for the end token of a text."""
WARM_UP_TOKENS = (8, 32, 128)
"""Lengths of the texts that are run before the first request: the runtime needs extra time for its
first run and for each new shape."""
CANARY_TEXT = "The weather is fine today."
CANARY_TOKENS = 16


def warm_up(session: RuntimeSession, model: OpenedModel, limits: BatchLimits) -> None:
    """Run a few batches, so that the first request is as fast as the tenth.

    Raises:
        InvalidCheckpoint: the model's answers are not finite.
    """
    for tokens in WARM_UP_TOKENS:
        logits = session.run(pack([_encoded(model, WARM_UP_TEXT, tokens)], limits))
    refuse_non_finite([logits], model)


def canary_text(model: OpenedModel) -> Encoding:
    """Encode a short text that any healthy model answers."""
    return _encoded(model, CANARY_TEXT, CANARY_TOKENS)


def _encoded(model: OpenedModel, text: str, tokens: int) -> Encoding:
    length = min(tokens, model.max_tokens)
    ((encoding,),) = model.tokenizer.encode([Question(0, TextInput(text))], max_tokens=length)
    if not len(encoding):  # the vocabulary has none of these letters
        encoding = Encoding((0,), (0,))
    return encoding.within(model.rows)


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
