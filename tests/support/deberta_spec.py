"""What only a DeBERTa has."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class DebertaSpec:
    """What only a DeBERTa has. What stands here is DeBERTa-v3, in small.

    The first generation knows nothing of `buckets`, `shared`, `normed` and the convolution.

    Attributes:
        relative: score distances at all.
        terms: the products with distances.
        joined: say so in one string, as published checkpoints do, and not in a list.
        buckets: rows of the table of distances for each sign; below 1, one for each distance.
        longest: the longest distance that has a row, or shares one; below 1, the maximum.
        shared: put distances through the layers' own keys and queries.
        normed: normalise the table of distances.
        placed: add embeddings of positions to those of words.
        types: rows of the table of token types; 0 for no table.
        convolution: tokens that are mixed beside the first layer; 0 for no such thing.
        groups: of the convolution's channels.
        convolved: function after the convolution.
        pooled: function inside the head.
    """

    relative: bool = True
    terms: tuple[Literal["c2p", "p2c"], ...] = ("p2c", "c2p")
    joined: bool = True
    buckets: int = 8
    longest: int = -1
    shared: bool = True
    normed: bool = True
    placed: bool = False
    types: int = 0
    convolution: int = 0
    groups: int = 1
    convolved: str = "tanh"
    pooled: str = "gelu"

    def fields(self) -> dict[str, object]:
        """Return the fields of `config.json` that say so."""
        terms: object = "|".join(self.terms) if self.joined else list(self.terms)
        fields: dict[str, object] = {
            "relative_attention": self.relative,
            "pos_att_type": terms,
            "position_buckets": self.buckets,
            "max_relative_positions": self.longest,
            "share_att_key": self.shared,
            "norm_rel_ebd": "layer_norm" if self.normed else "none",
            "position_biased_input": self.placed,
            "type_vocab_size": self.types,
            "pooler_hidden_act": self.pooled,
        }
        if self.convolution:
            fields["conv_kernel_size"] = self.convolution
            fields["conv_groups"] = self.groups
            fields["conv_act"] = self.convolved
        return fields
