"""The fields of a config that may change what a model computes, and the treatment of each.

A field is obeyed, changes nothing, or is refused at load by its name; none is ignored. Each
architecture lists its own (`Architecture.fields`); those below apply to all. A field that is null
counts as missing. `docs/config-fields.md` is written from these tables.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from earmark.checkpoint.config import Config
from earmark.errors import UnsupportedCheckpoint
from earmark.graph.blocks.activations import ACTIVATIONS

Treatment = Literal["obeyed", "harmless", "refused"]
"""`obeyed`: the graph follows it; `harmless`: its value does not change the answer; `refused`: a
checkpoint does not load unless its value is what the graph does anyway."""

Values = tuple[object, ...] | Callable[[Config], tuple[object, ...]]
"""The allowed values of a field, or a function that computes them from other fields."""

OFF: tuple[object, ...] = (False, 0, "", {}, [])
"""Values that switch something off."""

INSTEAD = (
    "Set the field right if it is wrong; else run the model from a graph of its own "
    "(onnx/model.onnx), or take one that was trained without it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a config.

    Attributes:
        name: in `config.json`.
        treatment: how it is treated.
        note: what it changes, or why it changes nothing.
        values: its allowed values; None if `reader` checks it.
        words: whether it is a list of words, each of which must be one of `values`.
        reader: reads it, and refuses what the graph does not compute; None if `values` checks it.
    """

    name: str
    treatment: Treatment
    note: str
    values: Values | None = None
    words: bool = False
    reader: Callable[[Config], object] | None = None

    def check(self, config: Config) -> None:
        """Raise an error for a value that the graph does not compute.

        Raises:
            InvalidCheckpoint: the field should be a list of words, and is not.
            UnsupportedCheckpoint: the value is none of `values`.
        """
        found = config.fields.get(self.name)
        if found is not None and self.reader is not None:
            self.reader(config)
        if found is None or self.values is None:
            return
        allowed = self.values(config) if callable(self.values) else self.values
        asked = config.words(self.name) if self.words else (found,)
        if not all(any(_same(one, value) for value in allowed) for one in asked):
            raise UnsupportedCheckpoint(
                f'{config.path}: "{self.name}" is {json.dumps(found)} ({self.note}); supported: '
                f"{shown(allowed)}. {INSTEAD}"
            )


def shown(values: tuple[object, ...]) -> str:
    """Write values as in a config; of several that switch something off, only one."""
    if values[: len(OFF)] == OFF:
        values = (False, *values[len(OFF) :])
    return ", ".join(json.dumps(value) for value in values if value != "")


def _same(found: object, value: object) -> bool:
    """Compare as JSON does: true is not 1, while 1 is 1.0."""
    return isinstance(found, bool) == isinstance(value, bool) and found == value


def _fields(
    treatment: Treatment, names: str, note: str, values: Values | None
) -> tuple[Field, ...]:
    return tuple(
        Field(name=name, treatment=treatment, note=note, values=values) for name in names.split()
    )


def obeyed(
    names: str,
    note: str,
    values: Values | None = None,
    *,
    words: bool = False,
    reader: Callable[[Config], object] | None = None,
) -> tuple[Field, ...]:
    """List fields that the graph obeys; `names` is separated by spaces."""
    listed = _fields("obeyed", names, note, values)
    return tuple(replace(field, words=words, reader=reader) for field in listed)


def function(names: str, note: str) -> tuple[Field, ...]:
    """List fields that name an activation function."""
    return obeyed(names, note, tuple(ACTIVATIONS))


def harmless(names: str, note: str) -> tuple[Field, ...]:
    """List fields that change no answer."""
    return _fields("harmless", names, note, None)


def refused(names: str, note: str, unless: Values = OFF) -> tuple[Field, ...]:
    """List fields that are refused, unless their value is what the graph does anyway."""
    return _fields("refused", names, note, unless)


def by_name(*tables: Sequence[Field]) -> Mapping[str, Field]:
    """Combine tables; a later one overrides the fields of an earlier one."""
    return {field.name: field for table in tables for field in table}


def check_fields(fields: Mapping[str, Field], config: Config) -> None:
    """Check the fields of a config; errors as for `Field.check`."""
    for field in fields.values():
        field.check(config)


