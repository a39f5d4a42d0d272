"""A slow service must not hold the loop back: it adds threads while orders are left waiting."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from tests.builders import NOON, a_caller, a_running_job
from tests.toy_service import ToyChannels, ToyService
from trainbell.domain.settings import Connection, Schedule
from trainbell.embedded.loop import Loop, LoopWatchers
from trainbell.embedded.pollers import AT_FIRST
from trainbell.embedded.shares import AT_MOST
from trainbell.ports import Change, Notice, Provider
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.cancel_job import cancel_job
from trainbell.use_cases.jobs.request_job import request_job

JOBS = AT_FIRST + 4
PATIENCE_SECONDS = 20.0
TOY_ORDER = {"provider": "toy", "connection": "toy", "kind": "train"}


def test_polls_that_wait_for_the_service_do_not_keep_others_from_being_made(
    services: Services, service: ToyService
) -> None:
    all_at_once = threading.Barrier(JOBS + 1)

    def wait_for_the_others() -> None:
        all_at_once.wait(PATIENCE_SECONDS)

    service.on_poll = wait_for_the_others
    for number in range(JOBS):
        job = a_running_job(id=f"01job{number:021d}", provider="toy", connection="toy")
        services.store.create(Change(job=job))
    loop = Loop(services, LoopWatchers())
    loop.start()
    try:
        # Passed only when every job is at its service at the same time.
        all_at_once.wait(PATIENCE_SECONDS)
        assert loop.polling_threads >= JOBS
    finally:
        all_at_once.abort()
        ended = loop.stop(PATIENCE_SECONDS)
    assert ended
    assert service.polls == JOBS


def test_a_service_that_hangs_does_not_keep_jobs_of_others_waiting(
    services: Services, service: ToyService
) -> None:
    let_go, looked_after = threading.Event(), threading.Event()
    hanging = threading.local()

    def answer() -> None:
        if getattr(hanging, "job", False):
            let_go.wait(PATIENCE_SECONDS)

    original = services.providers.client

    def client(connection: Connection) -> Provider:
        # Each look asks for its connection's client first, in the thread that then polls.
        hanging.job = connection.name == "hangs"
        if connection.name == "well":
            looked_after.set()
        return original(connection)

    services.providers.client = client  # type: ignore[method-assign]
    service.on_poll = answer
    for name in ("hangs", "well"):
        services.store.put_config(Connection(name=name, provider="toy", created_at=NOON))
    for number in range(3 * AT_MOST):
        job = a_running_job(id=f"01bad{number:021d}", provider="toy", connection="hangs")
        services.store.create(Change(job=job))
    last = a_running_job(
        id="01well", provider="toy", connection="well", next_poll_at=NOON + timedelta(seconds=9)
    )
    services.store.create(Change(job=last))
    service.clock.advance(10)
    loop = Loop(services, LoopWatchers())
    loop.start()
    try:
        assert looked_after.wait(PATIENCE_SECONDS)
        assert not let_go.is_set()
    finally:
        let_go.set()
        assert loop.stop(PATIENCE_SECONDS)


def test_a_receiver_that_hangs_does_not_hold_up_schedules(
    services: Services, service: ToyService
) -> None:
    """A webhook that dripped its answer held them up past 45 s."""
    let_go, is_telling = threading.Event(), threading.Event()

    def hang(_: Notice) -> None:
        is_telling.set()
        let_go.wait(PATIENCE_SECONDS)

    channels = services.channels
    assert isinstance(channels, ToyChannels)
    channels.collector.on_send = hang
    ended, _ = request_job(services, TOY_ORDER, by=a_caller())
    cancel_job(services, ended.id, by=a_caller())
    loop = Loop(services, LoopWatchers())
    loop.start()
    try:
        assert is_telling.wait(PATIENCE_SECONDS)
        services.store.put_config(
            Schedule(name="due", expression="rate(1 hour)", job=TOY_ORDER, next_due_at=NOON)
        )
        patience = time.monotonic() + PATIENCE_SECONDS
        while _last_run(services) is None and time.monotonic() < patience:
            let_go.wait(0.01)
        assert _last_run(services) is not None
        assert not let_go.is_set()
    finally:
        let_go.set()
        assert loop.stop(PATIENCE_SECONDS)


def _last_run(services: Services) -> str | None:
    schedule = services.store.get_config(Schedule, "due")
    assert schedule is not None
    return schedule.last_job_id
