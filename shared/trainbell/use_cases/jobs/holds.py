"""Exclusive keys of a job while it lives: its name, dataset, model, a slot of its connection."""

from __future__ import annotations

import hashlib
import json

from trainbell.domain.job import Job
from trainbell.domain.settings import Connection
from trainbell.domain.slots import slot_hold, slots_of
from trainbell.ports import Handle, ProviderSpec
from trainbell.use_cases.ground.door import Door
from trainbell.use_cases.ground.recording import NAME_HOLD
from trainbell.use_cases.ground.services import Services


def name_hold(project: str, name: str) -> str:
    return f"{NAME_HOLD}{project}:{name}"


def handle_hold(door: Door, handle: Handle) -> str:
    """One training is one job's: the connection and what the service knows the training by."""
    known_by = json.dumps(handle, sort_keys=True, separators=(",", ":"), default=str)
    digest = hashlib.sha256(known_by.encode()).hexdigest()[:32]
    return f"handle:{door.connection.name}:{digest}"


def busy_holds(
    services: Services, job: Job, spec: ProviderSpec, connection: Connection
) -> tuple[str, ...]:
    """The holds that `job` still needs before it may be at its service.

    Whether they are free is decided by the write that takes them: it is refused with HoldTaken.
    """
    holds = []
    if spec.one_active_per_dataset and job.order.dataset is not None:
        holds.append(f"dataset:{connection.name}:{job.order.dataset}")
    kind = spec.kinds.get(job.order.kind)
    if kind is not None and kind.one_active_per_model and job.order.model is not None:
        holds.append(f"model:{connection.name}:{job.order.model}")
    if connection.max_active is not None:
        holds.append(_slot(services, job, connection.name, connection.max_active))
    return tuple(hold for hold in holds if hold not in job.holds)


def _slot(services: Services, job: Job, connection: str, slots: int) -> str:
    """The job's own, or one that is free; where none is, one whose holder the write will name."""
    mine = [hold for hold in job.holds if hold.startswith(slots_of(connection))]
    if mine:
        return mine[0]
    first = int.from_bytes(job.id.encode()[-4:]) % slots  # Spread, so that few ask for the same.
    free = services.store.free_slot(connection, slots, first=first)
    return slot_hold(connection, first) if free is None else free
