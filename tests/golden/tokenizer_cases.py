"""Every form that a checkpoint's tokenizer files take, made of a few small vocabularies."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from golden.case import Release, Text
from golden.tokenizer_texts import DECOMPOSED_HANGUL, HOSTILE, TIED, UNUSED_NAMES
from support.checkpoint_spec import TokenizerSpec
from support.checkpoint_tokenizer import word_piece
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import RobertaProcessing

from earmark.tokenizing.sentencepiece_model import model_message

TRAINED = Path(__file__).parent / "tokenizers" / "trained"
"""What `golden.train_tokenizers` has trained."""

DEBERTA_OWN = ("[PAD]", "[CLS]", "[SEP]", "[UNK]")
DEBERTA_ALL = (*DEBERTA_OWN, "[MASK]")
ALBERT_OWN = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
USER_SYMBOLS = ("(", "new_word", "🙂", "-")
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRules:
    """What a SentencePiece model says beside its pieces.

    Attributes:
        trained: the file that its pieces are from.
        all_spaces: whether spaces stay as they are, and none is put before a text.
        bytes_for_unknown: whether an unknown letter is read as its bytes.
        more: further pieces, and their scores.
    """

    trained: str = "unigram.model"
    all_spaces: bool = False
    bytes_for_unknown: bool = False
    more: tuple[tuple[str, float], ...] = ()


USUAL = ModelRules()

Answerer: TypeAlias = Literal["fast", "python", "sentencepiece"]
"""Who is asked: the class of `transformers` that users get; its class in Python, which says nothing
of offsets; or the `sentencepiece` library, which knows no names of special tokens either."""


@dataclass(frozen=True, slots=True)
class TokenizerCase:
    """A checkpoint's tokenizer files.

    Attributes:
        name: of the case, and of its golden file.
        model_type: as `config.json` states it.
        vocabulary: writes the vocabulary's files into a folder.
        files: other JSON files, by name.
        max_tokens: what texts are cut to; None leaves them whole.
        release: which release of `transformers` is asked, or stands beside what is asked.
        answerer: who is asked.
        left_out: texts that the answerer is not asked about.
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
    answerer: Answerer = "fast"
    left_out: tuple[Text, ...] = ()

    @property
    def texts(self) -> tuple[Text, ...]:
        """What is asked."""
        return tuple(text for text in HOSTILE if text not in self.left_out)


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


def pieces_with_symbols(folder: Path) -> None:
    """Write `spm.model` with pieces that users defined."""
    _pieces(folder / "spm.model", DEBERTA_ALL, "[UNK]", USER_SYMBOLS)


def pieces_with_all_spaces(folder: Path) -> None:
    """Write `spm.model` that leaves spaces as they are, and puts none before a text."""
    _pieces(folder / "spm.model", DEBERTA_ALL, "[UNK]", rules=ModelRules(all_spaces=True))


def pieces_with_bytes(folder: Path) -> None:
    """Write `spm.model` that reads an unknown letter as its bytes."""
    _pieces(folder / "spm.model", DEBERTA_ALL, "[UNK]", rules=ModelRules(bytes_for_unknown=True))


def joined_pieces(folder: Path) -> None:
    """Write `spm.model` of BPE, with pieces that users defined."""
    rules = ModelRules(trained="bpe.model")
    _pieces(folder / "spm.model", DEBERTA_ALL, "[UNK]", USER_SYMBOLS, rules)


def deberta_pieces(folder: Path) -> None:
    """Write `spm.model` with the special pieces of DeBERTa-v3; the mask is added elsewhere."""
    _pieces(folder / "spm.model", DEBERTA_OWN, "[UNK]")


def albert_pieces(folder: Path) -> None:
    """Write `spiece.model` with the special pieces of ALBERT, one of them defined by users."""
    _pieces(folder / "spiece.model", ALBERT_OWN, "<unk>", user_defined=("(", "new_word"))


