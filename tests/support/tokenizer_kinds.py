"""One tokenizer of each kind, as the library holds it and as earmark does."""

from functools import cache

from support.checkpoint_spec import TokenizerSpec
from support.checkpoint_tokenizer import word_piece
from support.subword_tokenizers import byte_level, unigram
from support.vocabulary import vocabulary
from tokenizers import Tokenizer

from earmark.tokenizing.tokenizer import TextTokenizer

SIZE = 512

KINDS = {
    "wordpiece": TokenizerSpec(),
    "wordpiece, cased": TokenizerSpec(lower_case=False),
    "byte-level": TokenizerSpec(kind="byte-level"),
    "byte-level, spaces": TokenizerSpec(kind="byte-level", prefix_space=False, trim_offsets=False),
    "unigram": TokenizerSpec(kind="unigram"),
}


def library_tokenizer(kind: str) -> Tokenizer:
    """Make a tokenizer of the library; the caller's own, to set truncation on."""
    spec = KINDS[kind]
    if spec.kind == "byte-level":
        return byte_level(SIZE, spec)
    return unigram(SIZE) if spec.kind == "unigram" else word_piece(vocabulary(SIZE), spec)


@cache
def text_tokenizer(kind: str) -> TextTokenizer:
    """Make earmark's tokenizer of the same kind, once."""
    return TextTokenizer.of(library_tokenizer(kind))
