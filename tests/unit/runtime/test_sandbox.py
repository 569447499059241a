"""What a sandbox denies, as far as it can be told without a kernel: filter, rules and report."""

import errno
import platform
import re
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from earmark.runtime.sandbox import confinement, landlock, system_call_filter
from earmark.runtime.sandbox.confinement import TAKEN, Confinement, Measure, confine, files_measure
from earmark.runtime.sandbox.system_call_filter import (
    FACTS_OF_FILES,
    MODES,
    NETWORK,
    PRIVILEGES,
    PROGRAMS,
)
from earmark.runtime.sandbox.system_calls import CALLS, MACHINES, Machine

DENIED = 0x00050000 | errno.EPERM
ALLOWED = 0x7FFF0000
_READ, _FUTEX, _OPENAT = {"x86_64": 0, "aarch64": 63}, {"x86_64": 202, "aarch64": 98}, 257

machines = pytest.mark.parametrize("name", sorted(MACHINES))


def verdict(
    of: Machine, number: int, arguments: Sequence[int] = (), *, audit: int | None = None
) -> int:
    """Run a filter on a call as the kernel does (Documentation/networking/filter.rst)."""
    words = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    call = struct.pack("=IIQ6Q", number, of.audit if audit is None else audit, 0, *words)
    code, place, loaded = system_call_filter.program(of), 0, 0
    while True:
        instruction = code[place]
        place += 1
        match instruction.code:
            case 0x20:
                (loaded,) = struct.unpack_from("=I", call, instruction.value)
            case 0x54:
                loaded &= instruction.value
            case 0x15:
                equal = loaded == instruction.value
                place += instruction.if_true if equal else instruction.if_false
            case 0x35:
                least = loaded >= instruction.value
                place += instruction.if_true if least else instruction.if_false
            case 0x45:
                any_bit = loaded & instruction.value
                place += instruction.if_true if any_bit else instruction.if_false
            case 0x06:
                return instruction.value
            case other:
                raise AssertionError(other)


@machines
def test_every_named_call_is_denied_and_every_other_allowed(name: str) -> None:
    """Over all numbers that a kernel may have; the rest depend on their arguments."""
    of = MACHINES[name]
    named = {of.number(one) for one in (*NETWORK, *PROGRAMS, *FACTS_OF_FILES, *PRIVILEGES)}
    by_argument = {of.number(one) for one in ("socketpair", "sendto", *MODES)}
    for number in range(1024):
        if number not in by_argument:
            assert verdict(of, number) == (DENIED if number in named else ALLOWED), number
    assert verdict(of, _READ[name]) == verdict(of, _FUTEX[name]) == ALLOWED


@machines
@pytest.mark.parametrize(
    ("kind", "expected"),
    [(1, ALLOWED), (1 | 0x80000 | 0x800, ALLOWED), (2, DENIED), (3, DENIED), (5, DENIED)],
)
def test_only_pairs_of_streams_are_made(name: str, kind: int, expected: int) -> None:
    """The kind's flags (close on exec, not blocking) do not matter."""
    of = MACHINES[name]
    assert verdict(of, of.number("socketpair") or 0, (1, kind)) == expected


@machines
@pytest.mark.parametrize(
    ("address", "expected"), [(0, ALLOWED), (0x7FFF00001000, DENIED), (1 << 32, DENIED)]
)
def test_nothing_is_sent_to_an_address(name: str, address: int, expected: int) -> None:
    """Either half of the pointer counts."""
    of = MACHINES[name]
    assert verdict(of, of.number("sendto") or 0, (3, 0, 0, 0, address)) == expected


@machines
@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (0o440, ALLOWED),
        (0o600, ALLOWED),
        (0o700, ALLOWED),
        (0o644, DENIED),
        (0o620, DENIED),
        (0o601, DENIED),
        (0o4700, DENIED),
    ],
)
def test_a_mode_gives_nothing_to_others(name: str, mode: int, expected: int) -> None:
    """OpenVINO makes what it has compiled read-only for its owner and group."""
    of = MACHINES[name]
    for call, place in MODES.items():
        number = of.number(call)
        if number is not None:
            arguments = [0, 0, 0, 0]
            arguments[place] = mode
            assert verdict(of, number, arguments) == expected, call


@machines
def test_calls_of_another_processor_are_denied(name: str) -> None:
    """A process of 64 bits can make the calls of 32 bits, whose numbers mean others."""
    of = MACHINES[name]
    assert verdict(of, _READ[name], audit=0x40000003) == DENIED


