"""Every form that a checkpoint's tokenizer files take, made of a few small vocabularies."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from golden.case import Release
from support.checkpoint_spec import TokenizerSpec
from support.checkpoint_tokenizer import word_piece
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import RobertaProcessing

from earmark.tokenizing.sentencepiece_model import model_message

__all__ = ["TOKENIZER_CASES", "TRAINED", "TokenizerCase", "write_case"]

TRAINED = Path(__file__).parent / "tokenizers" / "trained"
"""What `golden.train_tokenizers` has trained."""

DEBERTA_OWN = ("[PAD]", "[CLS]", "[SEP]", "[UNK]")
ALBERT_OWN = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
NORMAL, UNKNOWN, CONTROL, USER_DEFINED = 1, 2, 3, 4
"""Types of a SentencePiece piece."""

FAIRSEQ_TO_BERT = {"<s>": "[CLS]", "<pad>": "[PAD]", "</s>": "[SEP]", "<unk>": "[UNK]"}
BERT_TO_FAIRSEQ = {"[CLS]": "<s>", "[PAD]": "<pad>", "[SEP]": "</s>", "[MASK]": "<mask>"}
SPACED_MASK = {
    "content": "<mask>",
    "lstrip": True,
    "normalized": False,
    "rstrip": False,
    "single_word": False,
}
BAKED_LENGTH = 12
"""What `tokenizer.json` may ask texts to be padded and cut to."""
PLAIN = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False}


@dataclass(frozen=True, slots=True)
class TokenizerCase:
    """A checkpoint's tokenizer files.

    Attributes:
        name: of the case, and of its golden file.
        model_type: as `config.json` states it.
        vocabulary: writes the vocabulary's files into a folder.
        files: other JSON files, by name.
        max_tokens: what texts are cut to; None leaves them whole.
        release: which release of `transformers` is asked.
        asks_types: ask for token types by name, where the class of 5 leaves out what that of 4
            makes.
    """

    name: str
    model_type: str
    vocabulary: Callable[[Path], None]
    files: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    max_tokens: int | None = None
    release: Release = "5"
    asks_types: bool = False


def write_case(folder: Path, case: TokenizerCase) -> Path:
    """Write a case's files into an existing folder; return it."""
    case.vocabulary(folder)
    files = {"config.json": {"model_type": case.model_type}, **case.files}
    for name, fields in files.items():
        (folder / name).write_text(json.dumps(fields), encoding="utf-8")
    return folder


def word_pieces(folder: Path) -> None:
    """Write `vocab.txt` as trained."""
    _copy(folder, "vocab.txt")


def fairseq_word_pieces(folder: Path) -> None:
    """Write `vocab.txt` with MPNet's names of special tokens."""
    text = (TRAINED / "vocab.txt").read_text(encoding="utf-8")
    for old, new in BERT_TO_FAIRSEQ.items():
        text = text.replace(f"{old}\n", f"{new}\n")
    (folder / "vocab.txt").write_text(text, encoding="utf-8", newline="\n")


def byte_pairs(folder: Path) -> None:
    """Write `vocab.json` and `merges.txt` as trained; the mask is the last id."""
    _byte_pairs(folder, {}, "<mask>")


def bert_byte_pairs(folder: Path) -> None:
    """Write the same with DeBERTa's names of special tokens."""
    _byte_pairs(folder, FAIRSEQ_TO_BERT, "[MASK]")


def _byte_pairs(folder: Path, names: Mapping[str, str], mask: str) -> None:
    vocabulary: dict[str, int] = json.loads((TRAINED / "vocab.json").read_text(encoding="utf-8"))
    renamed = {names.get(token, token): index for token, index in vocabulary.items()}
    renamed[mask] = len(renamed)
    (folder / "vocab.json").write_text(json.dumps(renamed), encoding="utf-8")
    _copy(folder, "merges.txt")


def fairseq_pieces(folder: Path) -> None:
    """Write `sentencepiece.bpe.model` as trained: <unk>, <s>, </s>, then the pieces."""
    (folder / "sentencepiece.bpe.model").write_bytes((TRAINED / "unigram.model").read_bytes())


def deberta_pieces(folder: Path) -> None:
    """Write `spm.model` with the special pieces of DeBERTa-v3; the mask is added elsewhere."""
    _pieces(folder / "spm.model", DEBERTA_OWN, "[UNK]")


def albert_pieces(folder: Path) -> None:
    """Write `spiece.model` with the special pieces of ALBERT, one of them defined by users."""
    _pieces(folder / "spiece.model", ALBERT_OWN, "<unk>", user_defined=("(", "new_word"))


