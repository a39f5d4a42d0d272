"""Would this schedule's job start, if it were due? Tried without starting anything."""

from __future__ import annotations

from trainbell.domain.schedule_times import next_due_of
from trainbell.domain.settings import Schedule
from trainbell.errors import InputInvalid, NotFound, Problem
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.job_request import check_job_request
from trainbell.use_cases.schedules.scheduled_job import due_text, scheduled_body

NAMES_SHOWN = 20


def find_schedule(services: Services, name: str) -> Schedule:
    """Raises NotFound, naming those that exist."""
    schedule = services.store.get_config(Schedule, name)
    if schedule is not None:
        return schedule
    page = services.store.list_config(Schedule, limit=NAMES_SHOWN)
    names = ", ".join(each.name for each in page.items) + (", …" if page.next_cursor else "")
    known = f"these exist: {names}" if names else "none is configured yet"
    raise NotFound(f"there is no schedule {name!r}; {known}")


def try_schedule(services: Services, name: str) -> str:
    """Check its job as a request would be checked now. Says when it is next due.

    Raises:
        NotFound: no such schedule.
        InputInvalid: its job could not start, e.g. because its connection is gone.
    """
    schedule = find_schedule(services, name)
    now = services.clock.now()
    due_at = next_due_of(schedule, now)
    try:
        check_job_request(services, scheduled_body(schedule, due_at or now))
    except InputInvalid as exc:
        raise InputInvalid([Problem(f"job.{p.path}", p.message) for p in exc.problems]) from exc
    if not schedule.enabled:
        return "its job could start, but it is switched off"
    if due_at is None:
        return "its job could start, but it is not due any more"
    return f"its job could start; it is next due at {due_text(due_at)}"
