"""What a tiny checkpoint is to look like."""

from dataclasses import dataclass, field
from typing import Literal

from support.deberta_spec import DebertaSpec

Architecture = Literal[
    "bert",
    "distilbert",
    "roberta",
    "xlm-roberta",
    "camembert",
    "electra",
    "albert",
    "mpnet",
    "deberta",
    "deberta-v2",
    "modernbert",
    "bart",
]
Head = Literal["sequence", "token"]
Storage = Literal["float32", "float16", "bfloat16", "int8"]
PositionType = Literal["absolute", "relative_key", "relative_key_query"]
WeightNames = Literal["current", "gamma-beta", "no-prefix"]
TokenizerKind = Literal["wordpiece", "byte-level", "unigram"]
TokenizerFiles = Literal["tokenizer.json", "tokenizer.json, padded and truncated", "vocab.txt"]

ROBERTA_KIN: tuple[Architecture, ...] = ("roberta", "xlm-roberta", "camembert")
"""One model under three names: their tensors' prefix and their positions are the same."""

RELATIVE: tuple[Architecture, ...] = (*ROBERTA_KIN, "bert", "electra", "albert")
"""Architectures that may look at distances in place of positions."""

OTHER_WIDTHS = ("electra", "albert", "deberta", "deberta-v2")
"""Architectures whose embeddings may have another width than their encoder."""

MPNET_PADDING = 1
"""Fixed in `transformers` (class MPNetEmbeddings): what positions are counted from."""

