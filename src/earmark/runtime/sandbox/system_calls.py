"""Linux's system calls by number, and a way to make one that Python has no function for."""

import ctypes
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Machine:
    """What a filter has to know of a kind of processor.

    Attributes:
        audit: the kernel's number for its calls (linux/audit.h).
        column: which of the two numbers in `CALLS` is its own.
        foreign_from: numbers from here on are of another table (x32); None where there is none.
    """

    audit: int
    column: int
    foreign_from: int | None = None

    def number(self, call: str) -> int | None:
        """Return the number of a call; None where the processor has no such call."""
        return CALLS[call][self.column]


MACHINES: Final[Mapping[str, Machine]] = {
    "x86_64": Machine(0xC000003E, 0, foreign_from=0x40000000),
    "aarch64": Machine(0xC00000B7, 1),
}
"""By the name that `platform.machine` returns; all are little-endian with 64 bits."""

CALLS: Final[Mapping[str, tuple[int | None, int | None]]] = {
    "prctl": (157, 167),
    "seccomp": (317, 277),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "sendto": (44, 206),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "execve": (59, 221),
    "execveat": (322, 281),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "iopl": (172, None),
    "ioperm": (173, None),
}
"""Numbers of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl) and arm64
(include/uapi/asm-generic/unistd.h)."""


def machine() -> Machine | None:
    """Return what is known of this processor; None for one that is not in the table."""
    return MACHINES.get(platform.machine())


def call(of: Machine, name: str, *arguments: "int | ctypes.Array[ctypes.c_char] | None") -> int:
    """Make a system call.

    Args:
        of: this processor.
        name: a name in `CALLS`.
        arguments: numbers, and memory to pass by its address; None for no address.

    Raises:
        OSError: the kernel refused it, or has no such call.
    """
    number = of.number(name)
    if number is None:
        raise ValueError(f"this processor has no system call {name}")
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result: int = _library().syscall(ctypes.c_long(number), *words)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library
