"""The tail of a job's log, as its service has it."""

from __future__ import annotations

from collections.abc import Sequence

from trainbell.errors import NotSupported
from trainbell.use_cases.ground.door import door_of
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
    if not spec.logs(job.order.kind):
        whose = f" of a {job.order.kind}" if spec.has_logs else ""
        raise NotSupported(f"{spec.title} shows no logs{whose}")
    if job.handle is None:
        return []
    handle = job.handle
    found = door_of(services, job).call(lambda service: service.logs(handle, lines))
    return _bounded(found[-lines:])


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
