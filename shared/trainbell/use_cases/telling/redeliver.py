"""Tell again: what was given up or lost at its receiver, and what waits for a mended channel."""

from __future__ import annotations

from collections.abc import Sequence

from trainbell.domain.outbox import DeliveryState, OutboxEntry, redelivered
from trainbell.errors import Conflict
from trainbell.use_cases.ground.deliveries import bring_forward
from trainbell.use_cases.ground.services import Services


def redeliver(
    services: Services, job_id: str, *, channel: str | None = None
) -> Sequence[OutboxEntry]:
    """Tell a job's events once more, with the ids that they had; to one channel, or to all.

    What is still pending is only brought forward; of the rest, all to a named channel, and to all
    channels what was given up. Returns the deliveries that are due now.

    Raises:
        NotFound: no such job.
        Conflict: there is nothing of it to tell again.
    """
    services.store.get(job_id)
    now = services.clock.now()
    due: list[OutboxEntry] = []
    for entry in services.store.deliveries(job_id):
        if channel is not None and entry.channel != channel:
            continue
        if entry.state is DeliveryState.PENDING:
            due += bring_forward(services, [entry])
        elif channel is not None or entry.state is DeliveryState.GIVEN_UP:
            again = redelivered(entry, now)
            due += [again] if services.store.requeue(again) else []
    if not due:
        where = f" to channel {channel}" if channel else "; name a channel to repeat what was told"
        raise Conflict(f"nothing of job {job_id} is to be told again{where}")
    return due
