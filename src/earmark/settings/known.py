"""Finds the settings among the fields of options, and sets chosen values there."""

from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, replace
from types import UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Protocol,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

from earmark.domain.setting import Setting

PREFIX = "EARMARK_"
"""The prefix of every variable."""


@runtime_checkable
class _Options(Protocol):
    """A dataclass with fields that are settings, or such dataclasses themselves."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]  # Any: of every type


Options = TypeVar("Options", bound=_Options)


@dataclass(frozen=True, slots=True)
class KnownSetting:
    """One setting, with its names in every source.

    Attributes:
        name: in the settings file.
        kind: its type with its bounds, as an annotation.
        default: its value in the options that it was found in.
        mark: what else is known of it.
    """

    name: str
    kind: Any  # Any: no type fits every annotation
    default: object
    mark: Setting

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return self.mark.flag or f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.name.upper()

    @property
    def plain_kind(self) -> Any:  # noqa: ANN401 - as `kind`
        """The type alone, without bounds and without None."""
        kind = self.kind
        while get_origin(kind) in (Annotated, Union, UnionType):
            kind = get_args(kind)[0]
        return kind

    @property
    def takes_several(self) -> bool:
        """Whether it is a list: a flag that repeats, a variable with commas."""
        return get_origin(self.plain_kind) is tuple


def settings_in(options: _Options) -> Iterator[KnownSetting]:
    """Find the settings among the fields of options, and of options in these, in their order.

    Args:
        options: with every default.
    """
    for _, value, known in _fields(options):
        if known is not None:
            yield known
        elif isinstance(value, _Options):
            yield from settings_in(value)


def values_of(options: _Options) -> dict[str, object]:
    """Return the values of all settings, by name."""
    return {one.name: one.default for one in settings_in(options)}


def with_chosen(options: Options, chosen: Mapping[str, object]) -> Options:
    """Return options with the chosen values.

    Args:
        options: the values that are not chosen.
        chosen: values by the name of the setting, each of its type.
    """
    changes: dict[str, Any] = {}  # Any: each is of its field's type
    for field, value, known in _fields(options):
        if known is not None and known.name in chosen:
            changes[field] = chosen[known.name]
        elif isinstance(value, _Options):
            changes[field] = with_chosen(value, chosen)
    return replace(options, **changes)


def _fields(options: _Options) -> Iterator[tuple[str, object, KnownSetting | None]]:
    """List each field, its value, and its setting, if it is one."""
    for field, kind in get_type_hints(type(options), include_extras=True).items():
        value, known = getattr(options, field), None
        for mark in getattr(kind, "__metadata__", ()):
            if isinstance(mark, Setting):
                known = KnownSetting(mark.name or field, kind=kind, default=value, mark=mark)
        yield field, value, known
