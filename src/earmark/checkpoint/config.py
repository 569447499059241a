"""`config.json`, read field by field with errors that name the field."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from earmark.checkpoint.files.json_file import load_json
from earmark.domain.labels import LabelSet, ProblemType
from earmark.errors import InvalidCheckpoint

LARGEST_SIZE = 1 << 31
"""No axis of a model is this long; a larger number in a config is a mistake."""
USUAL_LABELS = 2
MORE_LABELS: Mapping[str, int] = {"bart": 3}
"""Labels of a head whose config does not count them, where an architecture has its own default
(`transformers`, configuration_bart.py)."""
MOST_LABELS = 1 << 20
"""More labels than any classifier has; bounds what a mistaken `num_labels` can allocate."""
LONGEST_ID = 10
"""Longest label id, in digits; no classifier has that many labels."""
LONGEST_SHOWN = 200
"""How many characters of a field an error quotes: a map of labels may have thousands."""
PROBLEM_TYPES: Mapping[str, ProblemType] = {
    "regression": "regression",
    "single_label_classification": "single_label_classification",
    "multi_label_classification": "multi_label_classification",
}


def read_json(path: Path) -> Mapping[str, object]:
    """Read a JSON object from a file, as `load_json` does.

    Raises:
        InvalidCheckpoint: the file cannot be read, is too large, is not JSON, or holds no object.
    """
    value = load_json(path)
    if not isinstance(value, dict):
        raise InvalidCheckpoint(f"{path} holds a JSON {type(value).__name__}, expected an object")
    return value


@dataclass(frozen=True, slots=True)
class Config:
    """The fields of a `config.json`. A field that is ``null`` counts as missing.

    Attributes:
        path: the file, for error messages.
        fields: its contents as decoded.
    """

    path: Path
    fields: Mapping[str, object]

    def _wrong(self, key: str, expected: str) -> InvalidCheckpoint:
        found = "nothing" if self.fields.get(key) is None else self.fields[key]
        return InvalidCheckpoint(f'{self.path}: "{key}" is {found!r}, expected {expected}')

    def is_null(self, key: str) -> bool:
        """Return whether a field is ``null``, which has a meaning for some classes."""
        return key in self.fields and self.fields[key] is None

    def but(self, **fields: object) -> "Config":
        """Return the config with other values of some fields."""
        return replace(self, fields={**self.fields, **fields})

    def _get(self, key: str, default: object) -> object:
        found = self.fields.get(key)
        return default if found is None else found

    def size(self, key: str, default: int | None = None) -> int:
        """Read a positive whole number, such as an axis or a count of layers.

        Raises:
            InvalidCheckpoint: the field is missing without a default, or is no such number.
        """
        value = self._get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < LARGEST_SIZE:
            raise self._wrong(key, "a positive whole number")
        return value

    def index(self, key: str, default: int) -> int:
        """Read a whole number from 0, such as the id of a token.

        Raises:
            InvalidCheckpoint: the field is no such number.
        """
        value = self._get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < LARGEST_SIZE:
            raise self._wrong(key, "a whole number, 0 or more")
        return value

    def integer(self, key: str, default: int) -> int:
        """Read a whole number that may be 0 or negative, which often switches something off.

        Raises:
            InvalidCheckpoint: the field is no such number.
        """
        value = self._get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= LARGEST_SIZE:
            raise self._wrong(key, "a whole number")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Read a yes or no.

        Raises:
            InvalidCheckpoint: the field is neither true nor false.
        """
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def words(self, key: str) -> tuple[str, ...]:
        """Read a list of words, or a string of words joined by bars; empty if missing.

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
        """Read a positive finite number, such as an epsilon.

        Raises:
            InvalidCheckpoint: the field is no such number.
        """
        value = self._get(key, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
            return float(value)
        raise self._wrong(key, "a positive number")

    def text(self, key: str, default: str | None = None) -> str:
        """Read a string.

        Raises:
            InvalidCheckpoint: the field is missing without a default, or is no string.
        """
        value = self._get(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, "a string")
        return value

    def section(self, key: str) -> "Config":
        """Read an object of fields; an empty one if it is missing or null.

        Raises:
            InvalidCheckpoint: the field is something else.
        """
        value = self.fields.get(key)
        if value is not None and not isinstance(value, dict):
            raise self._wrong(key, "an object")
        return Config(self.path, value or {})

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes of `architectures`, such as ``BertForSequenceClassification``; often one.

        Raises:
            InvalidCheckpoint: the field is there and no list of strings.
        """
        value = self._get("architectures", [])
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        raise self._wrong("architectures", 'a list such as ["BertForSequenceClassification"]')

    @property
    def model_type(self) -> str:
        """The architecture; empty if the config does not name it.

        Raises:
            InvalidCheckpoint: the field is no string.
        """
        return self.text("model_type", "")

    def labels(self, rows: int | None = None) -> LabelSet:
        """Read the labels of the head.

        `id2label` names them, else `label2id`; without either they are ``LABEL_0``, ``LABEL_1``, …
        as many as the head has. A map that does not match the labels of the head is ignored, and
        so is an unknown `problem_type`.

        Args:
            rows: how many the head has; None if that is not known. Then the first complete map
                decides, then `num_labels`, then the default of `transformers`: two, for BART
                three.

        Raises:
            InvalidCheckpoint: a field is malformed, or no field that names labels matches the
                head.
        """
        kind = self.fields.get("problem_type")
        known = PROBLEM_TYPES.get(kind) if isinstance(kind, str) else None
        return LabelSet(self._label_names(rows), known)

    def _label_names(self, rows: int | None) -> tuple[str, ...]:
        maps = [self._names_by_id(), self._ids_by_name()]
        for names in maps:
            whole = names is not None and set(names) == set(range(len(names)))
            if names and whole and rows in {None, len(names)}:
                return tuple(names[index] for index in range(len(names)))
        counted = self.fields.get("num_labels")
        named = any(names is not None for names in maps)
        if named and (counted is None or (rows is not None and counted != rows)):
            raise self._wrong_labels(rows)
        usual = MORE_LABELS.get(self.model_type, USUAL_LABELS)
        count = rows or self.size("num_labels", usual)
        if count > MOST_LABELS:
            raise self._wrong("num_labels", f"at most {MOST_LABELS}")
        return tuple(f"LABEL_{index}" for index in range(count))

    def _wrong_labels(self, rows: int | None) -> InvalidCheckpoint:
        found = " and ".join(
            f'"{key}" is {_shown(self.fields[key])}'
            for key in ("id2label", "label2id", "num_labels")
            if self.fields.get(key) is not None
        )
        head = "" if rows is None else f", and the head has {rows} labels"
        last = "…" if rows is None else f'… "{rows - 1}"' if rows > 1 else "and no other"
        return InvalidCheckpoint(
            f'{self.path}: {found}{head}; expected "id2label" with the keys "0", {last} and a name '
            "for each, or no names at all"
        )

    def _names_by_id(self) -> dict[int, str] | None:
        """Read `id2label`; an entry whose name is null or whose key is no number is ignored.

        Class names may be numbers in the file; clients accept strings only.
        """
        found = self.fields.get("id2label")
        if found is None or found == {}:
            return None
        named = found if isinstance(found, dict) else {}
        return {
            int(key): str(name)
            for key, name in named.items()
            if key.isascii() and key.isdigit() and len(key) < LONGEST_ID and name is not None
        }

    def _ids_by_name(self) -> dict[int, str] | None:
        """Read `label2id` with ids as keys; None if two names have the same id."""
        found = self.fields.get("label2id")
        if found is None or found == {}:
            return None
        named = found if isinstance(found, dict) else {}
        ids = [_whole(value) for value in named.values()]
        turned = dict(zip(ids, named, strict=True))
        return {} if None in turned or len(turned) < len(ids) else _without_none(turned)


def _whole(value: object) -> int | None:
    """Read an id, which some files store as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < LONGEST_ID:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _without_none(names: Mapping[int | None, str]) -> dict[int, str]:
    return {index: name for index, name in names.items() if index is not None}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def read_config(path: Path) -> Config:
    """Read a `config.json`.

    Raises:
        InvalidCheckpoint: the file cannot be read, is not JSON, or holds no object.
    """
    return Config(path, read_json(path))
