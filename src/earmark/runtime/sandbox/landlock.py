"""Makes the file system read-only outside some folders, with Linux's Landlock.

Source: Documentation/userspace-api/landlock.rst and include/uapi/linux/landlock.h of Linux 7.0.
A kernel has a version of this interface (ABI): 1 came with Linux 5.13, 3 with 6.2, 8 with 7.0.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from earmark.runtime.sandbox.system_calls import Machine, call

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = (1 << bit for bit in range(4))
_CHANGES_OF_FOLDERS: Final = sum(1 << bit for bit in range(4, 13))
"""Removing files and folders, and making either, links, sockets, pipes and devices."""
_REFER, _TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
_BIND_TCP, _CONNECT_TCP = 1, 2
_ABSTRACT_SOCKETS, _SIGNALS = 1, 2
_OF_A_FILE: Final = _WRITE_FILE | _TRUNCATE
"""The rights that a rule about a file, not a folder, may give."""

_PLACE_ALONE: Final = 0o12000000
"""O_PATH and O_CLOEXEC, which Python has on Linux alone."""
_VERSION: Final = 1
_PATH_BENEATH: Final = 1
_ALL_THREADS: Final = 1 << 3

REFERS, TRUNCATES, TCP, IOCTLS, SCOPES, SYNCHRONIZES = 2, 3, 4, 5, 6, 8
"""The versions that brought each of these."""
ALWAYS_WRITABLE: Final = (Path("/dev/null"),)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """What a version of Landlock can deny.

    Attributes:
        files: rights over files that are denied where no rule gives them.
        tcp: rights over TCP, denied everywhere.
        scopes: processes outside the sandbox cannot be reached in these ways.
    """

    files: int
    tcp: int
    scopes: int

    @classmethod
    def of(cls, version: int) -> "Ruleset":
        """Return everything that a version can deny, except reading."""
        files = _EXECUTE | _WRITE_FILE | _CHANGES_OF_FOLDERS
        files |= _REFER if version >= REFERS else 0
        files |= _TRUNCATE if version >= TRUNCATES else 0
        files |= _IOCTL_DEVICE if version >= IOCTLS else 0
        tcp = _BIND_TCP | _CONNECT_TCP if version >= TCP else 0
        scopes = _ABSTRACT_SOCKETS | _SIGNALS if version >= SCOPES else 0
        return cls(files, tcp, scopes)

    def packed(self, version: int) -> bytes:
        """Return the kernel's structure for it; an older version knows only its beginning."""
        words = (self.files, self.tcp, self.scopes)
        known = 3 if version >= SCOPES else 2 if version >= TCP else 1
        return struct.pack(f"={known}Q", *words[:known])

    def writable(self, *, folder: bool) -> int:
        """Return the rights that a rule gives for a writable folder, or for a writable file."""
        rights = self.files & ~(_EXECUTE | _IOCTL_DEVICE)
        return rights if folder else rights & _OF_A_FILE


def version(of: Machine) -> int:
    """Return the version of Landlock in this kernel; 0 for none, or where it is switched off."""
    try:
        return call(of, "landlock_create_ruleset", None, 0, _VERSION)
    except OSError:
        return 0


def restrict(of: Machine, found: int, writable: Iterable[Path]) -> tuple[Path, ...]:
    """Deny this thread, and those that it starts, every change of files outside some folders.

    From version `SYNCHRONIZES` on, all threads of the process are restricted. `no_new_privs` must
    be set.

    Args:
        of: this processor.
        found: from `version`, at least 1.
        writable: folders that stay writable, with all that is in them.

    Returns:
        Those of the folders that are not there, and so cannot be written to.

    Raises:
        OSError: the kernel refused.
    """
    rules = Ruleset.of(found)
    content = rules.packed(found)
    opened = call(of, "landlock_create_ruleset", _memory(content), len(content), 0)
    missing = []
    try:
        for path in (*ALWAYS_WRITABLE, *writable):
            try:
                place = os.open(path, _PLACE_ALONE)
            except OSError:
                missing.append(path)
                continue
            try:
                rights = rules.writable(folder=stat.S_ISDIR(os.fstat(place).st_mode))
                rule = _memory(struct.pack("=Qi", rights, place))
                call(of, "landlock_add_rule", opened, _PATH_BENEATH, rule, 0)
            finally:
                os.close(place)
        flags = _ALL_THREADS if found >= SYNCHRONIZES else 0
        call(of, "landlock_restrict_self", opened, flags)
    finally:
        os.close(opened)
    return tuple(one for one in missing if one not in ALWAYS_WRITABLE)


def _memory(content: bytes) -> "ctypes.Array[ctypes.c_char]":
    return ctypes.create_string_buffer(content, len(content))