COMMON: tuple[Field, ...] = (
    *obeyed("architectures model_type", "which class"),
    *obeyed("id2label num_labels problem_type", "the head's labels, and how scores are made"),
    *obeyed("quantization_config compression_config", "how weights are stored; see below"),
    *obeyed("vocab_size max_position_embeddings", "rows of the tables"),
    *refused("is_decoder", "tokens see what comes before them alone"),
    *refused("add_cross_attention", "layers look at another model's states"),
    *refused("is_causal", "tokens see what comes before them alone"),
    *refused("pruned_heads", "layers with fewer heads than others"),
    *refused("position_embedding_type", "how positions count", ("absolute",)),
    *harmless("chunk_size_feed_forward", "the same products in smaller parts"),
    *harmless("label2id", "the inverse of `id2label`"),
    *harmless("is_encoder_decoder cross_attention_hidden_size", "these heads read one text"),
    *harmless("tie_word_embeddings tie_encoder_decoder", "of heads that write text"),
    *harmless("use_cache", "of heads that write text"),
    *harmless("bos_token_id sep_token_id cls_token_id", "the tokenizer has them"),
    *harmless("eos_token_id pad_token_id decoder_start_token_id", "the tokenizer has them"),
    *harmless("dtype torch_dtype use_bfloat16", "the precision is the operator's to choose"),
    *harmless("initializer_range", "of training"),
    *harmless("gradient_checkpointing layerdrop", "of training"),
    *harmless("output_attentions output_hidden_states output_scores", "what is returned beside"),
    *harmless("return_dict use_return_dict torchscript tf_legacy_loss", "how it is returned"),
    *harmless("_attn_implementation attn_implementation", "the same product by another kernel"),
    *harmless("transformers_version _name_or_path tokenizer_class", "where it comes from"),
    *harmless("finetuning_task task_specific_params prefix", "where it comes from"),
)
"""Fields of every architecture (configuration_utils.py)."""

FOREIGN: tuple[Field, ...] = (
    *refused(
        "alibi use_alibi alibi_starting_size",
        "scores fall with distance",
    ),
    *refused(
        "rotary use_rotary use_rotary_embeddings use_rope rotary_value rotary_emb_fraction "
        "rotary_pct rope_theta rope_scaling rope_parameters",
        "queries and keys are turned by their positions",
    ),
    *refused(
        "feed_forward_type mlp_type ffn_type",
        "another feed-forward block",
        ("original", "mlp", "default", ""),
    ),
    *refused("use_glu glu hidden_glu gated_mlp use_gated_mlp", "a gate in the feed-forward block"),
    *refused(
        "normalize_before encoder_normalize_before decoder_normalize_before pre_norm prenorm "
        "norm_first use_pre_layer_norm pre_layer_norm",
        "norms stand before each block",
    ),
    *refused("add_final_layer_norm use_final_layer_norm", "a norm after the last layer"),
    *refused("use_rms_norm rms_norm use_rmsnorm", "norms without a mean"),
    *refused(
        "norm_type normalization_type norm_function layer_norm_type",
        "another norm",
        ("layer_norm", "layernorm", "LayerNorm", "post", "layer", ""),
    ),
    *refused("qk_norm use_qk_norm qk_layernorm", "queries and keys are normalised"),
    *refused("parallel_attn parallel_attention parallel_block", "blocks side by side"),
    *refused("attention_window sliding_window", "tokens see their neighbourhood alone"),
    *refused(
        "attention_type attn_type",
        "which tokens a token sees",
        ("original_full", "full", "bidirectional", "bi", "self", ""),
    ),
    *refused("directionality", "which tokens a token sees", ("bidi", "bidirectional", "")),
    *refused("causal use_causal_mask unidirectional", "tokens see what comes before them alone"),
    *refused(
        "num_experts num_local_experts moe_num_experts moe_every_n_layers",
        "experts in place of a feed-forward block",
        (*OFF, 1),
    ),
    *refused("use_conv conv_layers", "convolutions beside the attention"),
    *refused("static_position_embeddings sinusoidal_positions", "positions are not in the file"),
)
"""Fields that no class of these architectures reads: a config with one of them is for a model that
computes differently (Jina's, Nomic's and Mosaic's BERT, older BART, custom code)."""
