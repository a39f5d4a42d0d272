"""The last lines of a log, however long it is and whatever is in it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from trainbell.providers.local.regular_files import open_regular

MAX_LINES = 1000
MAX_BYTES = 1_048_576
MAX_LINE_CHARACTERS = 2000
CUT = b"\n[... cut here: the log has outgrown its cap ...]\n"
# A log is shown in terminals: nothing in it may move the cursor or change the title.
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_HOLE = re.compile(rb"\0{4096,}")


def tail(path: Path, lines: int, *, max_bytes: int = MAX_BYTES) -> Sequence[str]:
    """The last `lines` lines (1 to 1000), read from the last mebibyte only.

    Of a line that was rewritten with carriage returns (a progress bar) the last version is shown.
    Bytes that are no UTF-8 are replaced, control characters dropped, long lines cut. Where the
    supervisor has cut the log, which left a hole in it, a line says so.

    Raises:
        NotRegular: it is no regular file.
        OSError: the log cannot be read.
    """
    wanted = max(1, min(lines, MAX_LINES))
    with open_regular(path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - max_bytes))
        data = file.read(max_bytes)
    whole = size <= max_bytes
    parts = _HOLE.sub(CUT, data).split(b"\n")
    if not whole and len(parts) > 1:
        del parts[0]  # half a line
    if parts[-1] == b"":
        del parts[-1]
    return tuple(_shown(part) for part in parts[-wanted:])


def _shown(line: bytes) -> str:
    last_version = line.rstrip(b"\r").rpartition(b"\r")[2]
    text = last_version[: 4 * MAX_LINE_CHARACTERS].decode("utf-8", errors="replace")
    return _CONTROL.sub("", text)[:MAX_LINE_CHARACTERS]
