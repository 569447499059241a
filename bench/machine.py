"""What a measurement was made on, and with."""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

import earmark
from earmark.runtime.machine import process_memory_bytes

CPU_INFO = Path("/proc/cpuinfo")
TELLING_FLAGS = (
    "avx2",
    "avx_vnni",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "amx_bf16",
    "amx_int8",
    "asimddp",
    "i8mm",
    "bf16",
    "sve",
)
"""Instruction sets that decide what a precision is worth, as Linux calls them on x86 and Arm."""
PACKAGES = (
    "openvino",
    "tokenizers",
    "uvicorn",
    "starlette",
    "uvloop",
    "torch",
    "transformers",
    "fastapi",
    "numpy",
)
MEGABYTE = 1_000_000


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A machine, without anything that names it.

    Attributes:
        processor: model name.
        cores: that this process may use.
        instruction_sets: of `TELLING_FLAGS`, those that the system reports.
        memory_gb: in units of 10^9 bytes.
        system: operating system.
    """

    processor: str
    cores: int
    instruction_sets: tuple[str, ...]
    memory_gb: float | None
    system: str


def this_machine() -> Machine:
    """Describe this machine, as far as its system tells."""
    info = CPU_INFO.read_text("utf-8") if CPU_INFO.exists() else ""
    flags = set(_field(info, r"flags|Features").split())
    return Machine(
        processor=_field(info, "model name") or platform.processor() or platform.machine(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else _cores(),
        instruction_sets=tuple(flag for flag in TELLING_FLAGS if flag in flags),
        memory_gb=_memory_gb(),
        system=f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
    )


def versions() -> dict[str, str]:
    """Return the version of each thing that takes part."""
    found = {"earmark": earmark.__version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def commit() -> str | None:
    """Return the checkout's commit, with a ``+`` where files differ from it."""
    head = _git("rev-parse", "--short=12", "HEAD")
    return None if head is None else head + "+" * bool(_git("status", "--porcelain"))


def cpu_seconds(pid: int) -> float | None:
    """Return the processor time a process and its children have taken so far.

    None where the system does not say.
    """
    stats = [Path(f"/proc/{one}/stat") for one in family(pid)]
    if not stats[0].exists():
        return None
    ticks = 0
    for path in stats:
        # The name in parentheses may hold spaces; utime and stime are fields 14 and 15 (man proc).
        fields = path.read_text("utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_memory_mb(pid: int) -> float | None:
    """Return the sum of the most memory that a process and each of its children have held.

    None where the system does not say.
    """
    statuses = [Path(f"/proc/{one}/status") for one in family(pid)]
    if not statuses[0].exists():
        return None
    found = [_field(path.read_text("utf-8"), "VmHWM").split() for path in statuses]
    kilobytes = sum(int(one[0]) for one in found if one)
    return kilobytes * 1024 / MEGABYTE if kilobytes else None


def memory_mb(pid: int) -> float:
    """Return the memory that a process and its children hold, what they share counted once."""
    return sum(map(process_memory_mb, family(pid)))


def process_memory_mb(pid: int) -> float:
    """Return the memory of one process, pages that it shares counted in part.

    Linux only (`/proc/PID/smaps_rollup`, the field Pss).

    Raises:
        OSError: there is no such process.
    """
    found = process_memory_bytes(pid)
    if found is None:
        raise ProcessLookupError(pid)
    return found / MEGABYTE


def family(pid: int) -> tuple[int, ...]:
    """List a process and its children, such as the engine processes of a server."""
    try:
        written = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
        for thread in Path(f"/proc/{pid}/task").iterdir():
            if thread.name != str(pid):
                written += " " + (thread / "children").read_text("utf-8")
    except OSError:
        return (pid,)
    return (pid, *map(int, written.split()))


def _field(text: str, name: str) -> str:
    """Return what stands behind the first ``name:`` of a file of such lines."""
    found = re.search(rf"^(?:{name})\s*:\s*(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _cores() -> int:
    return os.cpu_count() or 1


def _memory_gb() -> float | None:
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in names:
        return None
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            ["git", *words],  # noqa: S607 - whichever git the user has
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
