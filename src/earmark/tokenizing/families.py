"""Which tokenizer a checkpoint has, where it brings no `tokenizer.json`.

A checkpoint names the class that `transformers` would take (`tokenizer_class`), or only its
`model_type`. Everything that differs between the classes stands in `FAMILIES`: the files, the
special tokens, how texts and pairs are closed. Follows `transformers` 5.24.0,
models/auto/tokenization_auto.py and models/*/tokenization_*.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tokenizers import AddedToken, Tokenizer
from tokenizers.processors import PostProcessor, TemplateProcessing

from earmark.checkpoint.config import read_json
from earmark.checkpoint.repository import Repository
from earmark.errors import InvalidCheckpoint
from earmark.tokenizing.byte_level import byte_level
from earmark.tokenizing.legacy_files import word_piece
from earmark.tokenizing.library import complaints_about
from earmark.tokenizing.sentencepiece_families import albert, camembert, deberta_v2, xlm_roberta
from earmark.tokenizing.settled import roberta_processing
from earmark.tokenizing.stated import StatedTokenizer, Token

__all__ = ["FAMILIES", "OF_MODEL_TYPE", "Family", "family_of", "has_settings"]

Closing = Literal["typed", "doubled", "trimmed"]
"""How special tokens stand: ``typed``: [CLS] a [SEP] b [SEP], b of type 1; ``doubled``:
<s> a </s> </s> b </s>, all of type 0; ``trimmed``: the same, and a word's space is left out of
its offsets."""

BERT_TOKENS: Mapping[str, Token] = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
DEBERTA_TOKENS = {**BERT_TOKENS, "bos_token": "[CLS]", "eos_token": "[SEP]"}
FAIRSEQ_TOKENS: Mapping[str, Token] = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "cls_token": "<s>",
    "unk_token": "<unk>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}
SPACED_MASK = AddedToken("<mask>", lstrip=True, special=True)
"""The mask of some families takes the space before it along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A class of tokenizers.

    Attributes:
        files: what it is built from, all of them needed.
        tokens: special tokens where the checkpoint's files name none.
        build: makes the tokenizer, all but its post-processor, from the files.
        opening: role of the token before a text.
        closing_token: role of the token after it.
        closing: how texts and pairs are put together.
    """

    files: tuple[str, ...]
    tokens: Mapping[str, Token]
    build: Callable[[Sequence[Path], StatedTokenizer], Tokenizer]
    opening: str = "cls_token"
    closing_token: str = "sep_token"  # noqa: S105 - no password
    closing: Closing

    def load(self, paths: Sequence[Path], stated: StatedTokenizer) -> Tokenizer:
        """Build the tokenizer.

        Args:
            paths: where `files` are.
            stated: what the checkpoint's JSON files say.

        Raises:
            InvalidCheckpoint: a file does not hold what it should.
        """
        known = stated.with_usual(self.tokens)
        tokenizer = self.build(paths, known)
        tokenizer.post_processor = self._processor(tokenizer, known, paths[0])
        return tokenizer

    def _processor(
        self, tokenizer: Tokenizer, stated: StatedTokenizer, path: Path
    ) -> PostProcessor:
        ends = []
        for role in (self.opening, self.closing_token):
            text = stated.text_of(role) or ""
            index = tokenizer.token_to_id(text)
            if index is None:
                raise InvalidCheckpoint(f"{path} has no token for {role}")
            ends.append((text, index))
        (first, _), (last, _) = ends
        if self.closing == "trimmed":
            return roberta_processing(ends[1], ends[0], stated)
        if self.closing == "typed":
            single = [f"{first}:0", "$A:0", f"{last}:0"]
            pair = [*single, "$B:1", f"{last}:1"]
        else:
            single = [first, "$A", last]
            pair = [*single, last, "$B", last]
        with complaints_about(path, expected=f"a vocabulary with the special tokens {ends}"):
            return TemplateProcessing(
                single=single, pair=pair, special_tokens=list(dict.fromkeys(ends))
            )


FAMILIES: Mapping[str, Family] = {
    "BertTokenizer": Family(
        files=("vocab.txt",), tokens=BERT_TOKENS, build=word_piece, closing="typed"
    ),
    "MPNetTokenizer": Family(
        files=("vocab.txt",),
        tokens={**FAIRSEQ_TOKENS, "unk_token": "[UNK]", "mask_token": SPACED_MASK},
        build=word_piece,
        closing="trimmed",
    ),
    "RobertaTokenizer": Family(
        files=("vocab.json", "merges.txt"),
        tokens={**FAIRSEQ_TOKENS, "mask_token": SPACED_MASK},
        build=byte_level,
        closing="trimmed",
    ),
    "DebertaTokenizer": Family(
        files=("vocab.json", "merges.txt"),
        tokens={**DEBERTA_TOKENS, "mask_token": AddedToken("[MASK]", lstrip=True, special=True)},
        build=byte_level,
        closing="typed",
    ),
    "XLMRobertaTokenizer": Family(
        files=("sentencepiece.bpe.model",),
        tokens=FAIRSEQ_TOKENS,
        build=xlm_roberta,
        opening="bos_token",
        closing_token="eos_token",  # noqa: S106 - no password
        closing="doubled",
    ),
    "CamembertTokenizer": Family(
        files=("sentencepiece.bpe.model",),
        tokens={**FAIRSEQ_TOKENS, "mask_token": SPACED_MASK},
        build=camembert,
        opening="bos_token",
        closing_token="eos_token",  # noqa: S106 - no password
        closing="doubled",
    ),
    "DebertaV2Tokenizer": Family(
        files=("spm.model",), tokens=DEBERTA_TOKENS, build=deberta_v2, closing="typed"
    ),
    "AlbertTokenizer": Family(
        files=("spiece.model",),
        tokens={**DEBERTA_TOKENS, "unk_token": "<unk>", "pad_token": "<pad>"},
        build=albert,
        closing="typed",
    ),
}

SAME_CLASS = {
    "DistilBertTokenizer": "BertTokenizer",
    "ElectraTokenizer": "BertTokenizer",
    "BartTokenizer": "RobertaTokenizer",
    "LongformerTokenizer": "RobertaTokenizer",
}

OF_MODEL_TYPE = {
    "bert": "BertTokenizer",
    "distilbert": "BertTokenizer",
    "electra": "BertTokenizer",
    "mpnet": "MPNetTokenizer",
    "roberta": "RobertaTokenizer",
    "bart": "RobertaTokenizer",
    "deberta": "DebertaTokenizer",
    "xlm-roberta": "XLMRobertaTokenizer",
    "camembert": "CamembertTokenizer",
    "deberta-v2": "DebertaV2Tokenizer",
    "albert": "AlbertTokenizer",
}


def family_of(repository: Repository, stated: StatedTokenizer) -> Family:
    """Choose the family: by the class that is named, else by the model, else by the files.

    Raises:
        CheckpointNotFound: nothing is named, and no file that a family begins with is there.
        InvalidCheckpoint: `config.json` is not what it should be.
    """
    config = _config(repository)
    for fields in (stated.fields, config):
        name = _class_of(fields)
        if name in FAMILIES:
            return FAMILIES[name]
    by_model = OF_MODEL_TYPE.get(str(config.get("model_type")))
    if by_model is not None:
        return FAMILIES[by_model]
    # Of families that share a file, the first in the table is the usual one.
    usual = {family.files[0]: family for family in reversed([*FAMILIES.values()])}
    files = dict.fromkeys(family.files[0] for family in FAMILIES.values())
    return usual[repository.require("tokenizer.json", *files).name]


def has_settings(repository: Repository, stated: StatedTokenizer) -> bool:
    """Say whether a `tokenizer.json` is of a class whose settings have the last word.

    Without settings is a class that takes the file as it is (`PreTrainedTokenizerFast`), and one
    that is not known.

    Raises:
        InvalidCheckpoint: `config.json` is not what it should be.
    """
    config = _config(repository)
    named = _class_of(stated.fields) or _class_of(config)
    return named in FAMILIES if named else str(config.get("model_type")) in OF_MODEL_TYPE


def _config(repository: Repository) -> Mapping[str, object]:
    path = repository.find("config.json")
    return {} if path is None else read_json(path)


def _class_of(fields: Mapping[str, object]) -> str:
    name = str(fields.get("tokenizer_class") or "").removesuffix("Fast")
    return SAME_CLASS.get(name, name)
