"""The mark on a field that the operator can set."""

from dataclasses import dataclass

__all__ = ["Setting"]


@dataclass(frozen=True, slots=True)
class Setting:
    """Marks a field of a dataclass of options as a setting: ``Annotated[int, Setting("…")] = 8``.

    The field is the one place where a setting is stated: its name is the setting's, its type, with
    the bounds of `msgspec.Meta`, is what may be given, and its default is the setting's. Flag,
    variable, key of the settings file and help follow (see `settings`).

    Attributes:
        help: a sentence or two for `--help`.
        name: of the setting, where the field has another.
        flag: as it is written, where it is not the setting's name with dashes.
        default: the default in words, where its value does not explain itself.
    """

    help: str
    name: str | None = None
    flag: str | None = None
    default: str | None = None
