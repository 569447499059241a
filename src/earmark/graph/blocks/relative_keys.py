"""Relative positions: vectors of distances that are multiplied with queries, and keys.

Shaw et al. 2018 (arXiv:1803.02155) for ``relative_key``, Huang et al. 2020 (arXiv:2009.13658) for
``relative_key_query``. Follows `transformers` 4.57.1: class BertSelfAttention of
models/bert/modeling_bert.py, its copies, and class AlbertAttention of
models/albert/modeling_albert.py. Releases from 5 on read neither the field nor the tensors.
"""

from dataclasses import dataclass

import numpy as np

from earmark.checkpoint.config import Config
from earmark.checkpoint.weights.weights import floats_of
from earmark.graph.blocks.attention import AttentionNames, AttentionShape
from earmark.graph.blocks.disentangled import (
    Disentangled,
    Distances,
    Part,
    disentangled_attention,
    first_token_disentangled_attention,
)
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Recorder, Value
from earmark.graph.writer import GraphWriter

ABSOLUTE = "absolute"
QUERIES, BOTH = "relative_key", "relative_key_query"
POSITION_TYPES = (ABSOLUTE, QUERIES, BOTH)
"""The values of `position_embedding_type`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeKeys:
    """The settings of relative positions in a config.

    Attributes:
        positions: tokens a text may have; tables have a row for each distance, from
            ``-(positions - 1)`` to ``positions - 1``.
        both: whether keys are multiplied with the distances too, not only queries.
        scaled: whether these products are scaled like those of queries and keys; not in ALBERT.
    """

    positions: int
    both: bool
    scaled: bool = True

    @classmethod
    def read(cls, config: Config) -> "RelativeKeys | None":
        """Read a config; None if positions are absolute."""
        kind = config.fields.get("position_embedding_type") or ABSOLUTE
        if kind == ABSOLUTE:
            return None
        return cls(positions=config.size("max_position_embeddings"), both=kind == BOTH)

    def record(self, r: Recorder, inputs: PackedInputs) -> "RelativeAttention":
        """Record the parts that all layers share."""
        rows = np.arange(2 * self.positions - 1, dtype=np.int64)
        return RelativeAttention(self, Distances.of(r, inputs, rows))


@dataclass(frozen=True, slots=True)
class RelativeAttention:
    """Attention with relative positions, in a graph that is being written.

    Attributes:
        keys: the settings in the config.
        distances: shared by all layers.
    """

    keys: RelativeKeys
    distances: Distances

    def of_tokens(
        self, w: GraphWriter, x: Value, bias: Value, names: AttentionNames, shape: AttentionShape
    ) -> Value:
        """Apply attention within each text of each row; as `attention.packed_attention`."""
        layer = self._layer(w, names, shape)
        mixed = disentangled_attention(w, x, bias, self.distances, layer, shape)
        return w.linear(mixed, names.output, shape.hidden, shape.hidden)

    def of_first_tokens(
        self,
        w: GraphWriter,
        x: Value,
        firsts: Value,
        bias: Value,
        names: AttentionNames,
        shape: AttentionShape,
    ) -> Value:
        """Apply attention for first tokens only; as `attention.first_token_attention`."""
        layer = self._layer(w, names, shape)
        mixed = first_token_disentangled_attention(w, x, firsts, bias, self.distances, layer, shape)
        return w.linear(mixed, names.output, shape.hidden, shape.hidden)

    def _layer(self, w: GraphWriter, names: AttentionNames, shape: AttentionShape) -> Disentangled:
        projections: dict[Part, str] = {
            "query": names.query,
            "key": names.key,
            "value": names.value,
        }
        base = names.query.rpartition(".")[0]  # the table is beside the projections
        rows = 2 * self.keys.positions - 1
        table = floats_of(w.weights.matrix(f"{base}.distance_embedding.weight", rows, shape.head))
        if not self.keys.scaled:
            table = table * np.float32(shape.head**0.5)
        return Disentangled(
            name=base,
            project=lambda x, part: w.linear(x, projections[part], shape.hidden, shape.hidden),
            distance_keys=table,
            distance_queries=table if self.keys.both else None,
            terms=1,
        )
