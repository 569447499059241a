"""The tables of `docs/config-fields.md`, written from the code: ``make config-fields``."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from earmark.graph.architectures.registry import ARCHITECTURES
from earmark.graph.blocks.activations import ACTIVATIONS
from earmark.graph.config_fields import COMMON, FOREIGN, Field, shown

DOC: Final = Path(__file__).parents[2] / "docs" / "config-fields.md"
OF_OTHERS: Final = (
    "No class of these architectures reads them. A config that has one says that its model "
    "computes otherwise."
)
BEGINS: Final = "<!-- from here on written by make config-fields -->\n"


def config_fields_doc(page: str) -> str:
    """Write the tables in their place, which is the end of the page.

    Raises:
        ValueError: the place is not marked.
    """
    before, begins, _ = page.partition(BEGINS)
    if not begins:
        raise ValueError(f"the page marks no place by {BEGINS!r}")
    return before + begins + "\n" + _tables()


def _tables() -> str:
    common = {field.name: field for field in (*COMMON, *FOREIGN)}
    functions = ", ".join(f"`{name}`" for name in ACTIVATIONS)
    parts = ["## Functions\n", f"{functions}. `prelu` and `xielu` have learned slopes: refused.\n"]
    parts += ["## Every architecture\n", _table(COMMON)]
    parts += ["## Fields of other models\n", f"{OF_OTHERS}\n", _table(FOREIGN)]
    for names, own in _own_fields(common):
        parts += [f"## {', '.join(f'`{name}`' for name in names)}\n", _table(own)]
    return "\n".join(parts)


def _own_fields(common: dict[str, Field]) -> Iterator[tuple[list[str], Sequence[Field]]]:
    """Give what each architecture adds or says otherwise; those that say the same go together."""

    def own(name: str) -> list[Field]:
        fields = ARCHITECTURES[name].fields.values()
        return [
            field
            for field in fields
            if field.name not in common or _said(field) != _said(common[field.name])
        ]

    def said(name: str) -> list[tuple[str, tuple[str, str, str]]]:
        return [(field.name, _said(field)) for field in own(name)]

    for _, names in groupby(ARCHITECTURES, key=said):
        kin = [*names]
        yield kin, own(kin[0])


def _table(fields: Sequence[Field]) -> str:
    """Write a row for each run of fields of which the same is said."""
    runs = groupby(fields, key=_said)
    rows = "\n".join(
        f"| {', '.join(f'`{field.name}`' for field in run)} | {' | '.join(said)} |"
        for said, run in runs
    )
    return f"| field | | what it is | supported |\n|---|---|---|---|\n{rows}\n"


def _said(field: Field) -> tuple[str, str, str]:
    return field.treatment, field.note, _values(field)


def _values(field: Field) -> str:
    if field.values is None:
        return ""
    if callable(field.values):
        return "what the other fields make it"
    if field.values == tuple(ACTIVATIONS):
        return "[functions](#functions)"
    return shown(field.values).replace('"', "`")


if __name__ == "__main__":
    DOC.write_text(config_fields_doc(DOC.read_text("utf-8")), "utf-8")
