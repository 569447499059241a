"""What the recipes' command lines have in common."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeOptions:
    """The options of every recipe."""

    data: Path
    out: Path
    seed: int
    threads: int | None


def recipe_parser(name: str, *, data_holds: str) -> argparse.ArgumentParser:
    """Make a parser of the common options, to which a recipe adds its own.

    Args:
        name: the module's name, which is also the model's: ``ner`` makes ``earmark/ner``.
        data_holds: names the folders that the recipe looks for below ``--data``.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m training.{name}",
        description=f"Train earmark/{name.replace('_', '-')} and write its checkpoint folder.",
    )
    parser.add_argument(
        "--data", type=Path, required=True, help=f"the data folder, which holds {data_holds}"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="the checkpoint folder to write; replaced, once all is done",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="fixes every draw: head, order, rows, spelling (default 1)",
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=None,
        help="threads to compute with (default: as many as PyTorch chooses); where others "
        "compute too, set OMP_WAIT_POLICY=PASSIVE, so that threads do not spin while they wait",
    )
    return parser


def progress(line: str) -> None:
    """Show a line of progress on stderr."""
    print(line, file=sys.stderr, flush=True)
