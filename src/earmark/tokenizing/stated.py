"""Reads the settings, special tokens and added tokens in a checkpoint's JSON files.

Three files name tokens: `tokenizer_config.json`, the older `special_tokens_map.json` and the still
older `added_tokens.json`. They are used with a `tokenizer.json` and with a vocabulary alike. Their
precedence, and the ids of added tokens, follow `transformers` 4.57.1 and 5.24.0
(tokenization_utils_base.py, `_from_pretrained`; `__init__` in tokenization_utils_fast.py and
tokenization_utils_tokenizers.py). If the two differ, 4.57.1 counts: most models were trained with
it. What only 5.24.0 reads is read as it does.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from tokenizers import AddedToken, Tokenizer

from earmark.checkpoint.config import read_json
from earmark.checkpoint.files.repository import Repository
from earmark.errors import InvalidCheckpoint

SETTINGS = "tokenizer_config.json"

Token: TypeAlias = str | AddedToken
"""A special token in the files: only its text, or also its flags."""

NAMES = (
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
)
"""`SPECIAL_TOKENS_ATTRIBUTES`; tokens that the vocabulary lacks get ids in this order."""
LISTS = ("extra_special_tokens", "additional_special_tokens")
"""Fields for special tokens without a role: the newer name and the older one."""
TOKEN_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")
MOST_ADDED_ID = 1 << 31


@dataclass(frozen=True, slots=True)
class StatedTokenizer:
    """The settings of a tokenizer.

    Attributes:
        fields: `tokenizer_config.json`, with the fields that `special_tokens_map.json` overrides,
            without fields that are null.
        named: special tokens by their role, such as `cls_token`.
        extra: special tokens without a role; None if no file lists them.
        added: tokens beyond the vocabulary's own, in the order of their ids.
        overrules: whether `added` overrides the added tokens of `tokenizer.json`.
    """

    fields: Mapping[str, object]
    named: Mapping[str, Token]
    extra: tuple[Token, ...] | None
    added: tuple[AddedToken, ...]
    overrules: bool = False

    def choice(self, name: str) -> bool | None:
        """Read a true or false; None if the field is missing.

        Raises:
            InvalidCheckpoint: the field is neither true nor false.
        """
        value = self.fields.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise InvalidCheckpoint(f'{SETTINGS}: "{name}" is {value!r}, expected true or false')

    def flag(self, name: str, *, default: bool) -> bool:
        """Read a true or false with a default; errors as for `choice`."""
        value = self.choice(name)
        return default if value is None else value

    def text_of(self, name: str) -> str | None:
        """Return a special token's text; None if no file names it."""
        token = self.named.get(name)
        return None if token is None else _text(token)

    def with_usual(self, usual: Mapping[str, Token]) -> "StatedTokenizer":
        """Add a family's own special tokens for roles that the files do not name.

        If a file states only a role's text, the token gets the flags of the family's own token,
        such as the space before a mask (4.57.1, `mask_token` in models/*/tokenization_*_fast.py).
        """
        stated = {name: _like(usual.get(name), token) for name, token in self.named.items()}
        return replace(self, named={**usual, **stated})

    def add_to(self, tokenizer: Tokenizer, control: Sequence[AddedToken] = ()) -> None:
        """Add every token to a tokenizer; tokens in its vocabulary keep their ids.

        Args:
            tokenizer: with its model, and the tokens that its own file adds.
            control: the model file's own special tokens, used if no other file lists any.
        """
        own = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
        tokens = [one for one in self.added if self.overrules or one.content not in own]
        have = own | {token.content for token in tokens}
        roles = [*NAMES, *(name for name in self.named if name not in NAMES)]
        named = [self.named[name] for name in roles if name in self.named]
        extra = control if self.extra is None else self.extra
        for token in (*named, *extra):
            if _text(token) not in have:
                have.add(_text(token))
                tokens.append(_added(token, special=not isinstance(token, AddedToken)))
        special = {_text(token) for token in (*named, *(self.extra or ()))}
        for token in tokens:
            if token.content in special:
                token.special = True
        tokenizer.add_tokens(tokens)
        tokenizer.encode_special_tokens = self.flag("split_special_tokens", default=False)


def _like(usual: Token | None, token: Token) -> Token:
    """Return a token with the flags of the usual one, unless it states its own."""
    if not isinstance(token, str) or not isinstance(usual, AddedToken):
        return token
    return AddedToken(token, lstrip=usual.lstrip, special=usual.special)


def _text(token: Token) -> str:
    return token if isinstance(token, str) else str(token.content)


def _added(token: Token, *, special: bool) -> AddedToken:
    return AddedToken(token, special=special) if isinstance(token, str) else token


