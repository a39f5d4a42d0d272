"""Whatever is in the place of a run's files, nothing blocks and nothing leads elsewhere."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.local.machine import (
    PATIENCE_SECONDS,
    SLEEP,
    Machine,
    until,
)
from trainbell.domain.job import State
from trainbell.errors import (
    ProviderError,
    ProviderJobMissing,
    ProviderReplyInvalid,
)
from trainbell.providers.local.log_tail import MAX_BYTES, tail


def test_the_tail_of_a_log_is_bounded_whatever_is_in_it(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(b"first\n" + b"\n".join(b"line %d" % i for i in range(300_000)))
    assert log.stat().st_size > MAX_BYTES
    assert tail(log, 2) == ("line 299998", "line 299999")
    assert len(tail(log, 9999)) == 1000
    assert tail(log, 0) == ("line 299999",)

    log.write_bytes(b"\xff\x00\x1b[31mred\x1b[0m\x07\n 10%\r 90%\r100%\r\nwide " + b"x" * 9_000_000)
    assert tail(log, 5) == ("x" * 2000,)
    log.write_bytes(b"\xff\x00\x1b[31mred\x1b[0m\x07\n 10%\r 90%\r100%\r\n\n")
    assert tail(log, 5) == ("\ufffdred", "100%", "")
    log.write_bytes(b"")
    assert tail(log, 5) == ()


@pytest.mark.parametrize("job_id", ["", "..", "../job1", "a/b", ".hidden", "x" * 65, 7.5, None])
def test_a_handle_cannot_lead_out_of_the_directory(machine: Machine, job_id: object) -> None:
    for call in (machine.provider.poll, machine.provider.cancel):
        with pytest.raises(ProviderJobMissing):
            call({"job_id": job_id})
    with pytest.raises(ProviderJobMissing):
        machine.provider.logs({}, 5)


def test_a_damaged_record_is_an_answer_that_nobody_can_read(machine: Machine) -> None:
    order = machine.shell("exit 0")
    machine.run(order)
    machine.file(order, "exit.json").write_text('{"exit_code": 0}')

    with pytest.raises(ProviderReplyInvalid, match=r"exit\.json"):
        machine.provider.poll({"job_id": order.job_id})


def test_a_half_written_launch_record_still_counts_as_launched(machine: Machine) -> None:
    order = machine.shell("exit 0")
    directory = machine.root / order.job_id
    directory.mkdir(parents=True)
    (directory / "launch.json").write_text("")

    assert machine.provider.find(order) is not None
    assert machine.provider.poll({"job_id": order.job_id}).vendor_status == "vanished"


def test_testing_the_lock_does_not_get_in_the_way_of_a_start(machine: Machine) -> None:
    order = machine.shell("exit 0")
    directory = machine.root / order.job_id
    directory.mkdir(parents=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        release = threading.Timer(0.1, lambda: fcntl.flock(lock, fcntl.LOCK_UN))
        release.start()
        assert machine.run(order).state is State.SUCCEEDED
        release.join()


def test_only_a_run_that_has_ended_is_removed(machine: Machine) -> None:
    order = machine.order(*SLEEP)
    handle = machine.provider.start(order)
    machine.provider.forget(handle)
    assert machine.provider.poll(handle).state is State.RUNNING
    machine.provider.cancel(handle)
    machine.end_of(handle)

    def gone() -> bool:
        machine.provider.forget(handle)
        return list(machine.root.iterdir()) == []

    until(gone)
    machine.provider.forget(handle)
    with pytest.raises(ProviderJobMissing, match="letters"):
        machine.provider.forget({"job_id": "../elsewhere"})


def test_run_directories_are_the_owners_alone(machine: Machine) -> None:
    order = machine.order(*SLEEP, env={"TOKEN": "x"})
    machine.provider.start(order)
    directory = machine.root / order.job_id
    until((directory / "process.json").exists)

    assert directory.stat().st_mode & 0o777 == 0o700
    assert "TOKEN" not in "".join(f.read_text() for f in directory.glob("*.json"))


RECORDS = ("lock", "launch.json", "process.json", "exit.json", "cancel.json", "passed.json")


@pytest.mark.parametrize("name", ["progress.jsonl", "log.txt", "stderr.txt", *RECORDS])
def test_a_fifo_in_a_files_place_blocks_nobody(machine: Machine, name: str) -> None:
    order = machine.order(*SLEEP)
    handle = machine.provider.start(order)
    until(machine.file(order, "process.json").exists)
    machine.file(order, name).unlink(missing_ok=True)
    os.mkfifo(machine.file(order, name))

    with within_patience():
        for call in (machine.provider.poll, lambda each: machine.provider.logs(each, 5)):
            with contextlib.suppress(ProviderError):
                call(handle)


def test_a_fifo_as_progress_file_is_said_and_the_end_is_seen(machine: Machine) -> None:
    order = machine.shell('mkfifo "$TRAINBELL_PROGRESS_FILE"; until [ -e go ]; do sleep 0.02; done')
    handle = machine.provider.start(order)
    until(machine.file(order, "progress.jsonl").exists)

    with within_patience():
        seen = machine.provider.poll(handle)
    (machine.data_dir / "go").touch()

    assert seen.state is State.RUNNING
    assert "progress.jsonl is no regular file" in (seen.message or "")
    assert machine.end_of(handle).state is State.SUCCEEDED


@pytest.mark.parametrize("name", ["progress.jsonl", "log.txt"])
def test_a_link_in_a_files_place_leads_nowhere(machine: Machine, name: str) -> None:
    secret = machine.data_dir / "secret"
    secret.write_text('{"message": "canary"}\n')
    order = machine.shell("exit 0")
    machine.run(order)
    machine.file(order, name).unlink(missing_ok=True)
    machine.file(order, name).symlink_to(secret)
    handle = {"job_id": order.job_id}

    assert "canary" not in str(machine.provider.poll(handle))
    if name == "log.txt":
        with pytest.raises(ProviderReplyInvalid, match="no regular file"):
            machine.provider.logs(handle, 5)


def test_a_huge_progress_file_is_read_at_its_end_only(machine: Machine) -> None:
    order = machine.shell("exit 0")
    machine.run(order)
    with machine.file(order, "progress.jsonl").open("wb") as file:
        file.truncate(1 << 40)  # sparse
        file.seek(0, os.SEEK_END)
        file.write(b'\n{"progress": 0.5}\n')

    assert machine.provider.poll({"job_id": order.job_id}).progress is not None


@contextlib.contextmanager
def within_patience() -> Iterator[None]:
    """A call that blocks is interrupted, and the test fails."""

    def give_up(*_: object) -> None:
        raise AssertionError("it blocks")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(int(PATIENCE_SECONDS))
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
