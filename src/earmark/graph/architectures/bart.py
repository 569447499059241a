"""BART (Lewis et al. 2019, arXiv:1910.13461), as a classifier.

Follows `transformers` 5.24.0, models/bart/modeling_bart.py. The encoder is BERT's, except for its
names and embeddings. A decoder reads the same text again, shifted to the right by one and with
causal attention; the head reads its output at the text's last end-of-sentence token.
"""

from earmark.checkpoint.config import Config
from earmark.graph.architectures.architecture import Architecture, HeadLayers
from earmark.graph.blocks.attention import (
    AttentionNames,
    AttentionShape,
    not_later,
    packed_attention,
    packed_bias,
)
from earmark.graph.blocks.encoder import EncoderShape, LayerNames, encode_tokens, finish_layer
from earmark.graph.blocks.pooling import last_of_texts
from earmark.graph.config_fields import (
    COMMON,
    FOREIGN,
    by_name,
    function,
    harmless,
    obeyed,
    refused,
)
from earmark.graph.inputs import PackedInputs
from earmark.graph.recorder import Value
from earmark.graph.writer import GraphWriter

EPSILON = 1e-5
"""The default of `torch.nn.LayerNorm`; the config has no field for it."""
OFFSET = 2
"""Tables of positions begin with two unused rows (BartLearnedPositionalEmbedding)."""
SIDES = ("encoder", "decoder")


def _shape(config: Config, side: str) -> EncoderShape:
    return EncoderShape(
        layers=config.size(f"{side}_layers"),
        attention=AttentionShape.read(config, "d_model", f"{side}_attention_heads"),
        intermediate=config.size(f"{side}_ffn_dim"),
        activation=config.text("activation_function", "gelu"),
        epsilon=EPSILON,
    )


def _attention_names(base: str) -> AttentionNames:
    return AttentionNames(
        query=f"{base}.q_proj",
        key=f"{base}.k_proj",
        value=f"{base}.v_proj",
        output=f"{base}.out_proj",
    )


def _names(side: str, attention: str, layer: int) -> LayerNames:
    """Return the names of a layer's tensors, with those of one of a decoder's two attentions."""
    base = f"{side}.layers.{layer}"
    return LayerNames(
        attention=_attention_names(f"{base}.{attention}"),
        attention_norm=f"{base}.{attention}_layer_norm",
        intermediate=f"{base}.fc1",
        output=f"{base}.fc2",
        output_norm=f"{base}.final_layer_norm",
    )


def _word_table(w: GraphWriter, config: Config, side: str) -> str:
    """Return the name of a side's word embeddings: usually both share one of three tables."""
    names = ("shared", *(f"{one}.embed_tokens" for one in SIDES))
    if not config.flag("tie_word_embeddings", default=True):
        w.weights.disregard("shared.weight")  # unused, since each side has its own
        return f"{side}.embed_tokens"
    table = next((name for name in names if w.weights.has(f"{name}.weight")), names[0])
    w.weights.disregard(*(f"{name}.weight" for name in names if name != table))
    return table


def _embed(w: GraphWriter, ids: Value, inputs: PackedInputs, config: Config, side: str) -> Value:
    r, hidden = w.recorder, config.size("d_model")
    words = w.embedding(ids, _word_table(w, config, side), config.size("vocab_size"), hidden)
    if config.flag("scale_embedding", default=False):
        words = r.op("Mul", words, r.scalar(hidden**0.5))
    rows = config.size("max_position_embeddings") + OFFSET
    places = r.op("Add", inputs.position_ids, r.integers(OFFSET))
    positions = w.embedding(places, f"{side}.embed_positions", rows, hidden)
    name = f"{side}.layernorm_embedding"
    return w.layer_norm(r.op("Add", words, positions), name, hidden, EPSILON)


def _shifted(w: GraphWriter, inputs: PackedInputs, start: int) -> Value:
    """Shift tokens right by one cell; each text's first cell gets the start token.

    The cells of a text are adjacent, so the start of rows does not matter.
    """
    r, first = w.recorder, w.recorder.integers(start)
    flat = r.reshape(inputs.input_ids, -1)
    before = r.op("Slice", flat, r.integers(0), r.integers(-1))
    moved = r.op("Concat", first, before, axis=0)
    moved = r.op("Reshape", moved, r.op("Shape", inputs.input_ids))
    return r.op("Where", r.op("Equal", inputs.position_ids, r.integers(0)), first, moved)