def test_calls_of_x32_are_denied() -> None:
    """They are those of x86-64 with a bit more, and would pass a filter of numbers."""
    of = MACHINES["x86_64"]
    assert verdict(of, 0x40000000 | _OPENAT) == DENIED


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        ("aarch64", "/usr/include/asm-generic/unistd.h"),
    ],
)
def test_numbers_are_those_of_the_kernels_headers(name: str, header: str) -> None:
    """Where the headers are here; calls newer than they are have one number everywhere."""
    if not Path(header).is_file():
        pytest.skip(f"the kernel's headers are not installed: no {header}")
    text = Path(header).read_text("utf-8")
    found = {one: int(number) for one, number in re.findall(r"__NR_(\w+)\s+(\d+)", text)}
    for call in CALLS:
        number = MACHINES[name].number(call)
        newer = number is not None and number >= 451 and call not in found
        assert newer or number == found.get(call), call


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (1, (0x1FF3, 0, 0)),
        (2, (0x3FF3, 0, 0)),
        (3, (0x7FF3, 0, 0)),
        (4, (0x7FF3, 3, 0)),
        (5, (0xFFF3, 3, 0)),
        (6, (0xFFF3, 3, 3)),
        (8, (0xFFF3, 3, 3)),
    ],
)
def test_a_kernel_is_asked_for_what_its_version_knows(
    version: int, expected: tuple[int, int, int]
) -> None:
    """Worked out from linux/landlock.h: every right but reading files (4) and folders (8)."""
    rules = landlock.Ruleset.of(version)
    assert (rules.files, rules.tcp, rules.scopes) == expected
    words = 1 if version < 4 else 2 if version < 6 else 3
    assert rules.packed(version) == struct.pack(f"={words}Q", *expected[:words])


def test_a_writable_folder_starts_no_programs() -> None:
    """What a hostile graph wrote there must not be run; a file has fewer rights than a folder."""
    rules = landlock.Ruleset.of(8)
    assert rules.writable(folder=True) == 0xFFF3 & ~(1 | 1 << 15)
    assert rules.writable(folder=False) == 1 << 1 | 1 << 14


def test_a_report_names_what_is_left() -> None:
    """It is complete only where every measure was taken."""
    measures = [Measure(what, taken=True, detail="gone") for what in TAKEN]
    assert Confinement(tuple(measures)).complete
    measures[1] = Measure("network", taken=False, detail="no seccomp")
    report = Confinement(tuple(measures))
    assert not report.complete
    assert report.left == (measures[1],)
    assert "network: NOT taken away, no seccomp" in str(report)
    assert "changing files: taken away, gone" in str(report)


@pytest.mark.parametrize(
    ("version", "others", "taken", "says"),
    [
        (7, 0, True, "except below /cache"),
        (8, 3, True, "except below /cache"),
        (7, 3, False, "3 threads that ran before can change files still"),
        (2, 0, False, "still lets files be cut short"),
    ],
)
def test_files_are_taken_only_from_all_threads_and_in_every_way(
    version: int,
    others: int,
    taken: bool,  # noqa: FBT001 - a value
    says: str,
) -> None:
    """A kernel that confines some threads only is not said to confine the process."""
    found = files_measure(version, None, others, (Path("/cache"),), ())
    assert found.taken is taken
    assert says in found.detail


def test_a_folder_that_is_not_there_is_named() -> None:
    """It stays closed, which the operator sees in the report."""
    found = files_measure(7, None, 0, (Path("/gone"),), (Path("/gone"),))
    assert found.taken
    assert found.detail == "without exception; not there, and so not writable: /gone"


def test_elsewhere_nothing_is_taken_and_the_report_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a system that is not Linux, and on a processor whose calls are not known."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    report = confine()
    assert [one.what for one in report.left] == list(TAKEN)
    assert "on Linux alone, and this is Darwin" in report.left[0].detail
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert "system calls of riscv64 are not known" in confine().left[0].detail


def test_the_sandbox_imports_nothing_that_starts_threads() -> None:
    """It has to be in place before NumPy is imported, which starts threads of its own."""
    folder = Path(confinement.__file__).parent
    for module in folder.glob("*.py"):
        imported = re.findall(r"^(?:from|import) (\S+)", module.read_text("utf-8"), re.MULTILINE)
        roots = {
            one.split(".")[0] for one in imported if not one.startswith("earmark.runtime.sand")
        }
        assert roots <= sys.stdlib_module_names, module
