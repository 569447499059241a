"""The annotation of a field that the operator can set."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """Marks a field of a dataclass of options as a setting: ``Annotated[int, Setting("…")] = 8``.

    A setting is defined only by its field: by its name, its type with the bounds of `msgspec.Meta`,
    and its default. The flag, the variable, the key of the settings file and the help are derived
    from it (see `settings`).

    Attributes:
        help: a sentence or two for `--help`.
        name: name of the setting, if it differs from the field's.
        flag: the flag, if it is not the setting's name with dashes.
        default: the default in words, if its value does not explain itself.
    """

    help: str
    name: str | None = None
    flag: str | None = None
    default: str | None = None
