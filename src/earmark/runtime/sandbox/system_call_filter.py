"""Denies system calls that running a model does not need, with Linux's seccomp.

A filter is a small program of the kernel's (classic BPF) that sees a call's number and arguments,
not what addresses point to. Source: Documentation/userspace-api/seccomp_filter.rst, and
include/uapi/linux/{seccomp,filter,bpf_common}.h of Linux 6.18.
"""

import ctypes
import errno
import struct
from typing import Final, NamedTuple

from earmark.runtime.sandbox.system_calls import Machine, call

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_IF_ANY_BIT = 0x15, 0x35, 0x45
_ALLOW: Final = 0x7FFF0000
_DENY: Final = 0x00050000 | errno.EPERM
"""The call returns this error, which Python raises as `PermissionError`."""

_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Offsets in the kernel's description of a call; each argument takes eight bytes."""

_SET_FILTER: Final = 1
_ALL_THREADS: Final = 1
_SET_NO_NEW_PRIVILEGES: Final = 38
_STREAM: Final = 1
_KIND_OF_SOCKET: Final = 0xF
"""The part of `socketpair`'s second argument that is no flag (linux/net.h, SOCK_TYPE_MASK)."""

NETWORK: Final = (
    "socket",
    "connect",
    "bind",
    "listen",
    # They make any other call without the filter seeing it.
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
)
PROGRAMS: Final = ("execve", "execveat")
FACTS_OF_FILES: Final = (
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "setxattrat",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
    "removexattrat",
)
"""Owners and attributes, which Landlock does not deny."""
MODES: Final = {"chmod": 1, "fchmod": 1, "fchmodat": 2, "fchmodat2": 2}
"""Which argument is the mode, of the calls that set one."""
OPENS_TO_OTHERS: Final = 0o6037
"""Bits that give a file's rights to others: set user and group, all rights of the rest of the
machine, and all of the group but reading. OpenVINO sets 0440 for a compiled model."""
PRIVILEGES: Final = (
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_getfd",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "add_key",
    "request_key",
    "keyctl",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "unshare",
    "setns",
    "open_tree",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    "open_by_handle_at",
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "reboot",
    "swapon",
    "swapoff",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "sethostname",
    "setdomainname",
    "acct",
    "quotactl",
    "iopl",
    "ioperm",
)
"""What root may do to the machine and to other processes."""


class Instruction(NamedTuple):
    """One instruction (`struct sock_filter`).

    Attributes:
        code: what to do.
        if_true: instructions to skip where a comparison holds.
        if_false: and where it does not.
        value: compared with, loaded from, or returned.
    """

    code: int
    if_true: int
    if_false: int
    value: int


def program(of: Machine) -> tuple[Instruction, ...]:
    """Write the filter for a kind of processor.

    `socketpair` stays allowed for streams, which reach nobody else: event loops wake themselves
    through one. A pair of datagram sockets could send to any other socket of the machine.
    """
    deny = Instruction(_RETURN, 0, 0, _DENY)
    written = [
        Instruction(_LOAD, 0, 0, _ARCHITECTURE),
        Instruction(_JUMP_EQUAL, 1, 0, of.audit),
        deny,
        Instruction(_LOAD, 0, 0, _NUMBER),
    ]
    if of.foreign_from is not None:
        written += [Instruction(_JUMP_AT_LEAST, 0, 1, of.foreign_from), deny]
    for name in (*NETWORK, *PROGRAMS, *FACTS_OF_FILES, *PRIVILEGES):
        number = of.number(name)
        if number is not None:
            written += [Instruction(_JUMP_EQUAL, 0, 1, number), deny]
    return (
        *written,
        *_pairs_of_streams(of.number("socketpair") or 0),
        *_no_address(of.number("sendto") or 0),
        *(one for name, mode in MODES.items() for one in _modest(of.number(name), mode)),
        Instruction(_RETURN, 0, 0, _ALLOW),
    )


def _pairs_of_streams(number: int) -> tuple[Instruction, ...]:
    return (
        Instruction(_JUMP_EQUAL, 0, 5, number),
        Instruction(_LOAD, 0, 0, _ARGUMENTS + 8),
        Instruction(_AND, 0, 0, _KIND_OF_SOCKET),
        Instruction(_JUMP_EQUAL, 1, 0, _STREAM),
        Instruction(_RETURN, 0, 0, _DENY),
        Instruction(_RETURN, 0, 0, _ALLOW),
    )


def _no_address(number: int) -> tuple[Instruction, ...]:
    """Deny `sendto` with an address, which a datagram socket needs no connection for."""
    address = _ARGUMENTS + 4 * 8
    return (
        Instruction(_JUMP_EQUAL, 0, 6, number),
        Instruction(_LOAD, 0, 0, address),
        Instruction(_JUMP_EQUAL, 0, 3, 0),
        Instruction(_LOAD, 0, 0, address + 4),
        Instruction(_JUMP_EQUAL, 0, 1, 0),
        Instruction(_RETURN, 0, 0, _ALLOW),
        Instruction(_RETURN, 0, 0, _DENY),
    )


def _modest(number: int | None, argument: int) -> tuple[Instruction, ...]:
    """Deny a mode that opens a file to others; a call that the processor lacks needs nothing."""
    if number is None:
        return ()
    return (
        Instruction(_JUMP_EQUAL, 0, 4, number),
        Instruction(_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
        Instruction(_JUMP_IF_ANY_BIT, 0, 1, OPENS_TO_OTHERS),
        Instruction(_RETURN, 0, 0, _DENY),
        Instruction(_RETURN, 0, 0, _ALLOW),
    )


def forbid_new_privileges(of: Machine) -> None:
    """See that no program started later has more rights than this process; threads inherit it.

    Raises:
        OSError: the kernel refused.
    """
    call(of, "prctl", _SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def install(of: Machine) -> None:
    """Put every thread of this process below the filter, and forbid all of them new privileges.

    Raises:
        OSError: the kernel refused, or a thread has a filter of its own.
    """
    instructions = b"".join(struct.pack("=HBBI", *one) for one in program(of))
    memory = ctypes.create_string_buffer(instructions, len(instructions))
    # struct sock_fprog: a count, six bytes of padding, an address.
    described = struct.pack("=H6xQ", len(instructions) // 8, ctypes.addressof(memory))
    pointer = ctypes.create_string_buffer(described, len(described))
    odd_one_out = call(of, "seccomp", _SET_FILTER, _ALL_THREADS, pointer)
    if odd_one_out:
        raise OSError(errno.EPERM, f"seccomp: thread {odd_one_out} has another filter")
