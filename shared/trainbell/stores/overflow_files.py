"""What does not fit into stored jobs, in a directory of the owner's: one file a job."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from trainbell.errors import StoreUnavailable


class OverflowFiles:
    """Implements `ports.Overflow`. Safe to share between threads."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, job_id: str, document: bytes) -> bool:
        """On the disk, and whole, when this returns. Raises StoreUnavailable."""
        temporary: Path | None = None
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            # Made for the owner alone (0600).
            descriptor, name = tempfile.mkstemp(dir=self._directory, prefix=".")
            temporary = Path(name)
            with os.fdopen(descriptor, "wb") as file:
                file.write(document)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path(job_id))
        except OSError as exc:
            if temporary is not None:
                with suppress(OSError):
                    temporary.unlink()
            raise StoreUnavailable(f"{self._directory} cannot be written: {exc.strerror}") from exc
        return True

    def read(self, job_id: str) -> bytes | None:
        """Raises StoreUnavailable."""
        try:
            return self._path(job_id).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise StoreUnavailable(f"{self._directory} cannot be read: {exc.strerror}") from exc

    def forget(self, job_id: str) -> None:
        """Raises StoreUnavailable."""
        try:
            self._path(job_id).unlink(missing_ok=True)
        except OSError as exc:
            raise StoreUnavailable(f"{self._directory} cannot be written: {exc.strerror}") from exc

    def _path(self, job_id: str) -> Path:
        return self._directory / f"{job_id}.json"
