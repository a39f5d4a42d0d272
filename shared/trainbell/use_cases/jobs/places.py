"""A job whose call has no place in the rate budget yet comes back when its place does."""

from __future__ import annotations

from trainbell.domain.job import Job
from trainbell.domain.lifecycle import wait_for_place
from trainbell.use_cases.ground.door import Later
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services


def come_back(services: Services, job: Job, later: Later) -> Job:
    return record(services, job, lambda current: wait_for_place(current, later.at))[0]