def read_stated(repository: Repository) -> StatedTokenizer:
    """Read the JSON files about a tokenizer; each may be missing.

    Raises:
        InvalidCheckpoint: a file is malformed.
    """
    path = repository.find(SETTINGS)
    fields = {} if path is None else _fields(path)
    if path is not None and "added_tokens_decoder" in fields:
        added = _decoder(path, fields["added_tokens_decoder"])
        return _stated(fields, _listed(fields), added, overrules=True)
    extra = _listed(fields)
    older = repository.find("special_tokens_map.json")
    if older is not None:
        mapped = {name: _special(value) for name, value in _fields(older).items()}
        extra = _joined(extra, _listed(mapped))
        fields = {**fields, **mapped}
    oldest = repository.find("added_tokens.json")
    if oldest is None:
        return _stated(fields, extra, {})
    special = {*map(_text, _named(fields).values()), *map(_text, extra or ())}
    return _stated(fields, extra, _older_added(oldest, special))


def _stated(
    fields: Mapping[str, object],
    extra: tuple[Token, ...] | None,
    added: Mapping[int, AddedToken],
    *,
    overrules: bool = False,
) -> StatedTokenizer:
    """Combine what was read; a role's token has the flags of the added token of its text."""
    by_text = {token.content: token for token in added.values()}
    named = {name: by_text.get(_text(token), token) for name, token in _named(fields).items()}
    ordered = tuple(added[index] for index in sorted(added))
    return StatedTokenizer(fields, named, extra, ordered, overrules)


def _named(fields: Mapping[str, object]) -> dict[str, Token]:
    """Return the tokens with a role; a checkpoint may have its own roles."""
    extra = fields.get(LISTS[0])
    own = extra if isinstance(extra, dict) else {}
    stated = {**{name: fields[name] for name in NAMES if name in fields}, **own}
    tokens = ((str(name), _token(value)) for name, value in stated.items())
    return {name: token for name, token in tokens if token is not None}


def _fields(path: Path) -> dict[str, object]:
    """Read a file's fields, without those that are null, and check the tokens among them.

    Raises:
        InvalidCheckpoint: the file holds no object, or a field for a token holds none.
    """
    fields = {name: value for name, value in read_json(path).items() if value is not None}
    for name in NAMES:
        _check_token(path, name, fields.get(name))
    for name in LISTS:
        listed = fields.get(name)
        named = name == LISTS[0] and isinstance(listed, dict)
        if listed is not None and not named and not isinstance(listed, list):
            raise InvalidCheckpoint(f'{path}: "{name}" is {listed!r}, expected a list of tokens')
        values = listed.values() if isinstance(listed, dict) else listed
        for value in values if isinstance(values, Iterable) else ():
            _check_token(path, name, value)
    return fields


def _check_token(path: Path, name: str, value: object) -> None:
    if value is not None and _token(value) is None:
        raise InvalidCheckpoint(
            f'{path}: "{name}" has {value!r}, expected a token such as "[CLS]" '
            'or {"content": "[CLS]"}'
        )


def _listed(fields: Mapping[str, object]) -> tuple[Token, ...] | None:
    """Read special tokens without a role; the newer of two lists counts, unless it is empty."""
    lists = [value for name in LISTS if isinstance(value := fields.get(name), list)]
    if not lists:
        return None
    values = next((one for one in lists if one), [])
    return tuple(token for token in map(_token, values) if token is not None)


def _joined(
    first: tuple[Token, ...] | None, more: tuple[Token, ...] | None
) -> tuple[Token, ...] | None:
    """Add the tokens of the older file to a list."""
    if first is None or more is None:
        return more if first is None else first
    known = {_text(token) for token in first}
    return (*first, *(token for token in more if _text(token) not in known))


def _special(value: object) -> object:
    """Mark the tokens of `special_tokens_map.json` as special, which the file leaves out."""
    if isinstance(value, list):
        return [_special(one) for one in value]
    if isinstance(value, dict) and "content" in value:
        return {**value, "special": True}
    return value


def _token(value: object) -> Token | None:
    """Read a token that is written as its text or as an object; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and isinstance(value.get("content"), str):
        flags = {flag: value[flag] for flag in TOKEN_FLAGS if isinstance(value.get(flag), bool)}
        return AddedToken(value["content"], **flags)
    return None


def _decoder(path: Path, value: object) -> dict[int, AddedToken]:
    """Read `added_tokens_decoder`: id -> token."""
    items = value.items() if isinstance(value, dict) else [("", None)]
    added = {}
    for index, one in items:
        token = _token(one)
        if not isinstance(token, AddedToken):
            raise InvalidCheckpoint(
                f'{path}: "added_tokens_decoder" has {one!r} at {index!r}, '
                'expected an object of ids and tokens such as {"0": {"content": "<s>"}}'
            )
        added[_index(path, index)] = token
    return added


def _older_added(path: Path, special: Container[str]) -> dict[int, AddedToken]:
    """Read `added_tokens.json`: token -> id."""
    ids: Iterable[tuple[str, object]] = read_json(path).items()
    return {
        _index(path, index): AddedToken(
            text, normalized=text not in special, special=text in special
        )
        for text, index in ids
    }


def _index(path: Path, value: object) -> int:
    whole = str(value)
    if whole.isascii() and whole.isdigit() and int(whole) < MOST_ADDED_ID:
        return int(whole)
    raise InvalidCheckpoint(f"{path}: an added token has the id {value!r}, expected a whole number")
