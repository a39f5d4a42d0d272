"""Files that a command and the Trainbell of its machine hand to each other on disk: of any size, in
small memory, where bodies and answers of the API have their bounds.

Both may read the data directory, and nobody else may. A name is all that travels, made by the
command and of no other use: no path of anybody's is ever read or written because a call names it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from trainbell.errors import Conflict
from trainbell.ports import Clock

FOLDER = "handed-files"
NAME_PATTERN = r"^[0-9a-f]{32}$"
HandedName = Annotated[str, Field(pattern=NAME_PATTERN)]
KEPT_FOR = timedelta(days=1)
"""What a command that was killed has left behind."""

_ROOM_LEFT_BYTES = 256 * 1024 * 1024
"""A download leaves so much of the disk to the jobs, whose store is on it."""


class HandedFiles:
    """`data_dir` is None in the cloud, where there is no disk that both sides know."""

    def __init__(self, data_dir: str | None, clock: Clock) -> None:
        self._folder = None if data_dir is None else Path(data_dir) / FOLDER
        self._clock = clock

    def given(self, name: str) -> Path:
        """A file that the command has put there. Raises Conflict where it is not."""
        path = self._place(name)
        if path.is_symlink() or not path.is_file():
            raise Conflict(f"no file {name} was handed over")
        return path

    def receive(self, name: str, download: Callable[[Callable[[bytes], object]], int]) -> int:
        """Write a download where the command takes it from, whole or not at all. Returns its size.

        Raises Conflict where the disk does not take it.
        """
        path = self._place(name)

        def write(piece: bytes) -> None:
            if shutil.disk_usage(path.parent).free < _ROOM_LEFT_BYTES + len(piece):
                raise Conflict("the download cannot be kept: it would fill the disk of the jobs")
            file.write(piece)

        try:
            file = path.open("xb")
        except OSError as error:
            raise _not_kept(error) from error
        try:
            with file:
                path.chmod(0o600)
                return download(write)
        except BaseException as error:
            path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise _not_kept(error) from error
            raise

    def _place(self, name: str) -> Path:
        if self._folder is None:
            raise Conflict(
                "files are handed over on disk only by a Trainbell of one's own machine: send them "
                "in the call, or with --direct"
            )
        if re.fullmatch(NAME_PATTERN, name) is None:
            raise Conflict("that is no name of a file that was handed over")
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._forget_old(self._folder)
        return self._folder / name

    def _forget_old(self, folder: Path) -> None:
        oldest = (self._clock.now() - KEPT_FOR).timestamp()
        for path in folder.iterdir():
            # A link has the time of what it links to; when it was made is its own.
            if path.lstat().st_ctime < oldest:
                path.unlink(missing_ok=True)


def _not_kept(error: OSError) -> Conflict:
    return Conflict(f"the download cannot be kept: {error.strerror}")
