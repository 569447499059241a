"""Which machine this is, and which releases run on it: what a measurement made here holds for."""

import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

__all__ = ["machine_identity"]

_PROCESSOR_FACTS = Path("/proc/cpuinfo")
_FACTS: Final = re.compile(
    r"^(?:model name|flags|features|cpu part)\s*:(.*)$", re.MULTILINE | re.IGNORECASE
)
"""What Linux says of a processor that decides on kernels; other systems say nothing."""


def machine_identity(*packages: str, facts: Path = _PROCESSOR_FACTS) -> tuple[str, ...]:
    """Tell this machine and these packages from others that may compute otherwise.

    Args:
        packages: names of distributions; one that is not installed has no release.
        facts: Linux's description of the processor.

    Returns:
        The system, the processor, what it can do, and the packages' releases.
    """
    try:
        text = facts.read_text("ascii", errors="replace")
    except OSError:
        text = ""
    known = sorted(set(_FACTS.findall(text)))
    return (platform.system(), platform.machine(), *known, *map(_release, packages))


def _release(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package
