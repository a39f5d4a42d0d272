"""Fills a data directory with running DeepVA jobs; Trainbell then begins as after a restart."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from random import SystemRandom

from benchmarks.parts.watch_trainbell import SECRET
from benchmarks.parts.watched_jobs import Task, read_task
from trainbell.bootstrap.embedded import DATABASE
from trainbell.clock import SystemClock
from trainbell.domain.ids import new_job_id
from trainbell.domain.job import Job, StartAttempts, State, Watch
from trainbell.domain.order import Order
from trainbell.domain.settings import Connection
from trainbell.ports import Change
from trainbell.stores.sqlite.store import SqliteStore

JOBS_A_SECOND = 2000
"""How many can surely be stored in a second: none must be due before all are there."""
WRITERS = 16


def prepare(task: Task) -> None:
    directory = Path(task.directory)
    store = SqliteStore(directory / DATABASE)
    store.put_config(
        Connection(name="deepva", provider="deepva", base_url=task.base_url, secret=f"env:{SECRET}")
    )
    random, now = SystemRandom(), SystemClock().now()
    begin = now + timedelta(seconds=2 + task.jobs / JOBS_A_SECOND)

    def create(number: int) -> None:
        due = begin + timedelta(seconds=task.first_wait(number))
        identity = new_job_id(now, random.getrandbits)
        store.create(Change(job=a_running_job(task, number, identity, now, due)))

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(create, range(task.jobs)))
    store.close()


def a_running_job(task: Task, number: int, identity: str, now: datetime, due: datetime) -> Job:
    """As `request_job` and `start_job` leave it behind, with a fixed interval."""
    return Job(
        id=identity,
        order=Order(
            provider="deepva",
            connection="deepva",
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
