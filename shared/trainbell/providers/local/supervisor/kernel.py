"""System calls that the standard library lacks, on Linux; elsewhere each says that it is not there.

Sources: prctl(2), inotify(7), fallocate(2).
"""

from __future__ import annotations

import ctypes
import os
import sys

IN_MODIFY = 0x002
IN_CREATE = 0x100
IN_MOVED_TO = 0x080
IN_ONLYDIR = 0x01000000
IN_DONT_FOLLOW = 0x02000000
IN_Q_OVERFLOW = 0x4000
_IN_NONBLOCK = os.O_NONBLOCK
_IN_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_PR_SET_CHILD_SUBREAPER = 36
_KEEP_SIZE_AND_PUNCH_HOLE = 0x01 | 0x02

_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def become_subreaper() -> bool:
    """From now on, what our descendants leave behind becomes our child, whatever its session."""
    return _LIBC is not None and _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def open_inotify() -> int | None:
    """A descriptor that does not block. None where the system has no inotify, or no more of it."""
    if _LIBC is None:
        return None
    descriptor = _LIBC.inotify_init1(_IN_NONBLOCK | _IN_CLOEXEC)
    return descriptor if descriptor >= 0 else None


def add_watch(inotify: int, path: str, mask: int) -> int | None:
    """The watch's number. None where the path is gone or the system's limit is reached."""
    if _LIBC is None:
        return None
    number = _LIBC.inotify_add_watch(inotify, os.fsencode(path), ctypes.c_uint32(mask))
    return number if number >= 0 else None


def remove_watch(inotify: int, number: int) -> None:
    """A watch that is gone already is as good."""
    if _LIBC is not None:
        _LIBC.inotify_rm_watch(inotify, number)


def punch_hole(descriptor: int, begin: int, end: int) -> bool:
    """Give this part of a file back to the file system; it reads as zeros, the rest stays.

    False where the file system cannot do it.
    """
    if _LIBC is None or end <= begin:
        return False
    offset, length = ctypes.c_int64(begin), ctypes.c_int64(end - begin)
    fallocate = getattr(_LIBC, "fallocate64", _LIBC.fallocate)
    return bool(fallocate(descriptor, _KEEP_SIZE_AND_PUNCH_HOLE, offset, length) == 0)
