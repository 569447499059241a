"""Applies `tokenizer_config.json` to a `tokenizer.json` that disagrees with it.

The `transformers` classes that a checkpoint may name have settings, which override
`tokenizer.json`, in 4.57.1 and in 5.24.0 (models/bert/tokenization_bert*.py,
models/roberta/tokenization_roberta*.py). 5.24.0 keeps some of the file's other parts; 4.57.1 keeps
all, and so does this module.
"""

from typing import Literal, TypeAlias

import msgspec
from tokenizers import Tokenizer
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import PostProcessor, RobertaProcessing, TemplateProcessing

from earmark.tokenizing.stated import StatedTokenizer

Kin: TypeAlias = Literal["bert", "roberta", "deberta"]
"""Classes whose settings override the file: BERT's case, accents and Chinese characters; the space
before the first word of RoBERTa and DeBERTa; the offsets of RoBERTa."""


def settle(tokenizer: Tokenizer, stated: StatedTokenizer, kin: Kin) -> None:
    """Apply the settings to a tokenizer; a missing setting has its default.

    Args:
        tokenizer: the tokenizer of `tokenizer.json`.
        stated: the settings.
        kin: the family that the settings belong to.

    Raises:
        InvalidCheckpoint: a setting has an invalid value.
    """
    if kin == "bert":
        if isinstance(tokenizer.normalizer, BertNormalizer):
            clean = tokenizer.normalizer.clean_text
            tokenizer.normalizer = bert_normalizer(stated, clean_text=clean)
        return
    if isinstance(tokenizer.pre_tokenizer, ByteLevel):
        prefix = stated.flag("add_prefix_space", default=False)
        splits = tokenizer.pre_tokenizer.use_regex
        tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=prefix, use_regex=splits)
    if kin == "roberta" and isinstance(tokenizer.post_processor, RobertaProcessing):
        ends = msgspec.json.decode(tokenizer.post_processor.__getstate__())
        tokenizer.post_processor = roberta_processing(ends["sep"], ends["cls"], stated)


def parts_twice(processor: PostProcessor) -> bool:
    """Return whether two special tokens separate the texts of a pair."""
    if not isinstance(processor, TemplateProcessing):
        return False
    pair = msgspec.json.decode(processor.__getstate__())["pair"]
    return "text, token, token, text" in ", ".join(
        "text" if "Sequence" in piece else "token" for piece in pair
    )


def bert_normalizer(stated: StatedTokenizer, *, clean_text: bool = True) -> BertNormalizer:
    """Return a normalizer that cleans a text as BERT does.

    Args:
        stated: case, accents and Chinese characters; by default accents follow case.
        clean_text: drop control characters.

    Raises:
        InvalidCheckpoint: a setting has an invalid value.
    """
    return BertNormalizer(
        clean_text=clean_text,
        handle_chinese_chars=stated.flag("tokenize_chinese_chars", default=True),
        strip_accents=stated.choice("strip_accents"),
        lowercase=stated.flag("do_lower_case", default=True),
    )


def roberta_processing(
    last: tuple[str, int], first: tuple[str, int], stated: StatedTokenizer
) -> RobertaProcessing:
    """Return a post-processor that adds special tokens as RoBERTa does.

    Args:
        last: token after a text, and its id.
        first: token before it, and its id.
        stated: whether a word's offsets exclude its space, and whether the first word has one.
    """
    return RobertaProcessing(
        (str(last[0]), int(last[1])),
        (str(first[0]), int(first[1])),
        trim_offsets=stated.flag("trim_offsets", default=True),
        add_prefix_space=stated.flag("add_prefix_space", default=False),
    )