def _decode(w: GraphWriter, inputs: PackedInputs, config: Config, read: Value) -> Value:
    """Run the decoder.

    Args:
        w: the graph.
        inputs: the packed batch.
        config: sizes.
        read: the encoder's hidden states, ``[rows, width, hidden]``.

    Returns:
        Hidden states, ``[rows, width, hidden]``.
    """
    r, shape = w.recorder, _shape(config, "decoder")
    hidden = shape.attention.hidden
    ids = _shifted(w, inputs, config.index("decoder_start_token_id", 2))
    x = _embed(w, ids, inputs, config, "decoder")
    earlier = packed_bias(r, inputs.segment_ids, not_later(r, inputs.position_ids))
    whole = packed_bias(r, inputs.segment_ids)
    for layer in range(shape.layers):
        own = _names("decoder", "self_attn", layer)
        attended = packed_attention(w, x, earlier, own.attention, shape.attention)
        x = w.layer_norm(r.op("Add", attended, x), own.attention_norm, hidden, EPSILON)
        names = _names("decoder", "encoder_attn", layer)
        crossed = packed_attention(w, x, whole, names.attention, shape.attention, seen=read)
        x = finish_layer(w, x, crossed, names, shape)
    return x


def _sequence(w: GraphWriter, inputs: PackedInputs, config: Config, labels: int) -> Value:
    """Dense and tanh on the decoder's output at the text's last end token, then a linear layer."""
    shape = _shape(config, "encoder")
    hidden = shape.attention.hidden
    w.weights.disregard(*(f"{side}.version" for side in SIDES))  # of fairseq's files

    def names(layer: int) -> LayerNames:
        return _names("encoder", "self_attn", layer)

    embedded = _embed(w, inputs.input_ids, inputs, config, "encoder")
    read = encode_tokens(w, embedded, inputs, names, shape)
    decoded = _decode(w, inputs, config, read)
    ends = last_of_texts(w.recorder, decoded, inputs, hidden, config.index("eos_token_id", 2))
    dense = w.exact_linear(ends, "classification_head.dense", hidden, hidden)
    active = w.recorder.op("Tanh", dense)
    return w.exact_linear(active, "classification_head.out_proj", labels, hidden)


BART = Architecture(
    prefix="model.",
    positions=lambda config: config.size("max_position_embeddings"),
    heads={"BartForSequenceClassification": "sequence"},
    layers={
        "sequence": HeadLayers(("classification_head.dense", "classification_head.out_proj")),
    },
    writers={"sequence": _sequence},
    fields=by_name(
        COMMON,
        FOREIGN,
        obeyed(
            "d_model encoder_layers encoder_attention_heads encoder_ffn_dim decoder_layers "
            "decoder_attention_heads decoder_ffn_dim",
            "sizes",
        ),
        function("activation_function", "function in the feed-forward blocks"),
        obeyed("scale_embedding", "word embeddings are multiplied by the root of their width"),
        obeyed("tie_word_embeddings", "one table of words, or one for each side"),
        obeyed("eos_token_id", "where the head reads"),
        obeyed("decoder_start_token_id", "what the decoder reads first"),
        refused(
            "hidden_size", "another name of `d_model`", lambda config: (config.size("d_model"),)
        ),
        refused(
            "num_attention_heads",
            "another name of `encoder_attention_heads`",
            lambda config: (config.size("encoder_attention_heads"),),
        ),
        refused("normalize_embedding", "the embeddings are normalised", (True,)),
        refused("extra_pos_embeddings", "rows of the table before the first", (OFFSET,)),
        harmless("num_hidden_layers", "`encoder_layers` counts them, as in transformers 4"),
        harmless("pad_token_id", "a text that stands alone has none"),
        harmless("add_bias_logits force_bos_token_to_be_generated", "of heads that write text"),
        harmless("forced_bos_token_id forced_eos_token_id", "of heads that write text"),
        harmless("dropout attention_dropout activation_dropout init_std", "of training"),
        harmless("encoder_layerdrop decoder_layerdrop", "of training"),
        harmless("classifier_dropout classif_dropout", "of training"),
    ),
)
