"""README's table of architectures, written from the registry: ``make readme``."""

from pathlib import Path
from typing import Final

from earmark.domain.head import HeadKind
from earmark.graph.architectures.registry import ARCHITECTURES
from earmark.tokenizing.classes import OF_MODEL_TYPE, SAME_CLASS
from earmark.tokenizing.families import FAMILIES

README: Final = Path(__file__).parents[2] / "README.md"
BEGINS: Final = "<!-- written by make readme -->\n"
ENDS: Final = "<!-- to here -->\n"
HEADER: Final = (
    "| architecture | of whole texts | of tokens | tokenizer: `tokenizer.json`, or |",
    "|---|---|---|---|",
)


def architecture_table() -> str:
    """Write a row for each architecture: the classes that it has, and its tokenizer's own files."""
    rows = (
        f"| `{name}` | {_classes(name, 'sequence')} | {_classes(name, 'token')} | {_files(name)} |"
        for name in ARCHITECTURES
    )
    return "\n".join((*HEADER, *rows)) + "\n"


def with_table(readme: str) -> str:
    """Put the table in its place.

    Raises:
        ValueError: the place is not marked.
    """
    before, begins, rest = readme.partition(BEGINS)
    _, ends, after = rest.partition(ENDS)
    if not begins or not ends:
        raise ValueError(f"README marks no place by {BEGINS!r} and {ENDS!r}")
    return before + begins + "\n" + architecture_table() + "\n" + ends + after


def _classes(name: str, kind: HeadKind) -> str:
    heads = ARCHITECTURES[name].heads
    return ", ".join(f"`{head}`" for head, of in heads.items() if of == kind) or "-"


def _files(name: str) -> str:
    named = OF_MODEL_TYPE.get(name, "")
    family = FAMILIES.get(SAME_CLASS.get(named, named))
    return " + ".join(f"`{file}`" for file in family.files) if family else "-"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text("utf-8")), "utf-8")