def padded_byte_pairs_json(folder: Path) -> None:
    """Write `tokenizer.json` with padding and truncation of its own, beside other old files."""
    tokenizer = _byte_pairs_tokenizer(folder)
    tokenizer.enable_padding(length=BAKED_LENGTH, pad_id=1, pad_token="<pad>")  # noqa: S106 - no password
    tokenizer.enable_truncation(BAKED_LENGTH)
    tokenizer.save(str(folder / "tokenizer.json"))


def byte_pairs_json(folder: Path) -> None:
    """Write the same without."""
    _byte_pairs_tokenizer(folder).save(str(folder / "tokenizer.json"))


def _byte_pairs_tokenizer(folder: Path) -> Tokenizer:
    """Make RoBERTa's tokenizer with a space before every text, untrimmed."""
    byte_pairs(folder)
    files = [folder / "vocab.json", folder / "merges.txt"]
    tokenizer = Tokenizer(BPE(*BPE.read_file(*map(str, files))))
    for file in files:
        file.unlink()
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=True)
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer.post_processor = RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=False, add_prefix_space=True
    )
    return tokenizer


def word_pieces_json(folder: Path) -> None:
    """Write `tokenizer.json` of BERT, cased."""
    tokens = (TRAINED / "vocab.txt").read_text(encoding="utf-8").splitlines()
    spec = TokenizerSpec(lower_case=False)
    word_piece(tuple(tokens), spec).save(str(folder / "tokenizer.json"))


def _pieces(
    path: Path, own: tuple[str, ...], unknown: str, user_defined: tuple[str, ...] = ()
) -> None:
    """Put other special pieces before the trained ones."""
    model = model_message().FromString((TRAINED / "unigram.model").read_bytes())
    normal = [(one.piece, one.score) for one in model.pieces if one.type == NORMAL]
    del model.pieces[:]
    for text in own:
        model.pieces.add(piece=text, score=0.0, type=UNKNOWN if text == unknown else CONTROL)
    for text in user_defined:
        model.pieces.add(piece=text, score=0.0, type=USER_DEFINED)
    for text, score in normal:
        if text not in user_defined:
            model.pieces.add(piece=text, score=score)
    model.trainer_spec.unk_id = own.index(unknown)
    path.write_bytes(model.SerializeToString())


def _copy(folder: Path, name: str) -> None:
    (folder / name).write_bytes((TRAINED / name).read_bytes())


def _config(**fields: object) -> Mapping[str, Mapping[str, object]]:
    return {"tokenizer_config.json": fields}


