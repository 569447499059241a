"""What a checkpoint's JSON files say of its tokenizer: special and added tokens, and settings.

Three files name tokens: `tokenizer_config.json`, the older `special_tokens_map.json` and the still
older `added_tokens.json`. Which of them counts, and which ids come of it, follows `transformers`
5.24.0, tokenization_utils_base.py (`_from_pretrained`) and tokenization_utils_tokenizers.py
(`__init__`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tokenizers import AddedToken, Tokenizer

from earmark.checkpoint.config import read_json
from earmark.checkpoint.repository import Repository
from earmark.errors import InvalidCheckpoint

__all__ = ["StatedTokenizer", "Token", "read_stated"]

Token: TypeAlias = str | AddedToken
"""A special token as the files state it: only its text, or also what it takes with it."""

NAMES = (
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
)
"""`SPECIAL_TOKENS_ATTRIBUTES`, in its order: tokens that the vocabulary lacks get ids in it."""
TOKEN_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")
MOST_ADDED_ID = 1 << 31


@dataclass(frozen=True, slots=True)
class StatedTokenizer:
    """The settings of a tokenizer.

    Attributes:
        fields: `tokenizer_config.json` and what `special_tokens_map.json` says in its place.
        named: special tokens by their role, such as `cls_token`.
        extra: special tokens without a role; None where no file has the list.
        added: tokens beyond the vocabulary's own, in the order of their ids.
    """

    fields: Mapping[str, object]
    named: Mapping[str, Token]
    extra: tuple[Token, ...] | None
    added: tuple[AddedToken, ...]

    def flag(self, name: str, *, default: bool) -> bool:
        """Read a yes or no; anything else counts as not said."""
        value = self.fields.get(name)
        return value if isinstance(value, bool) else default

    def text_of(self, name: str) -> str | None:
        """Read a special token's text; None where no file names it."""
        token = self.named.get(name)
        return None if token is None else _text(token)

    def with_usual(self, usual: Mapping[str, Token]) -> "StatedTokenizer":
        """Fill in a family's own special tokens where the files name none."""
        named = {**usual, **self.named}
        return StatedTokenizer(self.fields, named, self.extra, self.added)

    def add_to(self, tokenizer: Tokenizer, control: Sequence[AddedToken] = ()) -> None:
        """Add every token to a tokenizer; what its vocabulary has keeps its id.

        Args:
            tokenizer: with its model, and nothing added yet.
            control: the model file's own special tokens, used where no other file lists any.
        """
        tokens = [*self.added]
        have = {token.content for token in tokens}
        roles = [*NAMES, *(name for name in self.named if name not in NAMES)]
        named = [self.named[name] for name in roles if name in self.named]
        extra = control if self.extra is None else self.extra
        for token in (*named, *extra):
            if _text(token) not in have:
                have.add(_text(token))
                tokens.append(_added(token, special=not isinstance(token, AddedToken)))
        special = {_text(token) for token in named}
        for token in tokens:
            if token.content in special:
                token.special = True
        tokenizer.add_tokens(tokens)
        tokenizer.encode_special_tokens = self.flag("split_special_tokens", default=False)


def _text(token: Token) -> str:
    return token if isinstance(token, str) else str(token.content)


def _added(token: Token, *, special: bool) -> AddedToken:
    return AddedToken(token, special=special) if isinstance(token, str) else token


def read_stated(repository: Repository) -> StatedTokenizer:
    """Read the JSON files beside a vocabulary; each may be missing.

    Raises:
        InvalidCheckpoint: a file is not what it should be.
    """
    path = repository.find("tokenizer_config.json")
    fields = {} if path is None else dict(read_json(path))
    if not fields.get("extra_special_tokens") and "additional_special_tokens" in fields:
        fields["extra_special_tokens"] = fields.pop("additional_special_tokens")
    added: dict[int, AddedToken] = {}
    if path is not None and "added_tokens_decoder" in fields:
        added = _decoder(path, fields["added_tokens_decoder"])
    else:
        older = repository.find("special_tokens_map.json")
        if older is not None:
            fields = _with_map(fields, read_json(older))
        oldest = repository.find("added_tokens.json")
        if oldest is not None:
            added = _older_added(oldest, frozenset(_special_texts(fields)))
    by_text = {token.content: token for token in added.values()}
    named = {name: by_text.get(_text(token), token) for name, token in _named(fields).items()}
    ordered = tuple(added[index] for index in sorted(added))
    return StatedTokenizer(fields, named, _extra(fields), ordered)


def _named(fields: Mapping[str, object]) -> dict[str, Token]:
    """Find the tokens with a role; a checkpoint may have roles of its own."""
    extra = fields.get("extra_special_tokens")
    own = extra if isinstance(extra, dict) else {}
    stated = {**{name: fields[name] for name in fields if name.endswith("_token")}, **own}
    tokens = ((str(name), _token(value)) for name, value in stated.items())
    return {name: token for name, token in tokens if token is not None}


def _extra(fields: Mapping[str, object]) -> tuple[Token, ...] | None:
    if "extra_special_tokens" not in fields:
        values = fields.get("additional_special_tokens")
    else:
        values = fields["extra_special_tokens"]
    if not isinstance(values, list):
        return None
    return tuple(token for token in map(_token, values) if token is not None)


def _with_map(fields: Mapping[str, object], special: Mapping[str, object]) -> dict[str, object]:
    """Put what `special_tokens_map.json` says in place of the settings, but lengthen a list."""
    made = {**fields, **special}
    for name, value in special.items():
        if name == "extra_special_tokens" and isinstance(value, list):
            known = fields.get(name)
            before = known if isinstance(known, list) else []
            made[name] = [*before, *(_special(one) for one in value if one not in before)]
        else:
            made[name] = _special(value)
    return made


def _special(value: object) -> object:
    return {**value, "special": True} if isinstance(value, dict) else value


def _special_texts(fields: Mapping[str, object]) -> Iterator[str]:
    """Name the tokens of `added_tokens.json` that are special."""
    named = _named(fields)
    yield from (_text(named[name]) for name in NAMES if name in named)
    if "extra_special_tokens" in fields:  # its older name does not count here
        yield from map(_text, _extra(fields) or ())


def _token(value: object) -> Token | None:
    """Read a token that stands as its text or as an object; None for anything else."""
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


def _older_added(path: Path, special: frozenset[str]) -> dict[int, AddedToken]:
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
