"""Real trainings, watched to their end."""

from __future__ import annotations

import pytest

from tests.contract.local.machine import (
    EXAMPLES,
    SLEEP,
    Machine,
)
from trainbell.domain.job import EndReason, State


def test_a_training_is_watched_to_its_end_with_all_that_it_reported(machine: Machine) -> None:
    order = machine.order(
        "python",
        "-c",
        "import sys; from trainbell.training import report; print('hello');"
        "print('careful', file=sys.stderr);"
        "report(progress=0.5, accuracy=0.9, message='half', stage='training')",
    )
    seen = machine.run(order)

    assert (seen.state, seen.end_reason) == (State.SUCCEEDED, EndReason.COMPLETED)
    assert (seen.exit_code, seen.signal, seen.vendor_status) == (0, None, "completed")
    assert (seen.progress, seen.message, seen.stage) == (0.5, "half", "training")
    assert seen.performance.metrics == {"accuracy": 0.9}
    assert seen.started_at is not None
    assert seen.ended_at is not None
    assert seen.started_at < seen.ended_at
    assert set(machine.provider.logs({"job_id": order.job_id}, 10)) == {"hello", "careful"}


def test_it_is_seen_running_before(machine: Machine) -> None:
    seen = machine.provider.poll(machine.provider.start(machine.order(*SLEEP)))

    assert (seen.state, seen.vendor_status, seen.exit_code) == (State.RUNNING, "running", None)
    assert seen.started_at is not None


@pytest.mark.parametrize(
    ("script", "end", "words"),
    [
        ("exit 3", (EndReason.EXIT_CODE, 3, None), "exit code 3"),
        ("kill -KILL $$", (EndReason.SIGNAL, None, "SIGKILL"), "SIGKILL"),
        ("kill -SEGV $$", (EndReason.SIGNAL, None, "SIGSEGV"), "SIGSEGV"),
        ("kill -TERM $$", (EndReason.SIGNAL, None, "SIGTERM"), "SIGTERM"),
        ("kill -HUP $$; sleep 9", (EndReason.SIGNAL, None, "SIGHUP"), "SIGHUP"),
    ],
)
def test_how_it_ended_is_said(
    machine: Machine, script: str, end: tuple[EndReason, int | None, str | None], words: str
) -> None:
    seen = machine.run(machine.shell(script))

    assert seen.state is State.FAILED
    assert (seen.end_reason, seen.exit_code, seen.signal) == end
    assert words in (seen.message or "")


def test_the_examples_are_real_trainings(machine: Machine) -> None:
    poor = machine.order("python", str(EXAMPLES / "digits.py"), "--epochs=3", "--hidden=2")
    good = machine.order("python", str(EXAMPLES / "digits.py"), "--epochs=3", "--hidden=64")
    failing = machine.order("python", str(EXAMPLES / "failing.py"), "--epoch-seconds=0")
    shell = machine.order(str(EXAMPLES / "any_language.sh"), "3", env={"EPOCH_SECONDS": "0"})
    handles = [machine.provider.start(order) for order in (poor, good, failing, shell)]
    poor_end, good_end, failing_end, shell_end = map(machine.end_of, handles)

    assert poor_end.state is good_end.state is State.SUCCEEDED
    worse, better = poor_end.performance.metrics, good_end.performance.metrics
    assert set(better) == {"accuracy", "log_loss", "ece"}
    assert worse["accuracy"] < 0.8 < better["accuracy"]
    assert set(good_end.performance.per_tag) == {str(digit) for digit in range(10)}
    assert len(good_end.performance.curve) == 3
    assert (failing_end.end_reason, failing_end.exit_code) == (EndReason.EXIT_CODE, 3)
    assert failing_end.performance.metrics["loss"] > 1e300
    assert (shell_end.state, shell_end.progress) == (State.SUCCEEDED, 1.0)
    assert shell_end.performance.metrics == {"loss": 0.25}