def albert_pieces_with_commas(folder: Path) -> None:
    """Write the same with pieces that end in a digit and a comma, which ALBERT cuts."""
    rules = ModelRules(more=(("0,", -2.0), ("9,", -2.0), ("\u25813,", -2.0), (",5", -6.0)))
    _pieces(folder / "spiece.model", ALBERT_OWN, "<unk>", rules=rules)


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
    path: Path,
    own: tuple[str, ...],
    unknown: str,
    user_defined: tuple[str, ...] = (),
    rules: ModelRules = USUAL,
) -> None:
    """Put other special pieces before the trained ones, and set rules of the model."""
    tabled = model_message().FromString((TRAINED / "unigram.model").read_bytes())
    model = model_message().FromString((TRAINED / rules.trained).read_bytes())
    spec = model.normalizer_spec
    spec.precompiled_charsmap = tabled.normalizer_spec.precompiled_charsmap
    spec.add_dummy_prefix = spec.remove_extra_whitespaces = not rules.all_spaces
    model.trainer_spec.byte_fallback = rules.bytes_for_unknown
    normal = [(one.piece, one.score) for one in model.pieces if one.type == NORMAL]
    normal += rules.more
    del model.pieces[:]
    for text in own:
        model.pieces.add(piece=text, score=0.0, type=UNKNOWN if text == unknown else CONTROL)
    for text in user_defined:
        model.pieces.add(piece=text, score=0.0, type=USER_DEFINED)
    for byte in range(256 if rules.bytes_for_unknown else 0):
        model.pieces.add(piece=f"<0x{byte:02X}>", score=0.0, type=BYTE)
    for text, score in normal:
        if text not in user_defined:
            model.pieces.add(piece=text, score=score)
    model.trainer_spec.unk_id = own.index(unknown)
    path.write_bytes(model.SerializeToString())


def _copy(folder: Path, name: str) -> None:
    (folder / name).write_bytes((TRAINED / name).read_bytes())


def _config(**fields: object) -> Mapping[str, Mapping[str, object]]:
    return {"tokenizer_config.json": fields}


NO_NAMES = _config(split_special_tokens=True)
"""Names of special tokens are text like any other."""


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
    TokenizerCase("roberta", "roberta", byte_pairs, release="4"),
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
        release="4",
    ),
    TokenizerCase(
        "roberta-cut-left",
        "roberta",
        byte_pairs,
        _config(truncation_side="left", model_max_length=10**30),
        max_tokens=13,
        release="4",
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
    TokenizerCase("deberta", "deberta", bert_byte_pairs, release="4"),
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
    TokenizerCase(
        "json-bert-settings",
        "bert",
        word_pieces_json,
        _config(strip_accents=False),
        left_out=(DECOMPOSED_HANGUL,),
    ),
    TokenizerCase(
        "json-bert-as-it-is",
        "bert",
        word_pieces_json,
        _config(tokenizer_class="PreTrainedTokenizerFast", do_lower_case=True),
        left_out=(DECOMPOSED_HANGUL,),
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
            **_config(additional_special_tokens=["covid19"]),
            "added_tokens.json": {"new_word": 701, "[ENT]": 702},
            "special_tokens_map.json": {"additional_special_tokens": ["[ENT]"]},
        },
        release="4",
        left_out=(DECOMPOSED_HANGUL,),
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
            tokenizer_class="BertTokenizer",
            model_input_names=["input_ids", "attention_mask"],
            additional_special_tokens=["covid19"],
        ),
        left_out=(DECOMPOSED_HANGUL,),
    ),
    TokenizerCase(
        "xlm-roberta",
        "xlm-roberta",
        fairseq_pieces,
        release="4",
        answerer="python",
        left_out=(TIED,),
    ),
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
        release="4",
        answerer="python",
        left_out=(TIED,),
    ),
    TokenizerCase(
        "camembert",
        "camembert",
        fairseq_pieces,
        release="4",
        answerer="python",
        left_out=(TIED, UNUSED_NAMES),
    ),
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
        release="4",
        answerer="python",
        left_out=(TIED, UNUSED_NAMES),
    ),
    TokenizerCase(
        "deberta-v2",
        "deberta-v2",
        deberta_pieces,
        _config(do_lower_case=False, vocab_type="spm"),
        release="4",
        answerer="python",
        left_out=(TIED,),
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
        release="4",
        answerer="python",
    ),
    TokenizerCase(
        "albert", "albert", albert_pieces, release="4", answerer="python", left_out=(TIED,)
    ),
    TokenizerCase(
        "albert-cased-accents",
        "albert",
        albert_pieces,
        _config(tokenizer_class="AlbertTokenizer", do_lower_case=False, keep_accents=True),
        release="4",
        answerer="python",
        left_out=(TIED,),
    ),
    TokenizerCase(
        "albert-commas",
        "albert",
        albert_pieces_with_commas,
        release="4",
        answerer="python",
        left_out=(TIED,),
    ),
    TokenizerCase(
        "spm-symbols",
        "deberta-v2",
        pieces_with_symbols,
        NO_NAMES,
        answerer="sentencepiece",
        left_out=(TIED,),
    ),
    TokenizerCase(
        "spm-all-spaces",
        "deberta-v2",
        pieces_with_all_spaces,
        NO_NAMES,
        answerer="sentencepiece",
        left_out=(TIED,),
    ),
    TokenizerCase(
        "spm-bytes",
        "deberta-v2",
        pieces_with_bytes,
        NO_NAMES,
        answerer="sentencepiece",
        left_out=(TIED,),
    ),
    TokenizerCase("spm-joined", "deberta-v2", joined_pieces, NO_NAMES, answerer="sentencepiece"),
)
