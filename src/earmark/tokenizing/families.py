"""Families of tokenizers: how to build the tokenizer of a checkpoint without `tokenizer.json`.

A checkpoint names the class that `transformers` would use (`tokenizer_class`), or only its
`model_type`. `FAMILIES` has all differences between the classes: the files, the special tokens, and
how special tokens are put around texts and pairs. Follows models/*/tokenization_*.py of
`transformers` 5.24.0, and of 4.57.1 where that agrees with how the models were trained.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tokenizers import AddedToken, Tokenizer
from tokenizers.processors import PostProcessor, TemplateProcessing

from earmark.checkpoint.files.repository import Repository
from earmark.errors import InvalidCheckpoint, UnsupportedCheckpoint
from earmark.tokenizing.byte_level import byte_level
from earmark.tokenizing.classes import TokenizerClass, class_of
from earmark.tokenizing.legacy_files import word_piece
from earmark.tokenizing.library import complaints_about
from earmark.tokenizing.sentencepiece_families import albert, camembert, deberta_v2, xlm_roberta
from earmark.tokenizing.settled import Kin, parts_twice, roberta_processing
from earmark.tokenizing.stated import StatedTokenizer, Token

Closing = Literal["typed", "doubled", "trimmed"]
"""Order of special tokens: ``typed``: [CLS] a [SEP] b [SEP], b of type 1; ``doubled``:
<s> a </s> </s> b </s>, all of type 0; ``trimmed``: as ``doubled``, but a word's offsets exclude its
space."""

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
"""The mask token of families in which it includes the space before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A class of tokenizers.

    Attributes:
        files: the files that it is built from; all are needed.
        tokens: special tokens if the checkpoint's files name none.
        build: builds the tokenizer, without its post-processor, from the files.
        opening: role of the token before a text.
        closing_token: role of the token after it.
        closing: order of special tokens around texts and pairs.
        kin: the family whose settings override a `tokenizer.json`; None if they never do.
    """

    files: tuple[str, ...]
    tokens: Mapping[str, Token]
    build: Callable[[Sequence[Path], StatedTokenizer], Tokenizer]
    opening: str = "cls_token"
    closing_token: str = "sep_token"  # noqa: S105 - no password
    closing: Closing
    kin: Kin | None = None

    def load(self, paths: Sequence[Path], stated: StatedTokenizer) -> Tokenizer:
        """Build the tokenizer.

        Args:
            paths: where `files` are.
            stated: the settings in the checkpoint's JSON files.

        Raises:
            InvalidCheckpoint: a file does not hold what it should.
        """
        known = stated.with_usual(self.tokens)
        tokenizer = self.build(paths, known)
        tokenizer.post_processor = self._processor(tokenizer, known, paths[0])
        return tokenizer

    def close(self, tokenizer: Tokenizer, stated: StatedTokenizer, path: Path) -> None:
        """Set the family's post-processor if that of a `tokenizer.json` is missing or wrong.

        The wrong one is that of `transformers` 5.24.0 for DeBERTa, which puts two separators
        between the texts of a pair. A file whose vocabulary lacks the family's special tokens stays
        as it is.

        Args:
            tokenizer: the tokenizer of the file.
            stated: the settings in the JSON files, with the family's usual tokens.
            path: the file.
        """
        processor = tokenizer.post_processor
        closes = processor is not None and processor.num_special_tokens_to_add(is_pair=False) > 0
        if closes and not (self.kin == "deberta" and parts_twice(processor)):
            return
        roles = (self.opening, self.closing_token)
        if all(tokenizer.token_to_id(stated.text_of(role) or "") is not None for role in roles):
            tokenizer.post_processor = self._processor(tokenizer, stated, path)

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
        files=("vocab.txt",), tokens=BERT_TOKENS, build=word_piece, closing="typed", kin="bert"
    ),
    "MPNetTokenizer": Family(
        files=("vocab.txt",),
        tokens={**FAIRSEQ_TOKENS, "unk_token": "[UNK]", "mask_token": SPACED_MASK},
        build=word_piece,
        closing="trimmed",
        kin="bert",
    ),
    "RobertaTokenizer": Family(
        files=("vocab.json", "merges.txt"),
        tokens={**FAIRSEQ_TOKENS, "mask_token": SPACED_MASK},
        build=byte_level,
        closing="trimmed",
        kin="roberta",
    ),
    "DebertaTokenizer": Family(
        files=("vocab.json", "merges.txt"),
        tokens={**DEBERTA_TOKENS, "mask_token": AddedToken("[MASK]", lstrip=True, special=True)},
        build=byte_level,
        closing="typed",
        kin="deberta",
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


def family_of(repository: Repository, stated: StatedTokenizer) -> Family:
    """Choose the family: by the named class, else by the model, else by the files.

    Raises:
        CheckpointNotFound: the named class needs `tokenizer.json`, or nothing is named and the
            first file of every family is missing.
        InvalidCheckpoint: a file is malformed.
        UnsupportedCheckpoint: the class belongs to no family.
    """
    kind = class_of(repository, stated)
    if kind is None:
        # If families share a file, the first in the table is the usual one.
        usual = {family.files[0]: family for family in reversed([*FAMILIES.values()])}
        files = dict.fromkeys(family.files[0] for family in FAMILIES.values())
        return usual[repository.require("tokenizer.json", *files).name]
    if kind.without_class:
        repository.require("tokenizer.json")
    if kind.own_code or kind.same_as not in FAMILIES:
        raise _not_built(repository, kind)
    return FAMILIES[kind.same_as]


def family_beside(kind: TokenizerClass | None) -> Family | None:
    """Return the family whose settings override a `tokenizer.json`.

    None for a class that uses the file as it is (`PreTrainedTokenizerFast`), and for an unknown
    class.
    """
    return None if kind is None else FAMILIES.get(kind.same_as)


def _not_built(repository: Repository, kind: TokenizerClass) -> UnsupportedCheckpoint:
    """Return an error that names the class, and what would make the checkpoint run."""
    what = "which is code beside the checkpoint" if kind.own_code else "another class"
    return UnsupportedCheckpoint(
        f"{repository.source} has no tokenizer.json, and {kind.reason}, {what}: from older files "
        f"earmark builds {', '.join(FAMILIES)} and classes alike. Add the tokenizer.json of this "
        "class, which transformers writes with save_pretrained where it has a fast tokenizer for "
        "it; read by another class, the files would give tokens that the model was not trained with"
    )
