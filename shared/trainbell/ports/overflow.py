"""What a service said at a job's end and a stored job cannot hold, in full beside the store."""

from __future__ import annotations

from typing import Protocol


class Overflow(Protocol):
    """One document for each job. Every method may raise StoreError or ConfigInvalid."""

    def keep(self, job_id: str, document: bytes) -> bool:
        """False where no place is configured. A later one replaces it."""
        ...

    def read(self, job_id: str) -> bytes | None: ...

    def forget(self, job_id: str) -> None:
        """Does nothing where nothing is kept."""
        ...


class Nowhere:
    """No place is configured."""

    def keep(self, job_id: str, document: bytes) -> bool:  # noqa: ARG002 - the port's
        return False

    def read(self, job_id: str) -> bytes | None:  # noqa: ARG002
        return None

    def forget(self, job_id: str) -> None:
        pass
