"""Asks the tokenizers of `transformers` themselves."""

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ["HF_HUB_OFFLINE"] = "1"  # before the import that reads it: nothing asks the network

import transformers
from golden.tokenizer_answers import TokenizerGolden, Tokens, backend_sha256, keep
from golden.tokenizer_cases import TokenizerCase, write_case
from golden.tokenizer_texts import HOSTILE

__all__ = ["ask_tokenizer"]

PACKAGES = ("transformers", "tokenizers", "sentencepiece")

transformers.utils.logging.set_verbosity_error()


def ask_tokenizer(case: TokenizerCase) -> TokenizerGolden:
    """Write the case's files, load them as users do, and encode every text."""
    with TemporaryDirectory() as name:
        folder = write_case(Path(name), case)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        return keep(
            _answers(case, tokenizer),
            made_with={package: version(package) for package in PACKAGES},
            folder=folder,
            vocabulary_size=max(tokenizer.get_vocab().values()) + 1,
            backend=backend_sha256(tokenizer.backend_tokenizer.to_str()),
        )


def _answers(
    case: TokenizerCase, tokenizer: transformers.PreTrainedTokenizerBase
) -> Iterator[Tokens]:
    more: dict[str, object] = {"return_token_type_ids": True} if case.asks_types else {}
    if case.max_tokens is not None:
        more |= {"truncation": True, "max_length": case.max_tokens}
    for text in HOSTILE:
        # A list of one: a pair by itself loses an empty second half.
        halves = ([text],) if isinstance(text, str) else ([text[0]], [text[1]])
        encoded = tokenizer(*halves, return_offsets_mapping=True, **more)
        offsets = encoded["offset_mapping"][0]
        ids = encoded["input_ids"][0]
        # A model that is given no token types takes 0 for all.
        types = encoded["token_type_ids"][0] if "token_type_ids" in encoded else [0] * len(ids)
        yield Tokens(
            tuple(ids),
            tuple(types),
            tuple((start, end) for start, end in offsets),
        )
