"""How many heaps the C library keeps for the threads of this process."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

ARENAS = 2
_M_ARENA_MAX = -8
"""Of glibc's malloc.h; see mallopt(3)."""


def share_heaps() -> None:
    """Two heaps for all threads, before most are made.

    glibc gives the first threads one each, up to eight times the cores. What polling threads leave
    free in theirs nobody else uses: 5 MB with two of them, 10 with hundreds. Python's threads take
    turns, so sharing costs them nothing. Another C library is left as it is, and so is a choice
    that somebody made in the environment.
    """
    if "MALLOC_ARENA_MAX" in os.environ:
        return
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)
