"""The encoder before training, as the sentence encoder that it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from training.batches import make_batches, pad
from training.topics import Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedder:
    """Places texts by the mean of the encoder's outputs over their tokens."""

    encoder: PreTrainedModel
    tokenizer: Tokenizer

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Place texts on the unit sphere; returns [texts, hidden] float32, in order."""
        rows = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        vectors = np.zeros((len(rows), self.encoder.config.hidden_size), dtype=np.float32)
        self.encoder.eval()
        with torch.inference_mode():
            for batch in make_batches([len(row) for row in rows], batch_tokens=4800):
                ids, mask = pad([rows[index] for index in batch])
                hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
                weights = mask.unsqueeze(2).float()
                mean = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
                vectors[batch] = torch.nn.functional.normalize(mean, dim=1).numpy()
        return vectors

    def nearness(self, texts: Sequence[str], labels: Sequence[str]) -> Vectors:
        """Tell how near each label is to each text, [texts, labels].

        In standard deviations above the label's mean over these texts, so that labels that are
        near to everything gain nothing by it.
        """
        cosines = self.embed(texts) @ self.embed(labels).T
        standard: Vectors = (cosines - cosines.mean(axis=0)) / cosines.std(axis=0)
        return standard
