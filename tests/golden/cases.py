"""Every checkpoint that earmark must answer for as `transformers` does.

Each case is a checkpoint, built from a seed, and the texts it is asked about. The answers of
`transformers` lie in `data/<name>.json`; `regenerate.py` writes them.
"""

from dataclasses import replace

from golden.albert_cases import ALBERT_CASES
from golden.bart_cases import BART_CASES
from golden.case import GoldenCase, Text
from golden.deberta_cases import DEBERTA_CASES
from golden.electra_cases import ELECTRA_CASES
from golden.modernbert_cases import MODERNBERT_CASES
from golden.mpnet_cases import MPNET_CASES
from golden.relative_cases import RELATIVE_CASES
from golden.roberta_cases import ROBERTA_CASES
from golden.sizes import SENTIMENT, as_tagger, in_three_sizes
from golden.sorting_cases import SORTING_CASES
from golden.tagging_cases import TAGGING_CASES
from golden.texts import ACCENT_TEXTS, FEW_TEXTS, PAIRS, SINGLES, edge_pairs, edge_texts
from support.checkpoints import CheckpointSpec, TokenizerSpec

__all__ = ["CASES", "GoldenCase", "Text"]

SEEDS = (22, 45, 58)
ACTIVATIONS = (
    "gelu_10",
    "gelu_accurate",
    "gelu_fast",
    "gelu_new",
    "gelu_python",
    "gelu_python_tanh",
    "gelu_pytorch_tanh",
    "hardswish",
    "laplace",
    "leaky_relu",
    "linear",
    "mish",
    "quick_gelu",
    "relu",
    "relu2",
    "relu6",
    "sigmoid",
    "silu",
    "sqrtsoftplus",
    "swish",
    "tanh",
)
"""All but the usual one, `gelu`, which every other case has."""


def _shapes() -> tuple[GoldenCase, ...]:
    """BERT and DistilBERT with each head in each size, asked about every kind of text."""
    cases: list[GoldenCase] = []
    for size, base in in_three_sizes(CheckpointSpec(), SEEDS).items():
        limit = base.max_tokens
        texts: tuple[Text, ...] = (*SINGLES, *PAIRS, *edge_texts(limit), *edge_pairs(limit))
        for spec in (base, as_tagger(base)):
            cases += [
                GoldenCase(f"{model.architecture}-{model.head}-{size}", model, texts)
                for model in (spec, replace(spec, architecture="distilbert"))
            ]
    return tuple(cases)


def _model_traps() -> tuple[GoldenCase, ...]:
    """What differs from checkpoint to checkpoint in the config and the weights."""
    bert = CheckpointSpec(seed=8, label_names=SENTIMENT)
    distilbert = replace(bert, architecture="distilbert")
    six = ("toxic", "severe", "obscene", "threat", "insult", "hate")
    return (
        *(GoldenCase(f"bert-{name}", replace(bert, hidden_act=name)) for name in ACTIVATIONS),
        GoldenCase("distilbert-relu", replace(distilbert, hidden_act="relu")),
        GoldenCase("bert-layer_norm_eps", replace(bert, layer_norm_eps=1e-5)),
        GoldenCase(
            "bert-one-type",
            replace(bert, type_vocab_size=1),
            # The reference cannot read the second half of a pair here: it has no row for it.
            tuple(text for text in FEW_TEXTS if isinstance(text, str)),
        ),
        GoldenCase("bert-gamma-beta", replace(bert, weight_names="gamma-beta")),
        GoldenCase("bert-no-prefix", replace(bert, weight_names="no-prefix")),
        GoldenCase("distilbert-gamma-beta", replace(distilbert, weight_names="gamma-beta")),
        GoldenCase("distilbert-no-prefix", replace(distilbert, weight_names="no-prefix")),
        GoldenCase("bert-float16", replace(bert, storage="float16")),
        GoldenCase("bert-bfloat16", replace(bert, storage="bfloat16")),
        GoldenCase("bert-int8", replace(bert, storage="int8")),
        GoldenCase("distilbert-int8", replace(distilbert, storage="int8")),
        GoldenCase("bert-unnamed-labels", replace(bert, label_names=None)),
        GoldenCase("bert-twelve-labels", replace(bert, num_labels=12, label_names=None)),
        GoldenCase("bert-one-label", replace(bert, num_labels=1, label_names=None)),
        GoldenCase(
            "bert-regression",
            replace(bert, num_labels=1, label_names=("stars",), problem_type="regression"),
        ),
        GoldenCase(
            "distilbert-multi-label",
            replace(
                distilbert,
                num_labels=len(six),
                label_names=six,
                problem_type="multi_label_classification",
            ),
        ),
        GoldenCase("bert-single-label", replace(bert, problem_type="single_label_classification")),
    )


def _tokenizer_traps() -> tuple[GoldenCase, ...]:
    """What differs from checkpoint to checkpoint in the tokenizer's files."""
    vocab = TokenizerSpec(files="vocab.txt")
    tokenizers = {
        "cased": TokenizerSpec(lower_case=False),
        "baked-settings": TokenizerSpec(files="tokenizer.json, padded and truncated"),
        "short-maximum": TokenizerSpec(model_max_length=20),
        "vocab-txt": replace(vocab, lower_case=None),
        "vocab-txt-cased": replace(vocab, lower_case=False),
        "vocab-txt-cased-no-accents": replace(vocab, lower_case=False, strip_accents=True),
        "vocab-txt-uncased-accents": replace(vocab, lower_case=True, strip_accents=False),
        "vocab-txt-chinese-words": replace(vocab, chinese_chars=False),
    }
    cases: list[GoldenCase] = []
    for name, tokenizer in tokenizers.items():
        spec = CheckpointSpec(seed=8, layers=1, label_names=SENTIMENT, tokenizer=tokenizer)
        limit = spec.max_tokens
        texts: tuple[Text, ...] = (*ACCENT_TEXTS, *edge_texts(limit), *edge_pairs(limit))
        cases.append(GoldenCase(f"bert-{name}", spec, texts))
    return tuple(cases)


CASES = (
    *_shapes(),
    *_model_traps(),
    *_tokenizer_traps(),
    *RELATIVE_CASES,
    *ROBERTA_CASES,
    *ELECTRA_CASES,
    *ALBERT_CASES,
    *MPNET_CASES,
    *DEBERTA_CASES,
    *MODERNBERT_CASES,
    *BART_CASES,
    *TAGGING_CASES,
    *SORTING_CASES,
)
"""All of them; a name stands once."""
