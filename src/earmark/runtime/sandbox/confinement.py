"""Confines a process that runs a model, and reports what was taken away from it."""

import os
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from earmark.runtime.sandbox import landlock, system_call_filter
from earmark.runtime.sandbox.system_calls import Machine, machine

Taken: TypeAlias = Literal["changing files", "network", "starting programs", "privileges"]
TAKEN: Final[tuple[Taken, ...]] = (
    "changing files",
    "network",
    "starting programs",
    "privileges",
)


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that a sandbox takes away.

    Attributes:
        what: the thing.
        taken: whether the whole process has lost it.
        detail: what is left of it, or why it could not be taken away.
    """

    what: Taken
    taken: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Confinement:
    """What was taken away from a process.

    Attributes:
        measures: one for each of `TAKEN`, in that order.
    """

    measures: tuple[Measure, ...]

    @property
    def complete(self) -> bool:
        """Whether everything was taken away."""
        return all(one.taken for one in self.measures)

    @property
    def left(self) -> tuple[Measure, ...]:
        """What could not be taken away."""
        return tuple(one for one in self.measures if not one.taken)

    def __str__(self) -> str:
        """Describe all measures in one line."""
        return "; ".join(
            f"{one.what}: {'taken away' if one.taken else 'NOT taken away'}, {one.detail}"
            for one in self.measures
        )


def confine(writable: Iterable[Path] = ()) -> Confinement:
    """Take away from this process, for good, what running a model does not need.

    Afterwards it can read files as before, and change none outside some folders; it can open no
    socket (those it has go on, and so do pairs that wake an event loop), start no program, give no
    file to others by its mode or owner, and use nothing that root has beyond that. What is denied
    raises `PermissionError`.

    **Call it before anything starts a thread**, which importing NumPy does: this module imports
    nothing but Python's own. Network, programs and privileges are taken from all threads; changing
    files, before Linux 7.0, only from the calling thread and those that start later. The report
    then says how many there were before.

    Args:
        writable: folders in which files may be changed, such as that of compiled models; one that
            is not there stays closed.

    Returns:
        What was taken away, and what could not be: on other systems than Linux, nothing is.
    """
    of, system = machine(), platform.system()
    if system != "Linux" or of is None:
        return _nothing(system, platform.machine())
    return _confined(of, tuple(writable))


def _nothing(system: str, processor: str) -> Confinement:
    why = (
        f"earmark confines processes on Linux alone, and this is {system}"
        if system != "Linux"
        else f"the system calls of {processor} are not known here, only those of x86_64 and aarch64"
    )
    return Confinement(tuple(Measure(what, taken=False, detail=why) for what in TAKEN))


def _confined(of: Machine, writable: Sequence[Path]) -> Confinement:
    # Counted first: the kernel's filter would not show which threads it missed.
    others = len(os.listdir("/proc/self/task")) - 1  # noqa: PTH208 - names are enough
    privileges = _attempt(lambda: system_call_filter.forbid_new_privileges(of))
    version = landlock.version(of)
    missing: tuple[Path, ...] = ()
    files: str | None = "this kernel has no Landlock, which came with Linux 5.13, or it is off"
    if version and privileges is None:
        try:
            missing = landlock.restrict(of, version, writable)
            files = None
        except OSError as error:
            files = str(error)
    filtered = privileges or _attempt(lambda: system_call_filter.install(of))
    return Confinement(
        (
            files_measure(version, files, others, writable, missing),
            _of_filter("network", filtered, "sockets that were open stay open"),
            _of_filter("starting programs", filtered, "no exec"),
            _of_filter("privileges", filtered, "no_new_privs, and no calls for root alone"),
        )
    )


def _attempt(step: Callable[[], None]) -> str | None:
    """Return why a step failed; None where it did not."""
    try:
        step()
    except OSError as error:
        return str(error)
    return None


def _of_filter(what: Taken, failed: str | None, detail: str) -> Measure:
    return Measure(what, taken=failed is None, detail=failed or detail)


def files_measure(
    version: int,
    failed: str | None,
    others: int,
    writable: Sequence[Path],
    missing: Sequence[Path],
) -> Measure:
    """Report on files.

    Args:
        version: of Landlock in this kernel.
        failed: why nothing was denied; None where it was.
        others: threads that ran before, beside the calling one.
        writable: the folders that were to stay writable.
        missing: those of them that are not there.
    """
    if failed is not None:
        return Measure("changing files", taken=False, detail=failed)
    flaws = []
    if version < landlock.TRUNCATES:
        flaws.append("this kernel (before Linux 6.2) still lets files be cut short")
    if others and version < landlock.SYNCHRONIZES:
        flaws.append(
            f"{others} {'thread' if others == 1 else 'threads'} that ran before can change files"
            " still, since this kernel (before Linux 7.0) confines only the calling thread and"
            " later ones; confine the process before it imports NumPy"
        )
    kept = [str(one) for one in writable if one not in missing]
    notes = [f"except below {', '.join(kept)}" if kept else "without exception"]
    if missing:
        notes.append(f"not there, and so not writable: {', '.join(map(str, missing))}")
    return Measure("changing files", taken=not flaws, detail="; ".join(flaws or notes))
