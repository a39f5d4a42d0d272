"""What an engine brings: time, secrets, watchers and the clock of schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from trainbell.domain.job import Job
from trainbell.domain.secret_bounds import SecretUse
from trainbell.domain.settings import Schedule


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...


class SecretSource(Protocol):
    def read(self, reference: str) -> str:
        """The secret behind a reference such as `env:NAME`.

        Raises:
            ConfigInvalid: no such secret, or a kind of reference that this engine does not allow.
        """
        ...


class SecretVault(SecretSource, Protocol):
    """All secrets of an installation. Nobody reads it but `extensions.bound_secret`, which asks
    first whether a secret may be used so."""

    def refusal(self, reference: str, use: SecretUse) -> str | None:
        """Why the secret may not be used so, and what its owner can do; None where it may.

        Raises:
            ProviderUnavailable: what its owner allowed cannot be had now.
        """
        ...

    def renew(self, reference: str) -> None:
        """A service refused it: what is kept of it is not given again. Repeats within seconds do
        nothing, so that a wrong secret costs no more than a right one."""
        ...


class Watchers(Protocol):
    def watch(self, job: Job) -> None:
        """See to it that this job is driven from now on. Repeats for the same watcher
        number do no
        harm. A failure here is mended by the reconciler, so the job's record comes first."""
        ...


class Scheduler(Protocol):
    """The clock that runs schedules: EventBridge Scheduler, or the embedded loop."""

    def put(self, schedule: Schedule) -> None: ...

    def delete(self, name: str) -> None: ...
