"""Writes the golden files, or compares them with what `transformers` answers today.

    python -m golden.regenerate             write data/*.json and tokenizers/*.json
    python -m golden.regenerate --check     recompute, compare, exit 1 on any difference
    python -m golden.regenerate NAME ...    only these cases

Run with `tests` on the Python path, once with the extra `reference` installed and once with the
group `older-reference`: each case is asked of the release that it names.
"""

# ruff: noqa: T201 - a command line program prints
import argparse
import sys
from importlib.metadata import version

from golden.answers import DATA, read_golden, write_golden
from golden.cases import CASES, GoldenCase
from golden.comparison import compare
from golden.reference import ask_transformers
from golden.tokenizer_answers import (
    TOKENIZER_DATA,
    compare_tokenizers,
    read_tokenizer_golden,
    write_tokenizer_golden,
)
from golden.tokenizer_cases import TOKENIZER_CASES, TokenizerCase
from golden.tokenizer_reference import ask_tokenizer


def main() -> int:
    """Run the command line; return its exit status."""
    arguments = _parse()
    names, release = arguments.names, version("transformers").partition(".")[0]
    failures: list[str] = []
    for case in CASES:
        if case.release == release and (not names or case.name in names):
            failures += _run(case, check=arguments.check)
    for one in TOKENIZER_CASES:
        if one.release == release and (not names or _tokenizer_name(one) in names):
            failures += _run_tokenizer(one, check=arguments.check)
    if not names:
        known = {f"{case.name}.json" for case in CASES}
        stray = sorted(path for path in DATA.glob("*.json") if path.name not in known)
        known = {f"{one.name}.json" for one in TOKENIZER_CASES}
        stray += sorted(path for path in TOKENIZER_DATA.glob("*.json") if path.name not in known)
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
    unknown -= {_tokenizer_name(one) for one in TOKENIZER_CASES}
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


def _tokenizer_name(case: TokenizerCase) -> str:
    return f"tokenizer-{case.name}"


def _run_tokenizer(case: TokenizerCase, *, check: bool) -> list[str]:
    """Do the same for a case of tokenizer files."""
    name = _tokenizer_name(case)
    answered = ask_tokenizer(case)
    if not check:
        path = write_tokenizer_golden(case, answered)
        print(f"{name:36} {path.stat().st_size / 1000:6.1f} kB")
        return []
    try:
        problems = compare_tokenizers(read_tokenizer_golden(case), answered)
    except FileNotFoundError:
        return [f"{name}: no golden file; run `make golden`"]
    print(f"{name:36} {'; '.join(problems) or 'same'}")
    return [f"{name}: {problem}" for problem in problems]


if __name__ == "__main__":
    sys.exit(main())
