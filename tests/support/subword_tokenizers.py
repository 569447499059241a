"""Tokenizers that mark where words begin and not where they go on, made by code from a word list.

Not trained: a training's outcome may change with the library's version.
"""

import string
from collections.abc import Iterator

from support.checkpoint_spec import TokenizerSpec
from support.vocabulary import ENDINGS, WORDS
from tokenizers import Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.decoders import Metaspace as MetaspaceDecoder
from tokenizers.models import BPE, Unigram
from tokenizers.normalizers import NFKC, Replace, Sequence
from tokenizers.pre_tokenizers import ByteLevel, Metaspace
from tokenizers.processors import RobertaProcessing, TemplateProcessing

SENTENCE_TOKENS = {
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "bos_token": "<s>",
    "eos_token": "</s>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "mask_token": "<mask>",
}
"""As RoBERTa and XLM-RoBERTa name them."""

_PADDING, *_OTHERS = dict.fromkeys(SENTENCE_TOKENS.values())

BYTE_LEVEL_SPACE = "\u0120"
METASPACE = "\u2581"


def _special_tokens(pad_id: int) -> list[str]:
    return [*_OTHERS[:pad_id], _PADDING, *_OTHERS[pad_id:]]


def byte_level(size: int, spec: TokenizerSpec, pad_id: int = 0) -> Tokenizer:
    """Make RoBERTa's kind: byte pairs, a word's space part of the word.

    Args:
        size: tokens at most; the 256 bytes are always there.
        spec: spaces and offsets.
        pad_id: id of the padding token, at most the count of the other special ones.
    """
    special = _special_tokens(pad_id)
    tokens = [*special, *sorted(ByteLevel.alphabet())]
    merges = list(_merges())[: size - len(tokens)]
    tokens += [left + right for left, right in merges]
    vocab = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(BPE(vocab, merges))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=spec.prefix_space)
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = RobertaProcessing(
        ("</s>", vocab["</s>"]),
        ("<s>", vocab["<s>"]),
        trim_offsets=spec.trim_offsets,
        add_prefix_space=spec.prefix_space,
    )
    return tokenizer


def _merges() -> Iterator[tuple[str, str]]:
    """Grow each word from its left end, letter by letter."""
    seen = set()
    for word in [*(BYTE_LEVEL_SPACE + word for word in WORDS), *ENDINGS]:
        for end in range(1, len(word)):
            merge = (word[:end], word[end])
            if merge not in seen:
                seen.add(merge)
                yield merge


def unigram(size: int, pad_id: int = 0) -> Tokenizer:
    """Make XLM-RoBERTa's kind, as SentencePiece does: the likeliest of all ways to cut.

    Args:
        size: pieces at most; the most useful ones stand first.
        pad_id: id of the padding token, at most the count of the other special ones.
    """
    special = _special_tokens(pad_id)
    letters = string.ascii_lowercase + string.ascii_uppercase + string.digits
    words = [METASPACE + word for word in WORDS]
    pieces = [METASPACE, *words, *ENDINGS, *letters, *".,!?-'()"]
    unique = list(dict.fromkeys(pieces))[: size - len(special)]
    # A longer piece always beats the pieces it is made of; equal scores would be a coin toss.
    likely = [(piece, -4.0 - rank / 64) for rank, piece in enumerate(unique)]
    vocab = [(token, 0.0) for token in special] + likely
    tokenizer = Tokenizer(Unigram(vocab, unk_id=special.index("<unk>"), byte_fallback=False))
    tokenizer.normalizer = Sequence([NFKC(), Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = Metaspace()
    tokenizer.decoder = MetaspaceDecoder()
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(token, special.index(token)) for token in ("<s>", "</s>")],
    )
    return tokenizer
