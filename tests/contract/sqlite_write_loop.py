"""A process that writes jobs until it is killed, and says what was acknowledged.

`python sqlite_write_loop.py <database> <first job number>`. One line for each acknowledged write:
`created <id>`, `polled <id> <revision>`, `ended <id>`.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path

from tests.builders import changed
from tests.contract.store_builders import an_entry, an_event, job_number
from trainbell.domain.job import EndReason, State
from trainbell.ports import Change
from trainbell.stores.sqlite.store import SqliteStore

POLLS = 3


def write_jobs(path: Path, first: int) -> None:
    store = SqliteStore(path)
    for number in itertools.count(first):
        # Long enough for several pages, so that a torn write would show.
        new = job_number(number, parameters={"text": "x" * 9000}, tags={"number": str(number)})
        events, outbox = (an_event(new, 1),), (an_entry(new, 1),)
        job, _ = store.create(
            Change(job=new, events=events, outbox=outbox, take=(f"name:{new.id}",))
        )
        acknowledge("created", job.id)
        for _ in range(POLLS):
            job = store.save(Change(job=changed(job, polls=job.watch.polls + 1)))
            acknowledge("polled", job.id, job.revision)
        ended = replace(job, state=State.SUCCEEDED, end_reason=EndReason.COMPLETED)
        end = Change(
            job=ended,
            events=(an_event(ended, 2),),
            outbox=(an_entry(ended, 2),),
            release=(f"name:{job.id}",),
            duration_keys=("all",),
            duration_bin=1,
        )
        job = store.save(end)
        acknowledge("ended", job.id)


def acknowledge(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    write_jobs(Path(sys.argv[1]), int(sys.argv[2]))
