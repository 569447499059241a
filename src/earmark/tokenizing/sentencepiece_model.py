"""Reads the `.model` files of SentencePiece.

They are Protocol Buffers (sentencepiece_model.proto of google/sentencepiece, version 0.2). The
`protobuf` package reads them: `onnx` needs it anyway, it checks lengths and bounds, and it reads a
vocabulary of 250,000 pieces a hundred times faster than a reader in Python. The messages are
described below with the fields that are needed, instead of generated code; other fields are
skipped.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from earmark.errors import InvalidCheckpoint

LARGEST_FILE = 1 << 24
"""Largest file: 16 MiB, of which 1.7 million short pieces take 500 MB of memory; the largest known
vocabulary has 5 MiB (XLM-RoBERTa, 250,000 pieces)."""
UNIGRAM, BPE = 1, 2
MODEL_TYPES = {3: "WORD", 4: "CHAR"}
NORMAL = 1
CONTROL = 3
USER_DEFINED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SentencePieceModel:
    """The contents of a `.model` file.

    Attributes:
        path: the file, for error messages.
        joins_pairs: whether it is BPE, which joins the pair with the highest score first; else it
            is Unigram.
        pieces: text and log probability, index = id.
        kinds: type of each piece, such as `CONTROL`.
        unknown_id: id of the piece for unknown text.
        charsmap: table of character replacements; empty if there is none.
        spaced: whether a text gets a space before its first word.
        trimmed: whether repeated spaces become one, and those at the ends are removed.
        bytes_for_unknown: whether a letter without a piece becomes its bytes.
    """

    path: Path
    joins_pairs: bool
    pieces: list[tuple[str, float]]
    kinds: list[int]
    unknown_id: int
    charsmap: bytes
    spaced: bool
    trimmed: bool
    bytes_for_unknown: bool


def _describe() -> FileDescriptorProto:
    """Return the messages, field numbers and defaults of sentencepiece_model.proto."""
    kinds = FieldDescriptorProto
    file = FileDescriptorProto(name="sentencepiece.proto", package="sentencepiece")
    fields: dict[str, list[tuple[str, int, int | str, str | None]]] = {
        "SentencePiece": [
            ("piece", 1, kinds.TYPE_STRING, None),
            ("score", 2, kinds.TYPE_FLOAT, None),
            ("type", 3, kinds.TYPE_INT32, "1"),
        ],
        "TrainerSpec": [
            ("model_type", 3, kinds.TYPE_INT32, "1"),
            ("treat_whitespace_as_suffix", 24, kinds.TYPE_BOOL, "false"),
            ("byte_fallback", 35, kinds.TYPE_BOOL, "false"),
            ("unk_id", 40, kinds.TYPE_INT32, "0"),
        ],
        "NormalizerSpec": [
            ("precompiled_charsmap", 2, kinds.TYPE_BYTES, None),
            ("add_dummy_prefix", 3, kinds.TYPE_BOOL, "true"),
            ("remove_extra_whitespaces", 4, kinds.TYPE_BOOL, "true"),
            ("escape_whitespaces", 5, kinds.TYPE_BOOL, "true"),
        ],
        "ModelProto": [
            ("pieces", 1, "SentencePiece", None),
            ("trainer_spec", 2, "TrainerSpec", None),
            ("normalizer_spec", 3, "NormalizerSpec", None),
        ],
    }
    for message, described in fields.items():
        to = file.message_type.add(name=message)
        for name, number, kind, default in described:
            repeated = kinds.LABEL_REPEATED if name == "pieces" else kinds.LABEL_OPTIONAL
            field = to.field.add(name=name, number=number, label=repeated)
            if isinstance(kind, str):
                field.type = kinds.TYPE_MESSAGE
                field.type_name = f".sentencepiece.{kind}"
            else:
                field.type = kind
            if default is not None:
                field.default_value = default
    return file


# Any: the class is made at run time.
def model_message() -> Any:  # noqa: ANN401 - the same
    """Return the class of the outermost message, `ModelProto`."""
    pool = DescriptorPool()
    pool.Add(_describe())
    return GetMessageClass(pool.FindMessageTypeByName("sentencepiece.ModelProto"))


def read_sentencepiece(path: Path) -> SentencePieceModel:
    """Read a `.model` file.

    Raises:
        InvalidCheckpoint: it is too large, cut short, another kind of file, or its pieces do not
            make a vocabulary.
    """
    message = model_message()()
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InvalidCheckpoint(
                f"{path} has {path.stat().st_size} bytes, more than any vocabulary "
                f"({LARGEST_FILE}); it is not a SentencePiece model"
            )
        message.ParseFromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise InvalidCheckpoint(
            f"{path} cannot be read as a SentencePiece model: {error}"
        ) from error
    _check_rules(path, message)
    pieces = _pieces(path, message.pieces)
    unknown = int(message.trainer_spec.unk_id)
    if not 0 <= unknown < len(pieces):
        raise InvalidCheckpoint(
            f"{path}: the unknown piece is number {unknown} of {len(pieces)} (trainer_spec.unk_id)"
        )
    return SentencePieceModel(
        path=path,
        joins_pairs=message.trainer_spec.model_type == BPE,
        pieces=pieces,
        kinds=[int(one.type) for one in message.pieces],
        unknown_id=unknown,
        charsmap=bytes(message.normalizer_spec.precompiled_charsmap),
        spaced=bool(message.normalizer_spec.add_dummy_prefix),
        trimmed=bool(message.normalizer_spec.remove_extra_whitespaces),
        bytes_for_unknown=bool(message.trainer_spec.byte_fallback),
    )


# Any: the class is made at run time.
def _check_rules(path: Path, message: Any) -> None:  # noqa: ANN401 - the same
    """Raise an error if a model marks words in a way that no published classifier uses."""
    kind = message.trainer_spec.model_type
    if kind not in (UNIGRAM, BPE):
        raise InvalidCheckpoint(
            f"{path} is a {MODEL_TYPES.get(kind, f'{kind}th kind of')} model of SentencePiece, "
            "expected UNIGRAM or BPE, the kinds that classifiers were published with; convert it "
            "to tokenizer.json"
        )
    wrong = None
    if message.trainer_spec.treat_whitespace_as_suffix:
        wrong = "marks the ends of words (treat_whitespace_as_suffix)"
    elif not message.normalizer_spec.escape_whitespaces:
        wrong = "does not mark where words begin (escape_whitespaces is false)"
    if wrong is not None:
        raise InvalidCheckpoint(
            f"{path} {wrong}, expected a mark before each word; convert it to tokenizer.json"
        )


# Any: the class is made at run time.
def _pieces(path: Path, stored: Any) -> list[tuple[str, float]]:  # noqa: ANN401 - the same
    pieces: list[tuple[str, float]] = []
    seen: set[str] = set()
    for index, one in enumerate(stored):
        text, score = one.piece, float(one.score)
        wrong = None
        if not isinstance(text, str):  # the package returns bytes that are not valid text
            wrong = "not UTF-8"
        elif not text:
            wrong = "empty"
        elif text in seen:
            wrong = "there twice"
        elif not math.isfinite(score):
            wrong = f"scored {score}"
        if wrong is not None:
            raise InvalidCheckpoint(f"{path}: piece {index} is {wrong}")
        seen.add(text)
        pieces.append((text, score))
    return pieces
