"""Writes the golden files, or compares them with what `transformers` answers today.

    python -m golden.regenerate             write data/*.json
    python -m golden.regenerate --check     recompute, compare, exit 1 on any difference
    python -m golden.regenerate NAME ...    only these cases

Run with `tests` on the Python path and the extra `reference` installed.
"""

# ruff: noqa: T201 - a command line program prints
import argparse
import sys

from golden.answers import DATA, read_golden, write_golden
from golden.cases import CASES, GoldenCase
from golden.comparison import compare
from golden.reference import ask_transformers

__all__ = ["main"]


def main() -> int:
    """Run the command line; return its exit status."""
    arguments = _parse()
    chosen = [case for case in CASES if not arguments.names or case.name in arguments.names]
    failures = [problem for case in chosen for problem in _run(case, check=arguments.check)]
    if not arguments.names:
        names = {f"{case.name}.json" for case in CASES}
        stray = sorted(path for path in DATA.glob("*.json") if path.name not in names)
        failures += [f"{path.name}: belongs to no case; delete it" for path in stray]
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="golden.regenerate", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these cases")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - {case.name for case in CASES}
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    return arguments


def _run(case: GoldenCase, *, check: bool) -> list[str]:
    """Write or compare one case, print its line, and return what was wrong with it."""
    answered = ask_transformers(case)
    if not check:
        path = write_golden(case, answered)
        print(f"{case.name:36} {path.stat().st_size / 1000:6.1f} kB")
        return []
    try:
        kept = read_golden(case)
    except FileNotFoundError:
        return [f"{case.name}: no golden file; run `make golden`"]
    difference, problems = compare(kept, answered)
    print(f"{case.name:36} {difference:9.2e}  {'; '.join(problems) or 'same'}")
    return [f"{case.name}: {problem}" for problem in problems]


if __name__ == "__main__":
    sys.exit(main())
