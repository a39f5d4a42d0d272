"""The tail of a job's log, as its service has it."""

from __future__ import annotations

from collections.abc import Sequence

from trainbell.errors import NotFound, NotSupported, ProviderThrottled
from trainbell.use_cases.ground.find_connection import find_connection
from trainbell.use_cases.ground.services import Services

LINES_AT_MOST = 1000
CHARACTERS_PER_LINE = 4000
CHARACTERS_AT_MOST = 1_000_000


def read_logs(services: Services, job_id: str, lines: int) -> Sequence[str]:
    """The last `lines` lines, oldest first; fewer where they are very long. None before its start.

    Raises:
        NotFound: no such job.
        NotSupported: the service shows no logs.
        ProviderError: the service did not answer well, or its rate budget is used up for now.
    """
    job = services.store.get(job_id)
    spec = services.providers.spec(job.order.provider)
    if not spec.has_logs:
        raise NotSupported(f"{spec.title} shows no logs")
    if job.handle is None:
        return []
    connection = find_connection(services, job.order.connection)
    if connection.provider != job.order.provider:
        raise NotFound(f"connection {connection.name} is now of provider {connection.provider}")
    budget = connection.calls_per_minute or spec.calls_per_minute
    if budget is not None:
        _take_place(services, connection.name, budget)
    found = services.providers.client(connection).logs(job.handle, lines)
    return _bounded(found[-lines:])


def _take_place(services: Services, connection: str, calls_per_minute: float) -> None:
    now = services.clock.now()
    place = services.store.reserve_call(connection, calls_per_minute, now)
    if place > now:
        raise ProviderThrottled(
            f"the rate budget of connection {connection} is used up for now",
            retry_after_seconds=(place - now).total_seconds(),
        )


def _bounded(lines: Sequence[str]) -> Sequence[str]:
    kept: list[str] = []
    room = CHARACTERS_AT_MOST
    for line in reversed(lines):
        text = line[:CHARACTERS_PER_LINE]
        room -= len(text)
        if room < 0:
            break
        kept.append(text)
    return kept[::-1]
