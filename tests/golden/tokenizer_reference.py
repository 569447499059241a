"""Asks the tokenizers of `transformers` themselves."""

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ["HF_HUB_OFFLINE"] = "1"  # before the import that reads it: nothing asks the network

import transformers
from golden.case import Text
from golden.tokenizer_answers import TokenizerGolden, Tokens, backend_sha256, keep
from golden.tokenizer_cases import TokenizerCase, write_case
from sentencepiece import SentencePieceProcessor

PACKAGES = ("transformers", "tokenizers", "sentencepiece")

transformers.utils.logging.set_verbosity_error()


def ask_tokenizer(case: TokenizerCase) -> TokenizerGolden:
    """Write the case's files, load them as users do, and encode every text."""
    with TemporaryDirectory() as name:
        folder = write_case(Path(name), case)
        if case.answerer == "sentencepiece":
            return _ask_sentencepiece(case, folder)
        fast = case.answerer == "fast"
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, use_fast=fast)
        assert tokenizer.is_fast == fast
        written = tokenizer.backend_tokenizer.to_str() if fast else None
        return keep(
            _answers(case, tokenizer, offsets=fast),
            made_with={package: version(package) for package in PACKAGES},
            folder=folder,
            texts=case.texts,
            vocabulary_size=max(tokenizer.get_vocab().values()) + 1,
            backend=backend_sha256(written) if written else "",
        )


def _answers(
    case: TokenizerCase, tokenizer: transformers.PreTrainedTokenizerBase, *, offsets: bool
) -> Iterator[Tokens]:
    asked: dict[str, object] = {"return_offsets_mapping": offsets}
    if case.asks_types:
        asked["return_token_type_ids"] = True
    if case.max_tokens is not None:
        asked |= {"truncation": True, "max_length": case.max_tokens}
    for text in case.texts:
        # A list of one: a pair by itself loses an empty second half.
        halves = ([text],) if isinstance(text, str) else ([text[0]], [text[1]])
        encoded = tokenizer(*halves, **asked)
        places = encoded["offset_mapping"][0] if offsets else ()
        ids = encoded["input_ids"][0]
        # A model that is given no token types takes 0 for all.
        types = encoded["token_type_ids"][0] if "token_type_ids" in encoded else [0] * len(ids)
        yield Tokens(
            tuple(ids),
            tuple(types),
            tuple((start, end) for start, end in places),
        )


def _ask_sentencepiece(case: TokenizerCase, folder: Path) -> TokenizerGolden:
    """Ask for the pieces of each half, and put them between the special pieces of DeBERTa."""
    processor = SentencePieceProcessor(model_file=str(folder / "spm.model"))
    return keep(
        (_closed(processor, text) for text in case.texts),
        made_with={"sentencepiece": version("sentencepiece")},
        folder=folder,
        texts=case.texts,
        vocabulary_size=processor.get_piece_size(),
        backend="",
    )


def _closed(processor: SentencePieceProcessor, text: Text) -> Tokens:
    halves = (text,) if isinstance(text, str) else text
    last = processor.piece_to_id("[SEP]")
    ids, type_ids = [processor.piece_to_id("[CLS]")], [0]
    for number, half in enumerate(halves):
        pieces = [*processor.encode(half), last]
        ids += pieces
        type_ids += [number] * len(pieces)
    return Tokens(tuple(ids), tuple(type_ids), ())
