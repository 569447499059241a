"""The tokenizer files of a tiny checkpoint."""

import json
from pathlib import Path

from support.checkpoint_spec import ROBERTA_KIN, Architecture, CheckpointSpec, TokenizerSpec
from support.subword_tokenizers import SENTENCE_TOKENS, byte_level, unigram
from support.vocabulary import SPECIAL_TOKENS, vocabulary
from tokenizers import Tokenizer
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

WORDPIECE_CLASSES: dict[Architecture, str] = {
    "bert": "BertTokenizer",
    "distilbert": "DistilBertTokenizer",
    "electra": "ElectraTokenizer",
    "albert": "BertTokenizer",
    "deberta": "BertTokenizer",
    "deberta-v2": "BertTokenizer",
}
"""Tokenizers of `transformers` that cut as BERT's does."""

TYPELESS: tuple[Architecture, ...] = ("distilbert", "mpnet", "modernbert", "bart", *ROBERTA_KIN)
"""Their tokenizers hand no token types on: RoBERTa has a single one, the others take none."""

BAKED_LENGTH = 12
"""What `tokenizer.json` may ask texts to be padded and cut to; far from any model's maximum."""


def write_tokenizer(folder: Path, spec: CheckpointSpec) -> None:
    """Write the files that the spec names into an existing folder."""
    _write_config(folder / "tokenizer_config.json", spec)
    if spec.tokenizer.kind != "wordpiece":
        bytes_only = spec.tokenizer.kind == "byte-level"
        size, pad = spec.vocab_size, spec.pad_id
        made = byte_level(size, spec.tokenizer, pad) if bytes_only else unigram(size, pad)
        made.save(str(folder / "tokenizer.json"))
        return
    tokens = vocabulary(spec.vocab_size)
    if spec.tokenizer.files == "vocab.txt":
        lines = "".join(f"{token}\n" for token in tokens)
        (folder / "vocab.txt").write_text(lines, encoding="utf-8", newline="\n")
        return
    tokenizer = word_piece(tokens, spec.tokenizer)
    if spec.tokenizer.files != "tokenizer.json":
        tokenizer.enable_padding(length=BAKED_LENGTH)
        tokenizer.enable_truncation(BAKED_LENGTH)
    tokenizer.save(str(folder / "tokenizer.json"))


def _write_config(path: Path, spec: CheckpointSpec) -> None:
    usual = spec.tokenizer.kind == "wordpiece"
    fields = _wordpiece_settings(spec) if usual else _sentence_settings(spec)
    if spec.tokenizer.model_max_length is not None:
        fields["model_max_length"] = spec.tokenizer.model_max_length
    path.write_text(json.dumps(fields, indent=2), encoding="utf-8")


def _wordpiece_settings(spec: CheckpointSpec) -> dict[str, object]:
    fields: dict[str, object] = {
        "tokenizer_class": WORDPIECE_CLASSES.get(spec.architecture, "PreTrainedTokenizerFast"),
        "strip_accents": spec.tokenizer.strip_accents,
        "tokenize_chinese_chars": spec.tokenizer.chinese_chars,
    }
    if spec.tokenizer.lower_case is not None:
        fields["do_lower_case"] = spec.tokenizer.lower_case
    return fields


def _sentence_settings(spec: CheckpointSpec) -> dict[str, object]:
    fields: dict[str, object] = {"tokenizer_class": "PreTrainedTokenizerFast", **SENTENCE_TOKENS}
    if spec.architecture in TYPELESS:
        fields["model_input_names"] = ["input_ids", "attention_mask"]
    return fields


def word_piece(tokens: tuple[str, ...], spec: TokenizerSpec) -> Tokenizer:
    """Make BERT's kind: letters of a word's middle are marked.

    Args:
        tokens: the vocabulary, index = id.
        spec: case, accents and Chinese characters.
    """
    vocab = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(WordPiece(vocab, unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.normalizer = BertNormalizer(
        clean_text=True,
        handle_chinese_chars=spec.chinese_chars,
        strip_accents=spec.strip_accents,
        lowercase=spec.lower_case is not False,
    )
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.decoder = WordPieceDecoder(prefix="##")
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocab["[CLS]"]), ("[SEP]", vocab["[SEP]"])],
    )
    return tokenizer