TOKENIZER_CASES: tuple[TokenizerCase, ...] = (
    TokenizerCase("bert", "bert", word_pieces),
    TokenizerCase(
        "bert-cased",
        "electra",
        word_pieces,
        _config(
            tokenizer_class="ElectraTokenizer",
            do_lower_case=False,
            strip_accents=True,
            tokenize_chinese_chars=False,
        ),
    ),
    TokenizerCase(
        "bert-added-decoder",
        "bert",
        word_pieces,
        _config(
            tokenizer_class="BertTokenizer",
            added_tokens_decoder={
                "700": {"content": "covid19", **PLAIN, "normalized": True, "special": False},
                "701": {"content": "[ENT]", **PLAIN, "special": True},
                "702": {"content": "<ent>", **PLAIN, "lstrip": True, "rstrip": True},
                "703": {"content": "new_word", **PLAIN, "single_word": True},
            },
            additional_special_tokens=["[ENT]", "[ABC]"],
        ),
    ),
    TokenizerCase(
        "bert-added-older",
        "distilbert",
        word_pieces,
        {
            **_config(
                tokenizer_class="DistilBertTokenizer",
                additional_special_tokens=["[ABC]", "covid19"],
            ),
            "added_tokens.json": {"new_word": 701, "covid19": 700, "[ENT]": 702},
            "special_tokens_map.json": {
                "additional_special_tokens": ["[ENT]", {"content": "<ent>", **PLAIN}, "covid19"],
                "mask_token": {**SPACED_MASK, "content": "[MASK]"},
            },
        },
        release="4",
    ),
    TokenizerCase("mpnet", "mpnet", fairseq_word_pieces, _config(tokenizer_class="MPNetTokenizer")),
    TokenizerCase("roberta", "roberta", byte_pairs),
    TokenizerCase(
        "roberta-spaces",
        "roberta",
        byte_pairs,
        _config(
            tokenizer_class="RobertaTokenizer",
            add_prefix_space=True,
            mask_token={"__type": "AddedToken", "content": "<mask>", "lstrip": True},
            extra_special_tokens={"own_token": "covid19"},
        ),
    ),
    TokenizerCase(
        "roberta-untrimmed",
        "roberta",
        byte_pairs,
        _config(tokenizer_class="RobertaTokenizerFast", trim_offsets=False),
    ),
    TokenizerCase(
        "roberta-cut-left",
        "roberta",
        byte_pairs,
        _config(truncation_side="left", model_max_length=10**30),
        max_tokens=13,
    ),
    TokenizerCase(
        "bart",
        "bart",
        byte_pairs,
        {
            **_config(tokenizer_class="BartTokenizer"),
            "special_tokens_map.json": {"bos_token": "<s>", "mask_token": SPACED_MASK},
        },
    ),
    TokenizerCase("deberta", "deberta", bert_byte_pairs),
    TokenizerCase(
        "json-as-it-is",
        "roberta",
        padded_byte_pairs_json,
        _config(tokenizer_class="PreTrainedTokenizerFast", add_prefix_space=False),
    ),
    TokenizerCase(
        "json-roberta-settings",
        "roberta",
        byte_pairs_json,
        _config(tokenizer_class="RobertaTokenizer", add_prefix_space=False, trim_offsets=True),
    ),
    TokenizerCase("json-bert-settings", "bert", word_pieces_json, _config(strip_accents=False)),
    TokenizerCase(
        "json-bert-as-it-is",
        "bert",
        word_pieces_json,
        _config(tokenizer_class="PreTrainedTokenizerFast", do_lower_case=True),
        asks_types=True,
    ),
    TokenizerCase(
        "json-bert-tokens",
        "bert",
        word_pieces_json,
        _config(
            tokenizer_class="BertTokenizer",
            added_tokens_decoder={
                "3": {"content": "[SEP]", **PLAIN, "special": True, "rstrip": True},
                "701": {"content": "[ENT]", **PLAIN, "special": True},
                "702": {"content": "new_word", **PLAIN, "single_word": True},
            },
            additional_special_tokens=["[ENT]", "covid19"],
        ),
        release="4",
    ),
    TokenizerCase(
        "json-bert-split-special",
        "bert",
        word_pieces_json,
        _config(split_special_tokens=True, additional_special_tokens=["covid19"]),
        release="4",
    ),
    TokenizerCase(
        "json-electra-older-tokens",
        "electra",
        word_pieces_json,
        {
            **_config(do_lower_case=False, additional_special_tokens=["covid19"]),
            "added_tokens.json": {"new_word": 701, "[ENT]": 702},
            "special_tokens_map.json": {"additional_special_tokens": ["[ENT]"]},
        },
        release="4",
    ),
    TokenizerCase(
        "json-distilbert",
        "distilbert",
        word_pieces_json,
        _config(do_lower_case=False, strip_accents=True),
        release="4",
    ),
    TokenizerCase(
        "json-bert-names",
        "bert",
        word_pieces_json,
        _config(
            tokenizer_class="PreTrainedTokenizerFast",
            model_input_names=["input_ids", "attention_mask"],
            additional_special_tokens=["covid19"],
        ),
    ),
    TokenizerCase("xlm-roberta", "xlm-roberta", fairseq_pieces),
    TokenizerCase(
        "xlm-roberta-added",
        "xlm-roberta",
        fairseq_pieces,
        {
            **_config(
                tokenizer_class="XLMRobertaTokenizer",
                model_max_length=512,
                additional_special_tokens=["<ent>"],
            ),
            "added_tokens.json": {"covid19": 463, "<ent>": 462},
            "special_tokens_map.json": {"mask_token": SPACED_MASK},
        },
    ),
    TokenizerCase("camembert", "camembert", fairseq_pieces),
    TokenizerCase(
        "camembert-decoder",
        "camembert",
        fairseq_pieces,
        _config(
            tokenizer_class="CamembertTokenizer",
            add_prefix_space=False,
            added_tokens_decoder={
                "0": {"content": "<s>NOTUSED", **PLAIN, "special": True},
                "1": {"content": "<pad>", **PLAIN, "special": True},
                "5": {"content": "<s>", **PLAIN, "special": True},
                "6": {"content": "</s>", **PLAIN, "special": True},
                "464": {**SPACED_MASK, "special": True},
            },
            mask_token="<mask>",  # noqa: S106 - no password
        ),
    ),
    TokenizerCase(
        "deberta-v2",
        "deberta-v2",
        deberta_pieces,
        _config(do_lower_case=False, vocab_type="spm"),
    ),
    TokenizerCase(
        "deberta-v2-lower-punct",
        "deberta-v2",
        deberta_pieces,
        {
            **_config(
                tokenizer_class="DebertaV2Tokenizer", do_lower_case=True, split_by_punct=True
            ),
            "added_tokens.json": {"[MASK]": 461},
        },
    ),
    TokenizerCase("albert", "albert", albert_pieces, asks_types=True),
    TokenizerCase(
        "albert-cased-accents",
        "albert",
        albert_pieces,
        _config(tokenizer_class="AlbertTokenizer", do_lower_case=False, keep_accents=True),
        asks_types=True,
    ),
)
