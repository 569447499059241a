"""Which tokenizer a checkpoint has, where it brings no `tokenizer.json`.

A checkpoint names the class that `transformers` would take (`tokenizer_class`), or only its
`model_type`. Everything that differs between the classes stands in `FAMILIES`: the files, the
special tokens, how texts and pairs are closed. Follows models/*/tokenization_*.py of `transformers`
5.24.0, and of 4.57.1 where that agrees with how the models were trained.
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

__all__ = ["FAMILIES", "Family", "family_beside", "family_of"]

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
        kin: whose settings count beside a `tokenizer.json`; None where the file has the last word.
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
            stated: what the checkpoint's JSON files say.

        Raises:
            InvalidCheckpoint: a file does not hold what it should.
        """
        known = stated.with_usual(self.tokens)
        tokenizer = self.build(paths, known)
        tokenizer.post_processor = self._processor(tokenizer, known, paths[0])
        return tokenizer

    def close(self, tokenizer: Tokenizer, stated: StatedTokenizer, path: Path) -> None:
        """Close texts as the family does, where a `tokenizer.json` does it in no way or wrongly.

        Wrong are the two separators between DeBERTa's pairs that `transformers` 5.24.0 writes. A
        file whose vocabulary lacks the family's special tokens stays as it is.

        Args:
            tokenizer: as the file holds it.
            stated: what the checkpoint's JSON files say, with the family's usual tokens.
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
    """Choose the family: by the class that is named, else by the model, else by the files.

    Raises:
        CheckpointNotFound: the class is `tokenizer.json`'s, or nothing is named, and no file that
            a family begins with is there.
        InvalidCheckpoint: a file is not what it should be.
        UnsupportedCheckpoint: the class is none of these.
    """
    kind = class_of(repository, stated)
    if kind is None:
        # Of families that share a file, the first in the table is the usual one.
        usual = {family.files[0]: family for family in reversed([*FAMILIES.values()])}
        files = dict.fromkeys(family.files[0] for family in FAMILIES.values())
        return usual[repository.require("tokenizer.json", *files).name]
    if kind.without_class:
        repository.require("tokenizer.json")
    if kind.own_code or kind.same_as not in FAMILIES:
        raise _not_built(repository, kind)
    return FAMILIES[kind.same_as]


def family_beside(kind: TokenizerClass | None) -> Family | None:
    """Find the family whose settings count beside a `tokenizer.json`.

    None is for a class that takes the file as it is (`PreTrainedTokenizerFast`), and for one that
    is not known.
    """
    return None if kind is None else FAMILIES.get(kind.same_as)


def _not_built(repository: Repository, kind: TokenizerClass) -> UnsupportedCheckpoint:
    """Say which class it is, and what would make the checkpoint run."""
    what = "which is code beside the checkpoint" if kind.own_code else "another class"
    return UnsupportedCheckpoint(
        f"{repository.source} has no tokenizer.json, and {kind.reason}, {what}: from older files "
        f"earmark builds {', '.join(FAMILIES)} and classes alike. Add the tokenizer.json of this "
        "class, which transformers writes with save_pretrained where it has a fast tokenizer for "
        "it; read by another class, the files would give tokens that the model was not trained with"
    )
