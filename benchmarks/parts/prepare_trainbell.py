"""Fills a data directory with running DeepVA jobs; Trainbell then begins as after a restart."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import SystemRandom

from benchmarks.parts.processes import wait_until
from benchmarks.parts.watch_trainbell import SECRET
from benchmarks.parts.watched_jobs import JOBS_OF_A_HUNG_ONE, Task, read_task
from trainbell.bootstrap.embedded import DATABASE
from trainbell.clock import SystemClock
from trainbell.domain.ids import new_job_id
from trainbell.domain.job import Job, StartAttempts, State, Watch
from trainbell.domain.order import Order
from trainbell.domain.secret_bounds import Bound
from trainbell.domain.settings import Connection
from trainbell.ports import Change
from trainbell.secret_list import SecretList
from trainbell.stores.sqlite.store import SqliteStore

JOBS_A_SECOND = 2000
"""How many can surely be stored in a second: none must be due before all are there."""
WRITERS = 16
START_SECONDS = 1.0
"""About what Trainbell takes to begin."""


def prepare(task: Task) -> None:
    directory = Path(task.directory)
    hosts = [f"127.0.0.1:{port}" for port in (task.port, task.silent_port)]
    SecretList(directory).allow(f"env:{SECRET}", Bound.of(hosts, "deepva"))
    store = SqliteStore(directory / DATABASE)
    for number in range(task.connections):
        store.put_config(_connection(f"deepva-{number}", task.base_url))
    for number in range(task.hung):
        store.put_config(_connection(f"hung-{number}", task.silent_url))
    random, now = SystemRandom(), SystemClock().now()
    all_jobs = task.jobs + task.hung * JOBS_OF_A_HUNG_ONE
    begin = now + timedelta(seconds=2 + all_jobs / JOBS_A_SECOND)

    def create(number: int) -> None:
        due = begin + timedelta(seconds=task.first_wait(number))
        connection = f"deepva-{number % task.connections}"
        if number >= task.jobs:
            connection = f"hung-{(number - task.jobs) % task.hung}"
            due = begin
        identity = new_job_id(now, random.getrandbits)
        job = a_running_job(task, number, identity, now, due)
        order = replace(job.order, connection=connection)
        store.create(Change(job=replace(job, order=order)))

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(create, range(all_jobs)))
    store.close()
    # Begun much earlier, Trainbell would find jobs that wait for longer than their interval, and
    # rightly believe that its clock had been ahead.
    left = begin - timedelta(seconds=START_SECONDS) - SystemClock().now()
    wait_until(time.monotonic() + left.total_seconds())


def _connection(name: str, base_url: str) -> Connection:
    return Connection(name=name, provider="deepva", base_url=base_url, secret=f"env:{SECRET}")


def a_running_job(task: Task, number: int, identity: str, now: datetime, due: datetime) -> Job:
    """As `request_job` and `start_job` leave it behind, with a fixed interval."""
    return Job(
        id=identity,
        order=Order(
            provider="deepva",
            connection="deepva-0",
            kind="train",
            parameters={"source_dataset_id": "8a1f1d5e-9d1c-4a59-8d3b-6a1df2c6b001"},
            min_interval_seconds=task.interval,
            max_interval_seconds=task.interval,
        ),
        created_at=now,
        state=State.RUNNING,
        handle={"id": task.training(number)},
        start=StartAttempts(sent_at=now, attempts=1),
        started_at=now,
        updated_at=now,
        watch=Watch(next_poll_at=due),
    )


if __name__ == "__main__":
    prepare(read_task())
