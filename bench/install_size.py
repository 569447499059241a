"""How much the run-time install weighs: downloaded wheels, and files on disk.

Makes a fresh virtual environment below a temporary folder, fetches the wheels that
``pip install earmark`` would fetch, installs them, and prints what each distribution weighs.
Standard library only. Run it with ``make size``.
"""

import csv
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable
from pathlib import Path

MEGABYTE = 1_000_000
OF_THE_ENVIRONMENT = frozenset({"pip", "setuptools", "wheel"})
"""What a fresh virtual environment brings along; not ours to count."""


def distribution(file_name: str) -> str:
    """Return the name a wheel or a ``.dist-info`` folder belongs to, as both spell it."""
    return file_name.split("-", maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")


def total_bytes(files: Iterable[Path]) -> int:
    """Add up the sizes of files; what is not a file counts nothing."""
    return sum(one.stat().st_size for one in files if one.is_file())


def wheel_sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of each wheel in a folder, by distribution."""
    return {distribution(one.name): one.stat().st_size for one in folder.glob("*.whl")}


def installed_sizes(site_packages: Path) -> dict[str, int]:
    """Return the bytes each distribution put on disk, compiled files included."""
    sizes: dict[str, int] = {}
    for record in site_packages.glob("*.dist-info/RECORD"):
        with record.open(encoding="utf-8", newline="") as rows:
            names = [row[0] for row in csv.reader(rows) if row]
        sizes[distribution(record.parent.name)] = total_bytes(site_packages / one for one in names)
    return sizes


def measure(project: Path, work: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Download and install a project in a folder, and weigh both."""
    environment, wheels = work / "venv", work / "wheels"
    venv.create(environment, with_pip=True)
    scripts = environment / ("Scripts" if sys.platform == "win32" else "bin")
    pip = [str(scripts / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--wheel-dir", str(wheels), str(project)], check=True)  # noqa: S603 - our own words
    offline = ["install", "--no-index", "--find-links", str(wheels), "earmark"]
    subprocess.run([*pip, *offline], check=True)  # noqa: S603 - our own words
    site_packages = next(environment.glob("**/site-packages"))
    return wheel_sizes(wheels), installed_sizes(site_packages)


def print_table(wheels: dict[str, int], installed: dict[str, int]) -> None:
    """Print each distribution, the heaviest wheel first, and the sums."""
    names = sorted(wheels, key=lambda name: -wheels[name])
    print(f"{'distribution':<24}{'wheel MB':>10}{'on disk MB':>12}")
    for name in names:
        on_disk = installed.get(name, 0)
        print(f"{name:<24}{wheels[name] / MEGABYTE:>10.1f}{on_disk / MEGABYTE:>12.1f}")
    ours = sum(size for name, size in installed.items() if name not in OF_THE_ENVIRONMENT)
    print(f"{'total':<24}{sum(wheels.values()) / MEGABYTE:>10.1f}{ours / MEGABYTE:>12.1f}")


def main() -> None:
    """Measure the checkout this file stands in."""
    with tempfile.TemporaryDirectory(prefix="earmark-size-") as work:
        print_table(*measure(Path(__file__).resolve().parents[1], Path(work)))


if __name__ == "__main__":
    main()
