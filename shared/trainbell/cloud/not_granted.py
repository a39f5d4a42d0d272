"""What a function has in place of a port that its role does not grant."""

from __future__ import annotations

from trainbell.domain.job import Job
from trainbell.domain.settings import Schedule
from trainbell.errors import ConfigInvalid


class NoWatchers:
    """Of a function that starts no watchers."""

    def watch(self, job: Job) -> None:  # noqa: ARG002 - the port's
        raise ConfigInvalid("TRAINBELL_STATE_MACHINE_ARN is not set for this function")


class NoScheduler:
    """Of a function that manages no schedules."""

    def put(self, schedule: Schedule) -> None:  # noqa: ARG002
        raise ConfigInvalid("TRAINBELL_SCHEDULE_* is not set for this function")

    def delete(self, name: str) -> None:  # noqa: ARG002
        raise ConfigInvalid("TRAINBELL_SCHEDULE_* is not set for this function")
