"""Opening what a command may have put in a file's place: without blocking, and regular files only.

A FIFO would hold whoever opens it for ever, and a symbolic link may lead anywhere.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class NotRegular(ValueError):
    """There is something else in this file's place."""


@contextmanager
def open_regular(path: Path, *, to_write: bool = False) -> Iterator[BinaryIO]:
    """The file, unbuffered, from its beginning. Never made, never waited for.

    Raises:
        NotRegular: a FIFO, a link, a directory, a device.
        OSError: it is not there (FileNotFoundError), or cannot be opened.
    """
    flags = (os.O_RDWR if to_write else os.O_RDONLY) | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as exc:
        if exc.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise NotRegular(f"{path.name} is no regular file") from exc
        raise
    with os.fdopen(descriptor, "r+b" if to_write else "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotRegular(f"{path.name} is no regular file")
        yield file
