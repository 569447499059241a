"""`config.json`, read field by field with errors that name the field."""

from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from earmark.domain.labels import LabelSet, ProblemType
from earmark.errors import InvalidCheckpoint

__all__ = ["Config", "read_config", "read_json"]

LARGEST_SIZE = 1 << 31
"""No axis of a model is this long; a larger number in a config is a mistake."""
USUAL_LABELS = 2
MORE_LABELS: Mapping[str, int] = {"bart": 3}
"""Labels of a head whose config does not count them, where an architecture has its own default
(`transformers`, configuration_bart.py)."""
MOST_LABELS = 1 << 20
"""More labels than any classifier has; bounds what a mistaken `num_labels` can allocate."""
PROBLEM_TYPES: Mapping[str, ProblemType] = {
    "regression": "regression",
    "single_label_classification": "single_label_classification",
    "multi_label_classification": "multi_label_classification",
}


def read_json(path: Path) -> Mapping[str, object]:
    """Read a JSON object from a file; a byte order mark at its beginning means nothing.

    Raises:
        InvalidCheckpoint: the file cannot be read, is not JSON, or holds no object.
    """
    try:
        value: object = msgspec.json.decode(path.read_bytes().removeprefix(BOM_UTF8))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidCheckpoint(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidCheckpoint(f"{path} holds a JSON {type(value).__name__}, expected an object")
    return value


@dataclass(frozen=True, slots=True)
class Config:
    """The fields of a `config.json`.

    Attributes:
        path: the file, for error messages.
        fields: its contents as decoded.
    """

    path: Path
    fields: Mapping[str, object]

    def _wrong(self, key: str, expected: str) -> InvalidCheckpoint:
        found = self.fields.get(key, "nothing")
        return InvalidCheckpoint(f'{self.path}: "{key}" is {found!r}, expected {expected}')

    def size(self, key: str, default: int | None = None) -> int:
        """Read a positive whole number, such as an axis or a count of layers.

        Raises:
            InvalidCheckpoint: the field is missing without a default, or is no such number.
        """
        value = self.fields.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < LARGEST_SIZE:
            raise self._wrong(key, "a positive whole number")
        return value

    def index(self, key: str, default: int) -> int:
        """Read a whole number from 0, such as the id of a token.

        Raises:
            InvalidCheckpoint: the field is no such number.
        """
        value = self.fields.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < LARGEST_SIZE:
            raise self._wrong(key, "a whole number, 0 or more")
        return value

    def integer(self, key: str, default: int) -> int:
        """Read a whole number that may be 0 or below, as those are that switch something off.

        Raises:
            InvalidCheckpoint: the field is no such number.
        """
        value = self.fields.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= LARGEST_SIZE:
            raise self._wrong(key, "a whole number")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Read a yes or no.

        Raises:
            InvalidCheckpoint: the field is neither true nor false.
        """
        value = self.fields.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def words(self, key: str) -> tuple[str, ...]:
        """Read a list of words, or one string that joins them with bars; nothing is no words.

        Raises:
            InvalidCheckpoint: the field is neither.
        """
        value = self.fields.get(key)
        if value is None:
            return ()
        if isinstance(value, str):
            return tuple(word.strip() for word in value.lower().split("|"))
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            return tuple(value)
        raise self._wrong(key, 'a list of strings, or one such as "c2p|p2c"')

    def number(self, key: str, default: float) -> float:
        """Read a positive number, such as an epsilon.

        Raises:
            InvalidCheckpoint: the field is no such number.
        """
        value = self.fields.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise self._wrong(key, "a positive number")
        return float(value)

    def text(self, key: str, default: str | None = None) -> str:
        """Read a string.

        Raises:
            InvalidCheckpoint: the field is missing without a default, or is no string.
        """
        value = self.fields.get(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, "a string")
        return value

    def section(self, key: str) -> "Config":
        """Read an object of fields; an empty one where it is missing or null.

        Raises:
            InvalidCheckpoint: the field is something else.
        """
        value = self.fields.get(key)
        if value is not None and not isinstance(value, dict):
            raise self._wrong(key, "an object")
        return Config(self.path, value or {})

    @property
    def class_name(self) -> str:
        """The first of `architectures`, such as ``BertForSequenceClassification``.

        Raises:
            InvalidCheckpoint: the field is missing or is not a list of strings.
        """
        value = self.fields.get("architectures")
        if isinstance(value, list) and value and isinstance(value[0], str):
            return value[0]
        raise self._wrong("architectures", 'a list such as ["BertForSequenceClassification"]')

    def labels(self) -> LabelSet:
        """Read the labels of the head.

        `id2label` names them; without it they are ``LABEL_0``, ``LABEL_1``, … as many as
        `num_labels` says; where it says nothing, as many as `transformers` takes: two, for BART
        three.

        Raises:
            InvalidCheckpoint: `id2label`, `num_labels` or `problem_type` is malformed.
        """
        kind = self.fields.get("problem_type")
        if kind is not None and (not isinstance(kind, str) or kind not in PROBLEM_TYPES):
            raise self._wrong("problem_type", f"null or one of {', '.join(PROBLEM_TYPES)}")
        problem_type = None if kind is None else PROBLEM_TYPES[kind]
        return LabelSet(self._label_names(), problem_type)

    def _label_names(self) -> tuple[str, ...]:
        names = self.fields.get("id2label")
        if names is None:
            usual = MORE_LABELS.get(self.text("model_type", ""), USUAL_LABELS)
            count = self.size("num_labels", usual)
            if count > MOST_LABELS:
                raise self._wrong("num_labels", f"at most {MOST_LABELS}")
            return tuple(f"LABEL_{index}" for index in range(count))
        expected = 'an object with the keys "0", "1", … and a name for each'
        if not isinstance(names, dict) or not names:
            raise self._wrong("id2label", expected)
        try:
            # Class names may be numbers in the file; clients accept strings only.
            return tuple(str(names[str(index)]) for index in range(len(names)))
        except KeyError:
            raise self._wrong("id2label", expected) from None


def read_config(path: Path) -> Config:
    """Read a `config.json`.

    Raises:
        InvalidCheckpoint: the file cannot be read, is not JSON, or holds no object.
    """
    return Config(path, read_json(path))
