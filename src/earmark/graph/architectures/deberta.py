"""DeBERTa, the first generation (He et al. 2020, arXiv:2006.03654).

Follows `transformers` 5.23.0, models/deberta/modeling_deberta.py. Differs from the second
generation in one matrix for queries, keys and values, head by head, and in a table with a row for
each distance.
"""

import numpy as np

from earmark.checkpoint.config import Config
from earmark.checkpoint.weights.weights import floats_of, rows_of
from earmark.domain.packing import Float32
from earmark.graph.architectures.architecture import Architecture, HeadLayers
from earmark.graph.blocks.attention import AttentionShape
from earmark.graph.blocks.deberta import (
    DEBERTA_FIELDS,
    Generation,
    longest_distance,
    position_terms,
    project_table,
    write_heads,
)
from earmark.graph.blocks.disentangled import Disentangled, Int64, Part
from earmark.graph.config_fields import by_name, harmless, refused
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter

PARTS: tuple[Part, ...] = ("query", "key", "value")
"""The order of each head's rows in the matrix."""
BIASES: dict[Part, str] = {"query": "q_bias", "value": "v_bias"}
"""Names of the biases; keys have none."""


def _rows(config: Config, longest: int) -> Int64:
    """Return the row of each distance in a table of ``2 * longest`` rows."""
    positions = config.size("max_position_embeddings")
    distances = np.arange(1 - positions, positions, dtype=np.int64)
    return np.clip(distances + longest, 0, 2 * longest - 1)


def _generation(
    w: GraphWriter,
    inputs: PackedInputs,  # noqa: ARG001 - the second generation's convolution reads them
    config: Config,
    shape: AttentionShape,
) -> Generation:
    terms, count = position_terms(config)
    longest, hidden = longest_distance(config), shape.hidden
    table: Float32 | None = None
    if config.flag("relative_attention", default=False):
        table = floats_of(w.weights.matrix("encoder.rel_embeddings.weight", 2 * longest, hidden))

    def layer(index: int) -> Disentangled:
        base = f"encoder.layer.{index}.attention.self"
        whole = w.weights.matrix(f"{base}.in_proj.weight", len(PARTS) * hidden, hidden)
        by_head = np.arange(len(PARTS) * hidden).reshape(shape.heads, len(PARTS), shape.head)

        def project(x: Value, part: Part) -> Value:
            own = rows_of(whole, by_head[:, PARTS.index(part)].ravel())
            bias = w.weights.vector(f"{base}.{BIASES[part]}", hidden) if part in BIASES else None
            return w.project(x, f"{base}.in_proj.{part}", own, bias)

        def distances(term: str, name: str, *, bias: bool) -> Float32 | None:
            if table is None or term not in terms:
                return None
            return project_table(w, table, f"{base}.{name}", bias=bias)

        return Disentangled(
            name=base,
            project=project,
            distance_keys=distances("c2p", "pos_proj", bias=False),
            distance_queries=distances("p2c", "pos_q_proj", bias=True),
            terms=count,
        )

    return Generation(rows=_rows(config, longest), layer=layer)


DEBERTA = Architecture(
    prefix="deberta.",
    positions=lambda config: config.size("max_position_embeddings"),
    heads={
        "DebertaForSequenceClassification": "sequence",
        "DebertaForTokenClassification": "token",
    },
    layers={
        "sequence": HeadLayers(("pooler.dense", "classifier")),
        "token": HeadLayers(("classifier",)),
    },
    writers=write_heads(_generation),
    fields=by_name(
        DEBERTA_FIELDS,
        refused("talking_head", "heads are mixed"),
        harmless(
            "position_buckets norm_rel_ebd share_att_key",
            "the second generation's, which has other tensors",
        ),
        refused("conv_kernel_size", "a convolution beside the first layer"),
    ),
)
