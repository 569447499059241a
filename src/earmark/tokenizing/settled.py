"""`tokenizer.json` against `tokenizer_config.json`, where the two do not agree.

The classes of `transformers` that a checkpoint may name have settings of their own, and these have
the last word over what `tokenizer.json` holds; in 4.x as in 5.24.0
(models/bert/tokenization_bert.py, models/roberta/tokenization_roberta.py).
"""

import msgspec
from tokenizers import Tokenizer
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import RobertaProcessing

from earmark.tokenizing.stated import StatedTokenizer

__all__ = ["settle"]


def settle(tokenizer: Tokenizer, stated: StatedTokenizer) -> None:
    """Let the settings have their way with a tokenizer; what they leave out has its usual value.

    Args:
        tokenizer: as `tokenizer.json` holds it, of a class with settings.
        stated: case, accents and Chinese characters of BERT; spaces and offsets of RoBERTa.
    """
    if isinstance(tokenizer.normalizer, BertNormalizer):
        tokenizer.normalizer = bert_normalizer(stated)
    if isinstance(tokenizer.pre_tokenizer, ByteLevel):
        prefix = stated.flag("add_prefix_space", default=False)
        tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=prefix)
        if isinstance(tokenizer.post_processor, RobertaProcessing):
            ends = msgspec.json.decode(tokenizer.post_processor.__getstate__())
            tokenizer.post_processor = roberta_processing(ends["sep"], ends["cls"], stated)


def bert_normalizer(stated: StatedTokenizer) -> BertNormalizer:
    """Clean a text as BERT does."""
    strip_accents = stated.fields.get("strip_accents")
    return BertNormalizer(
        clean_text=True,
        handle_chinese_chars=stated.flag("tokenize_chinese_chars", default=True),
        strip_accents=strip_accents if isinstance(strip_accents, bool) else None,
        lowercase=stated.flag("do_lower_case", default=True),
    )


def roberta_processing(
    last: tuple[str, int], first: tuple[str, int], stated: StatedTokenizer
) -> RobertaProcessing:
    """Close texts as RoBERTa does.

    Args:
        last: token after a text, and its id.
        first: token before it, and its id.
        stated: whether a word's space is left out of its offsets, and the first has one.
    """
    return RobertaProcessing(
        (str(last[0]), int(last[1])),
        (str(first[0]), int(first[1])),
        trim_offsets=stated.flag("trim_offsets", default=True),
        add_prefix_space=stated.flag("add_prefix_space", default=False),
    )
