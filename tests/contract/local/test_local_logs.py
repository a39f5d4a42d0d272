"""What the command wrote: in order, within its cap, kept for a while; its last words as reason."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contract.local.machine import Machine, until
from trainbell.clock import SystemClock
from trainbell.providers.local.log_tail import tail
from trainbell.providers.local.parameters import LocalOptions
from trainbell.providers.local.passed_variables import pass_on
from trainbell.providers.local.retention import Keeping, remove_old_logs
from trainbell.providers.local.supervisor.output import Output

MB = 1_000_000


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "echo hi; echo loading >&2; echo 'CUDA out of memory' >&2; echo goodbye; exit 1",
            "CUDA out of memory (the command ended with exit code 1) Before that: loading",
        ),
        ("echo 'api_key=sk-canary-123' >&2; exit 2", "api_key=*** (the command ended with exit"),
        ("printf 'no line feed' >&2; exit 2", "no line feed (the command ended with exit code 2)"),
        ("printf '\\n  \\n' >&2; exit 2", "The command ended with exit code 2."),
        ("echo 'Terminated' >&2; kill -KILL $$", "Terminated (the command was ended by SIGKILL"),
    ],
)
def test_the_last_words_of_a_failure_are_its_reason(
    machine: Machine, script: str, message: str
) -> None:
    seen = machine.run(machine.shell(script))

    assert (seen.message or "").startswith(message)


def test_of_a_training_that_ended_well_standard_error_says_nothing(machine: Machine) -> None:
    assert machine.run(machine.shell("echo 'UserWarning: old' >&2")).message is None


def test_a_value_that_was_passed_by_name_is_masked_in_the_reason(machine: Machine) -> None:
    passed = pass_on(machine.root, {"PLAIN_NAME": "canary-value"})
    order = machine.shell('echo "refused: $PLAIN_NAME" >&2; exit 1', passed=passed)

    assert (machine.run(order).message or "").startswith("refused: ***")


def test_both_streams_are_in_the_log_in_order(machine: Machine) -> None:
    order = machine.shell(
        "for i in 1 2 3; do echo out $i; echo err $i >&2;"
        ' until grep -q "err $i" "${TRAINBELL_PROGRESS_FILE%/*}/log.txt"; do sleep 0.01; done;'
        " done"
    )
    machine.run(order)

    said = machine.provider.logs({"job_id": order.job_id}, 10)
    assert said == ("out 1", "err 1", "out 2", "err 2", "out 3", "err 3")


def test_without_supervisor_standard_error_is_still_shown(machine: Machine) -> None:
    order = machine.shell("until [ -e go ]; do sleep 0.02; done; echo late >&2; exec sleep 60")
    handle = machine.provider.start(order)
    machine.kill_supervisor(order)
    (machine.data_dir / "go").touch()

    until(lambda: "late" in machine.provider.logs(handle, 10))


def test_a_log_that_outgrows_its_cap_keeps_head_and_tail_and_frees_the_rest(
    machine: Machine,
) -> None:
    machine.provider = machine.a_provider(options=LocalOptions(log_cap_mb=1))
    order = machine.shell("echo first; yes 0123456789abcdef | head -n 1200000; echo last")
    machine.run(order)

    log = machine.file(order, "log.txt")
    assert log.stat().st_blocks * 512 <= 1.25 * MB
    assert log.read_bytes().startswith(b"first\n")
    said = machine.provider.logs({"job_id": order.job_id}, 1000)
    assert said[-1] == "last"
    assert "[... cut here: the log has outgrown its cap ...]" not in said[-10:]


def test_where_no_hole_can_be_made_the_log_is_cut_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainbell.providers.local.supervisor.kernel.punch_hole", lambda *_: False)
    output = Output(str(tmp_path), 1 * MB)
    os.write(output.log, b"first\n" + b"x\n" * 2 * MB + b"last\n")
    os.write(output.errors, b"e\n" * MB + b"CUDA out of memory\n")

    output.finish()

    log = (tmp_path / "log.txt").read_bytes()
    assert len(log) < 1 * MB
    assert log.startswith(b"first\n")
    assert tail(tmp_path / "log.txt", 1) == ("CUDA out of memory",)
    assert b"cut here" in log
    assert tail(tmp_path / "stderr.txt", 1) == ("CUDA out of memory",)
    os.close(output.log)
    os.close(output.errors)


def test_a_hole_is_shown_as_one_line(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(b"head\n" + b"\0" * 100_000 + b"half a line\ntail\n")

    assert tail(log, 9) == (
        "head",
        "",
        "[... cut here: the log has outgrown its cap ...]",
        "half a line",
        "tail",
    )


def test_old_logs_go_and_how_it_ended_stays(machine: Machine) -> None:
    old, new = machine.shell(WRITE_MUCH), machine.shell(WRITE_MUCH)
    for order in (old, new):
        machine.run(order)
    until(lambda: machine.is_gone(old) and machine.is_gone(new))
    now = SystemClock().now()
    month_ago = (now - timedelta(days=31)).timestamp()
    os.utime(machine.file(old, "exit.json"), (month_ago, month_ago))

    assert remove_old_logs(machine.root, Keeping(days=30, megabytes=1000), now) == 1

    said = "This log was removed: logs are kept for 30 days, and all together up to 1000 MB."
    assert machine.provider.logs({"job_id": old.job_id}, 5) == (said,)
    assert machine.provider.poll({"job_id": old.job_id}).exit_code == 0
    assert len(machine.provider.logs({"job_id": new.job_id}, 5)) == 5
    assert remove_old_logs(machine.root, Keeping(days=30, megabytes=1000), now) == 0


def test_the_oldest_logs_go_until_the_rest_fits_and_never_a_living_runs(machine: Machine) -> None:
    orders = [machine.shell(WRITE_MUCH) for _ in range(3)]
    living = machine.shell(f"{WRITE_MUCH}; exec sleep 60")
    now = SystemClock().now()
    for order in orders:
        machine.run(order)
    until(lambda: all(map(machine.is_gone, orders)))
    for age, order in enumerate(reversed(orders)):
        at = (now - timedelta(hours=age)).timestamp()
        os.utime(machine.file(order, "exit.json"), (at, at))
    machine.provider.start(living)
    until(lambda: machine.file(living, "log.txt").stat().st_size > MB)

    assert remove_old_logs(machine.root, Keeping(days=30, megabytes=2.5), now) == 1

    sizes = [machine.file(order, "log.txt").stat().st_size for order in [*orders, living]]
    assert sizes[0] < 1000
    assert all(size > MB for size in sizes[1:])


def test_a_start_removes_what_is_too_old(machine: Machine) -> None:
    old = machine.shell(WRITE_MUCH)
    machine.run(old)
    until(lambda: machine.is_gone(old))
    long_ago = (SystemClock().now() - timedelta(days=2)).timestamp()
    os.utime(machine.file(old, "exit.json"), (long_ago, long_ago))

    machine.a_provider(options=LocalOptions(keep_logs_days=1)).start(machine.shell("exit 0"))

    assert machine.file(old, "log.txt").stat().st_size < 1000
    assert json.loads(machine.file(old, "exit.json").read_bytes())["exit_code"] == 0


WRITE_MUCH = "yes 0123456789abcdef | head -c 1100000"
