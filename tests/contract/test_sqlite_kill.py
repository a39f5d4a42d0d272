"""A process killed at any point of a write loop loses nothing that was acknowledged."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.contract import sqlite_write_loop
from tests.contract.sqlite_write_loop import POLLS
from tests.contract.store_builders import all_events
from trainbell.domain.job import Job, State
from trainbell.ports import JobQuery, Store
from trainbell.stores.sqlite.store import SqliteStore

ROUNDS = 20
ROOT = Path(__file__).parents[2]


def acknowledged_before_the_kill(path: Path, first: int, lines: int) -> list[list[str]]:
    """Start the loop, kill it after so many lines, and give all complete lines it wrote."""
    script = str(sqlite_write_loop.__file__)
    with subprocess.Popen(
        [sys.executable, script, str(path), str(first)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as loop:
        assert loop.stdout is not None
        written = [loop.stdout.readline() for _ in range(lines)]
        loop.send_signal(signal.SIGKILL)
        written.extend(loop.stdout.readlines())
        loop.wait()
    assert loop.returncode == -signal.SIGKILL
    return [line.decode().split() for line in written if line.endswith(b"\n")]


def check_acknowledged(store: Store, lines: list[list[str]]) -> None:
    for verb, job_id, *revision in lines:
        job = store.get(job_id)
        if verb == "polled":
            assert job.revision >= int(revision[0])
        if verb == "ended":
            assert job.state is State.SUCCEEDED


def check_whole(store: Store, job: Job) -> None:
    """Job, events and holds tell the same story."""
    ended = job.state is State.SUCCEEDED
    assert job.revision == (POLLS + 2 if ended else job.watch.polls + 1)
    assert job.order.parameters == {"text": "x" * 9000}
    assert [event.sequence for event in all_events(store, job)] == ([1, 2] if ended else [1])
    assert store.find_by_hold(f"name:{job.id}") == (None if ended else job.id)


def test_a_killed_process_loses_nothing_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    path = tmp_path / "trainbell.db"
    chance = random.Random(20260302)
    lines: list[list[str]] = []
    for number in range(ROUNDS):
        lines += acknowledged_before_the_kill(path, number * 10_000, chance.randint(1, 120))
    assert len(lines) >= ROUNDS

    store = SqliteStore(path)
    check_acknowledged(store, lines)
    jobs = store.list(JobQuery(project="default", limit=1_000_000)).items
    for job in jobs:
        check_whole(store, job)
    ended = [job for job in jobs if job.state is State.SUCCEEDED]
    told = store.claim_outbox(jobs[0].created_at, 60, 1_000_000)
    assert sorted(entry.id for entry in told) == sorted(
        event.id for job in jobs for event in all_events(store, job)
    )
    counted = store.durations(["all"]).by_likeness
    assert counted == (({1: len(ended)} if ended else {}),)
    for job in jobs:
        tagged = store.list(JobQuery(project="default", tag=("number", job.order.tags["number"])))
        assert tagged.items == (job,)
    store.close()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
