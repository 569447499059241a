"""Byte-level BPE from `vocab.json` and `merges.txt`."""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from earmark.tokenizing.library import complaints_about
from earmark.tokenizing.stated import StatedTokenizer


def byte_level(paths: Sequence[Path], stated: StatedTokenizer) -> Tokenizer:
    """Build RoBERTa's tokenizer, without its post-processor.

    Follows `transformers` 5.24.0, models/roberta/tokenization_roberta.py.

    Args:
        paths: `vocab.json`, ids by token, and `merges.txt`, the pairs to join, in order of rank.
        stated: `add_prefix_space` puts a space before a text's first word.

    Raises:
        InvalidCheckpoint: a file cannot be read, or a merge needs a missing token.
    """
    vocabulary, merges = paths
    with complaints_about(vocabulary, expected=f"a vocabulary with {merges.name}"):
        model = BPE(
            *BPE.read_file(str(vocabulary), str(merges)),
            continuing_subword_prefix="",
            end_of_word_suffix="",
            fuse_unk=False,
        )
    tokenizer = Tokenizer(model)
    prefix = stated.flag("add_prefix_space", default=False)
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=prefix)
    tokenizer.decoder = ByteLevelDecoder()
    stated.add_to(tokenizer)
    return tokenizer