DISTILBERT_NORM_EPS = 1e-12
"""Fixed in `transformers` (`modeling_distilbert.py`); a DistilBERT config cannot change it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerSpec:
    """A tokenizer and the files it is stored in.

    Attributes:
        kind: BERT's, RoBERTa's or XLM-RoBERTa's way of cutting words up. Only `model_max_length`
            and what names a kind below is for another than the first.
        files: `tokenizer.json`, with or without settings of its own for padding and truncation
            (which a loader must reset), or the older `vocab.txt`. All come with a
            `tokenizer_config.json`.
        lower_case: lower-case the text; None leaves the word out of the config (it means True).
        strip_accents: None does as `lower_case` does.
        chinese_chars: put each Chinese character on its own.
        model_max_length: as `tokenizer_config.json` states it; None leaves it out.
        prefix_space: of a byte-level tokenizer: put a space before the text's first word.
        trim_offsets: of a byte-level tokenizer: leave a word's space out of its offsets.
    """

    kind: TokenizerKind = "wordpiece"
    files: TokenizerFiles = "tokenizer.json"
    lower_case: bool | None = True
    strip_accents: bool | None = None
    chinese_chars: bool = True
    model_max_length: int | None = None
    prefix_space: bool = True
    trim_offsets: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ModernBertSpec:
    """What only ModernBERT has.

    Attributes:
        newer_config: say with `layer_types` and `rope_parameters`, as `transformers` 5 does, what
            older configs say with `global_attn_every_n_layers` and two thetas.
        global_every: every so many layers one sees the whole text.
        local_attention: how many tokens the other layers see, half of them to each side.
        thetas: bases of the rotary angles, of layers that see all and of those that do not;
            None takes the first for both.
        biases: give every norm and every Linear layer a bias.
        pooling: how a text's tokens become one vector.
        classifier_activation: function inside the head.
    """

    newer_config: bool = False
    global_every: int = 2
    local_attention: int = 8
    thetas: tuple[float, float | None] = (160_000.0, 10_000.0)
    biases: bool = False
    pooling: Literal["cls", "mean"] = "mean"
    classifier_activation: str = "gelu"


@dataclass(frozen=True, slots=True, kw_only=True)
class BartSpec:
    """What only BART has; `layers`, `heads` and `intermediate` are the encoder's.

    Attributes:
        decoder_layers: how many.
        stated_layers: what `num_hidden_layers` says beside `encoder_layers`; None leaves it out.
        decoder_heads: of each of its attentions.
        decoder_intermediate: width of its feed-forward blocks.
        scale_embedding: multiply word embeddings by the root of the hidden size.
        start_token: what the decoder reads before the text.
        tables: under which names the word embeddings lie in the file; `all` is how PyTorch's own
            files have them, with two stray tensors of fairseq.
    """

    decoder_layers: int = 2
    stated_layers: int | None = None
    decoder_heads: int = 2
    decoder_intermediate: int = 64
    scale_embedding: bool = False
    start_token: int = 3
    tables: Literal["shared", "all", "decoder", "untied"] = "shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSpec:
    """A checkpoint: its shape, its head, and the forms its files take.

    Attributes:
        architecture: the `model_type` of the config.
        head: one answer for each text, or one for each token.
        seed: weights differ with it, and with nothing else but the shape of their own tensor.
        hidden: width of the encoder, a multiple of `heads`.
        embedding: width of the embeddings where it may be another than the encoder's; None is it.
        layer_groups: of ALBERT's layers, each with weights of its own.
        group_layers: layers in each of these groups.
        max_positions: rows of the position table.
        position_type: the config's `position_embedding_type`; the relative ones have a table of
            distances in each layer, of BERT and its kin alone.
        pad_id: id of the padding token. WordPiece's is always 0; RoBERTa and its kin count
            positions from it.
        label_names: None gives the names `transformers` gives, ``LABEL_0`` and so on.
        problem_type: as the config states it; None leaves it out.
        storage: the type of the weights; `int8` is the "int-quantized" form of
            compressed-tensors (Linear layers and word embeddings).
        weight_names: as `transformers` writes them today; with the LayerNorm names of old
            checkpoints (and their stray `position_ids`); or without the architecture's prefix.
        deberta: of a DeBERTa of any generation, which takes its count of token types from here.
        modernbert: of a ModernBERT.
        bart: of a BART.
    """

    architecture: Architecture = "bert"
    head: Head = "sequence"
    seed: int = 0
    layers: int = 2
    hidden: int = 32
    embedding: int | None = None
    layer_groups: int = 1
    group_layers: int = 1
    heads: int = 2
    intermediate: int = 64
    vocab_size: int = 320
    max_positions: int = 48
    position_type: PositionType = "absolute"
    pad_id: int = 0
    type_vocab_size: int = 2
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-12
    num_labels: int = 2
    label_names: tuple[str, ...] | None = None
    problem_type: str | None = None
    storage: Storage = "float32"
    weight_names: WeightNames = "current"
    deberta: DebertaSpec = field(default_factory=DebertaSpec)
    tokenizer: TokenizerSpec = field(default_factory=TokenizerSpec)
    modernbert: ModernBertSpec = field(default_factory=ModernBertSpec)
    bart: BartSpec = field(default_factory=BartSpec)

    def __post_init__(self) -> None:
        """Refuse what no checkpoint can be.

        Raises:
            ValueError: two fields contradict each other.
        """
        if self.label_names is not None and len(self.label_names) != self.num_labels:
            raise ValueError(f"{len(self.label_names)} label names for {self.num_labels} labels")
        if self.hidden % self.heads:
            raise ValueError(f"hidden {self.hidden} is no multiple of {self.heads} heads")
        if self.architecture == "distilbert" and self.layer_norm_eps != DISTILBERT_NORM_EPS:
            raise ValueError(f"DistilBERT's layer_norm_eps is always {DISTILBERT_NORM_EPS}")
        if self.embedding is not None and self.architecture not in OTHER_WIDTHS:
            raise ValueError(f"the embeddings of {self.architecture} are as wide as its encoder")
        if self.position_type != "absolute" and self.architecture not in RELATIVE:
            raise ValueError(f"{self.architecture} has no distances in place of positions")
        if self.pad_id and self.tokenizer.kind == "wordpiece":
            raise ValueError(f"WordPiece pads with token 0, not {self.pad_id}")

    @property
    def labels(self) -> tuple[str, ...]:
        """The label names, given or made."""
        return self.label_names or tuple(f"LABEL_{index}" for index in range(self.num_labels))

    @property
    def max_tokens(self) -> int:
        """The longest encoding the checkpoint takes, special tokens included."""
        counted_from = self.pad_id + 1 if self.architecture in ROBERTA_KIN else 0
        if self.architecture == "mpnet":
            counted_from = MPNET_PADDING + 1
        places = self.max_positions - counted_from
        return min(places, self.tokenizer.model_max_length or places)

    @property
    def prefix(self) -> str:
        """What the names of the base model's tensors begin with, without the dot."""
        if self.architecture in ROBERTA_KIN:
            return "roberta"
        if self.architecture in {"modernbert", "bart"}:
            return "model"
        return self.architecture.removesuffix("-v2")
