"""Describes this machine: its cores, its processor's features, and installed releases."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

PROCESSOR_FACTS: Final = Path("/proc/cpuinfo")
"""Linux's description of the processor; other systems do not have it."""
_FACTS: Final = re.compile(
    r"^(?:model name|flags|features|cpu part)\s*:(.*)$", re.MULTILINE | re.IGNORECASE
)
"""The fields of it that decide which kernels are used."""
_INT8_DOT_FEATURES = frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"})
"""Linux's names of the instructions that multiply int8 with int8 and add in 32 bits: three of
x86-64, two of arm64 (arch/x86/include/asm/cpufeatures.h, arch/arm64/kernel/cpuinfo.c)."""


def available_threads() -> int:
    """Return how many cores this process may use; a container may limit them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_features(facts: Path = PROCESSOR_FACTS) -> frozenset[str] | None:
    """Return the features of the first processor; None if the system does not report them."""
    features = re.findall(r"^(?:flags|features)\s*:(.*)$", _read(facts).lower(), re.MULTILINE)
    return frozenset(features[0].split()) if features else None


def dots_int8(facts: Path = PROCESSOR_FACTS) -> bool | None:
    """Return whether the processor has an int8 dot product; None if that is not known."""
    features = processor_features(facts)
    return None if features is None else bool(_INT8_DOT_FEATURES & features)


def process_memory_bytes(pid: int) -> int | None:
    """Return the memory of a process, pages that it shares counted in part; None if not known.

    From `/proc/PID/smaps_rollup` of Linux, the field Pss.
    """
    found = re.search(r"^Pss:\s+(\d+) kB", _read(Path(f"/proc/{pid}/smaps_rollup")), re.MULTILINE)
    return None if found is None else int(found[1]) * 1024


def machine_identity(*packages: str, facts: Path = PROCESSOR_FACTS) -> tuple[str, ...]:
    """Return an identity of this machine and of packages, to distinguish other results.

    Args:
        packages: names of distributions; one that is not installed has no release.
        facts: Linux's description of the processor.

    Returns:
        The system, the processor, its features, and the packages' releases.
    """
    known = sorted(set(_FACTS.findall(_read(facts))))
    return (platform.system(), platform.machine(), *known, *map(_release, packages))


def _read(facts: Path) -> str:
    try:
        return facts.read_text("ascii", errors="replace")
    except OSError:
        return ""


def _release(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package
