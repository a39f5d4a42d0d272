"""The local provider with real processes: started once, watched truly, ended once, cancelled."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.builders import a_connection
from trainbell.clock import SystemClock
from trainbell.conformance import ProviderConformance, Subject
from trainbell.domain.job import EndReason, State
from trainbell.domain.observation import Observation
from trainbell.errors import (
    ConfigInvalid,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.ports import ProviderContext, StartOrder
from trainbell.providers.local import PROVIDER
from trainbell.providers.local.launching import SUPERVISOR, Answer, Outcome, hand_over
from trainbell.providers.local.log_tail import MAX_BYTES, tail
from trainbell.providers.local.parameters import LocalOptions
from trainbell.providers.local.provider import LocalProvider
from trainbell.providers.local.status_map import STATUS_MAP, Status

PATIENCE_SECONDS = 20.0
EXAMPLES = Path(__file__).parents[2] / "examples"
SLEEP = ["sleep", "60"]
LOOP = "touch up; while :; do sleep 0.05; done"


class Machine:
    """A data directory, its provider, and everything that runs below it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.root = data_dir / "local"
        self.provider = self.a_provider()
        self.orders = 0

    def a_provider(self, **given: Any) -> LocalProvider:
        """As after a restart of Trainbell: nothing is kept but the disk."""
        environment = {"PATH": os.environ["PATH"], "HOME": "/h", "TRAINBELL_TOKEN": "t", "KEY": "k"}
        fields = {"options": LocalOptions(), "own_environment": environment, **given}
        return LocalProvider(root=self.root, clock=SystemClock(), **fields)

    def order(self, *command: str, **parameters: Any) -> StartOrder:
        self.orders += 1
        return StartOrder(
            job_id=f"job{self.orders}",
            kind="train",
            parameters={"command": list(command), "cwd": str(self.data_dir), **parameters},
        )

    def shell(self, script: str, **parameters: Any) -> StartOrder:
        return self.order("/bin/sh", "-c", script, **parameters)

    def run(self, order: StartOrder) -> Observation:
        return self.end_of(self.provider.start(order))

    def end_of(self, handle: Mapping[str, Any]) -> Observation:
        until(lambda: state(self.provider.poll(handle)).is_end)
        return self.provider.poll(handle)

    def file(self, order: StartOrder, name: str) -> Path:
        return self.root / order.job_id / name

    def record(self, order: StartOrder, name: str) -> dict[str, Any]:
        until(self.file(order, name).exists)
        record: dict[str, Any] = json.loads(self.file(order, name).read_bytes())
        return record

    def kill_supervisor(self, order: StartOrder) -> None:
        self.record(order, "process.json")
        supervisor = psutil.Process(self.record(order, "launch.json")["supervisor"])
        supervisor.kill()
        until(lambda: not alive(supervisor))

    def processes(self) -> list[psutil.Process]:
        """All that has one of our run directories open or in its environment."""
        return [p for p in psutil.process_iter() if belongs(p, self.root)]


def state(observation: Observation) -> State:
    assert observation.state is not None
    return observation.state


def alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def belongs(process: psutil.Process, root: Path) -> bool:
    with contextlib.suppress(psutil.Error):
        if str(root) in process.environ().get("TRAINBELL_PROGRESS_FILE", ""):
            return True
        return str(SUPERVISOR) in process.cmdline() and any(
            file.path.startswith(str(root)) for file in process.open_files()
        )
    return False


def until(condition: Callable[[], bool]) -> None:
    """Wait for real processes, which no fake clock can hurry."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    for process in made.processes():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    until(lambda: not made.processes())


@pytest.fixture
def foreign() -> Iterator[subprocess.Popen[bytes]]:
    """A process of somebody else, leader of its own group."""
    with subprocess.Popen(SLEEP, start_new_session=True) as process:
        yield process
        process.kill()


# ---------------------------------------------------------------- to its end


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


def test_the_command_sees_what_it_is_meant_to_see(machine: Machine) -> None:
    order = machine.order(
        "python",
        "-c",
        "import os, sys, json, signal;"
        "print(json.dumps([dict(os.environ), sys.executable, os.getcwd(), sys.argv[1],"
        "signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, os.getpgid(0) == os.getpid()]))",
        "zażółć ☃ 'quoted' $HOME",
        env={"KEY2": "wert ü", "HOME": "/elsewhere"},
    )
    machine.run(order)

    said = machine.file(order, "log.txt").read_text(encoding="utf-8")
    environment, executable, cwd, argument, default_signals, own_group = json.loads(said)
    assert Path(executable) == Path(sys.executable)
    assert Path(cwd) == machine.data_dir
    assert argument == "zażółć ☃ 'quoted' $HOME"
    assert default_signals
    assert own_group
    assert environment["KEY2"] == "wert ü"
    assert environment["HOME"] == "/elsewhere"
    assert {name for name in environment if name.startswith("TRAINBELL_")} == {
        "TRAINBELL_JOB_ID",
        "TRAINBELL_PROGRESS_FILE",
    }
    assert "KEY" not in environment


def test_a_connection_may_let_more_of_the_environment_pass(machine: Machine) -> None:
    machine.provider = machine.a_provider(options=LocalOptions(pass_environment=["KEY"]))
    order = machine.shell("echo $KEY")
    machine.run(order)

    assert machine.provider.logs({"job_id": order.job_id}, 1) == ("k",)


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


# ---------------------------------------------------------------- not started at all


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"command": ["no-such-program"]}, "no program 'no-such-program'"),
        ({"command": ["/"]}, "no program '/'"),
        ({"command": ["./missing.sh"]}, "no program './missing.sh'"),
        ({"command": ["sleep", "1"], "cwd": "/no/such/place"}, "no directory /no/such/place"),
        ({"command": ["sleep", "1"], "cwd": "relative"}, "absolute"),
        ({"command": []}, "parameters.command"),
        ({"command": [" "]}, "name a program"),
        ({"command": "sleep 1"}, "parameters.command"),
        ({"command": ["sleep", 1]}, "parameters.command.1"),
        ({"command": ["a\0b"]}, "NUL"),
        ({"command": ["x"] * 257}, "parameters.command"),
        ({"command": ["x" * 16_000] * 5}, "65536"),
        ({"command": ["sleep"], "env": {"TRAINBELL_TOKEN": "x"}}, "Trainbell's own"),
        ({"command": ["sleep"], "env": {"A=B": "x"}}, "variable name"),
        ({"command": ["sleep"], "env": {"A": "\0"}}, "NUL"),
        ({"command": ["sleep"], "env": {"A": "x" * 16_000, "B": "x"}, "cwd": "\0"}, "NUL"),
        ({"command": ["sleep"], "grace_seconds": -1}, "grace_seconds"),
        ({"command": ["sleep"], "grace_seconds": float("nan")}, "grace_seconds"),
        ({"command": ["sleep"], "shell": True}, "parameters.shell"),
        ({}, "parameters.command"),
    ],
)
def test_what_cannot_start_is_refused_and_leaves_nothing(
    machine: Machine, parameters: dict[str, Any], words: str
) -> None:
    order = StartOrder(job_id="refused", kind="train", parameters=parameters)

    with pytest.raises(ProviderRejected, match=words):
        machine.provider.start(order)

    assert machine.provider.find(order) is None
    assert not machine.root.exists()


def test_a_program_that_only_the_system_can_refuse(machine: Machine) -> None:
    program = machine.data_dir / "program"
    program.write_bytes(b"\x7fELF but not really")
    program.chmod(0o755)
    order = machine.order("./program")

    with pytest.raises(ProviderRejected, match="Exec format error"):
        machine.provider.start(order)

    assert machine.provider.find(order) is None
    with pytest.raises(ProviderJobMissing):
        machine.provider.poll({"job_id": order.job_id})
    until(lambda: not machine.processes())
    program.write_text("#!/bin/sh\nexit 0\n")
    assert machine.run(order).state is State.SUCCEEDED


def test_trouble_with_the_disk_is_no_fault_of_the_job(machine: Machine) -> None:
    machine.root.write_text("a file where the directory should be")

    for call in (machine.provider.start, machine.provider.find):
        with pytest.raises(ProviderUnavailable, match="run directory"):
            call(machine.order(*SLEEP))


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (Outcome.UNAVAILABLE, ProviderUnavailable),
        (Outcome.UNCLEAR, StartOutcomeUnknown),
        (Outcome.REJECTED, ProviderRejected),
    ],
)
def test_what_the_supervisor_answers_is_what_is_raised(
    machine: Machine, outcome: Outcome, error: type[Exception]
) -> None:
    provider = machine.a_provider(hand_over=lambda *_, **__: Answer(outcome, "no space"))

    with pytest.raises(error, match="no space"):
        provider.start(machine.order(*SLEEP))


# ---------------------------------------------------------------- started once


def test_the_same_order_again_is_the_same_run(machine: Machine) -> None:
    order = machine.shell("echo started >> starts; sleep 0.1")
    handle = machine.provider.start(order)

    assert machine.provider.start(order) == handle
    machine.end_of(handle)
    assert machine.a_provider().start(order) == handle
    assert (machine.data_dir / "starts").read_text() == "started\n"


def test_of_many_starters_one_starts(machine: Machine) -> None:
    order = machine.shell("echo started >> starts; sleep 0.2")
    ready = threading.Barrier(10)
    results: list[object] = []

    def start() -> None:
        provider = machine.a_provider()
        ready.wait()
        try:
            results.append(provider.start(order))
        except Exception as error:  # noqa: BLE001 - compared below
            results.append(error)

    threads = [threading.Thread(target=start) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [{"job_id": order.job_id}] * 10
    machine.end_of({"job_id": order.job_id})
    assert (machine.data_dir / "starts").read_text() == "started\n"


def test_an_order_that_arrives_late_does_not_start_an_ended_run_again(machine: Machine) -> None:
    sent: list[Mapping[str, Any]] = []

    def listening(order: Mapping[str, Any], **given: Any) -> Answer:
        sent.append(order)
        return hand_over(order, **given)

    machine.provider = machine.a_provider(hand_over=listening)
    order = machine.shell("echo started >> starts")
    machine.run(order)
    until(lambda: not machine.processes())

    late = hand_over(sent[0], environment={}, timeout_seconds=PATIENCE_SECONDS)

    assert late.outcome is Outcome.TAKEN
    until(lambda: not machine.processes())
    assert (machine.data_dir / "starts").read_text() == "started\n"


KILLED_AT = """
import importlib.util, os, signal, sys
spec = importlib.util.spec_from_file_location("supervisor", sys.argv[1])
supervisor = importlib.util.module_from_spec(spec)
spec.loader.exec_module(supervisor)
real = getattr(supervisor, sys.argv[2])
def killed(*args, **kwargs):
    if sys.argv[3] == "after":
        real(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(supervisor, sys.argv[2], killed)
supervisor.main()
"""


@pytest.mark.parametrize(
    ("step", "when", "launched", "trainings"),
    [
        ("supervise", "before", False, 0),
        ("take_lock", "after", False, 0),
        ("open_control", "after", False, 0),
        ("claim_launch", "after", True, 0),
        ("spawn", "after", True, 1),
        ("write_whole", "after", True, 1),
        ("answer", "after", True, 1),
        ("write_ending", "before", True, 1),
        ("write_ending", "after", True, 1),
    ],
)
def test_a_supervisor_killed_at_any_step_never_makes_two_trainings(
    machine: Machine, step: str, when: str, launched: bool, trainings: int
) -> None:
    def killed_on_the_way(order: Mapping[str, Any], **_: Any) -> Answer:
        arguments = [sys.executable, "-I", "-S", "-c", KILLED_AT, str(SUPERVISOR), step, when]
        subprocess.run(
            arguments, input=json.dumps(order).encode(), stdout=subprocess.PIPE, check=False
        )
        return Answer(Outcome.UNCLEAR, "killed")

    order = machine.shell("echo started >> starts; sleep 0.2")
    starts = machine.data_dir / "starts"
    with contextlib.suppress(StartOutcomeUnknown):
        machine.a_provider(hand_over=killed_on_the_way).start(order)

    assert (machine.provider.find(order) is not None) is launched

    end = machine.run(order)  # what Trainbell does next: start again, or find that it was started

    assert starts.exists() is bool(trainings or not launched)
    if starts.exists():
        assert starts.read_text() == "started\n"
    told_its_end = not launched or (step, when) == ("write_ending", "after")
    assert end.state is (State.SUCCEEDED if told_its_end else State.FAILED)
    if not told_its_end:
        assert (end.vendor_status, end.exit_code) == ("vanished", None)
        assert "exit code is unknown" in (end.message or "")


def test_a_starter_that_dies_while_it_sends_the_order_starts_nothing(machine: Machine) -> None:
    half = subprocess.run(
        [sys.executable, "-I", "-S", str(SUPERVISOR)],
        input=b'{"run_directory": "/tm',
        capture_output=True,
        check=False,
    )

    assert half.returncode == 1
    assert half.stdout == b""
    assert machine.processes() == []


# ---------------------------------------------------------------- outlives Trainbell

TRAINBELL = """
import json, signal, sys, threading
from pathlib import Path
from trainbell.clock import SystemClock
from trainbell.ports import StartOrder
from trainbell.providers.local.parameters import LocalOptions
from trainbell.providers.local.provider import LocalProvider
provider = LocalProvider(Path(sys.argv[1]), SystemClock(), LocalOptions(), {"PATH": sys.argv[2]})
provider.start(StartOrder(job_id=sys.argv[3], kind="train", parameters=json.loads(sys.argv[4])))
print("started", flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGHUP, signal.SIGINT])
def test_what_kills_trainbell_and_its_group_leaves_the_run_alone(
    machine: Machine, blow: signal.Signals
) -> None:
    order = machine.shell("until [ -e go ]; do sleep 0.02; done; exit 4")
    parameters = json.dumps(dict(order.parameters))
    arguments = [str(machine.root), os.environ["PATH"], order.job_id, parameters]
    with subprocess.Popen(
        [sys.executable, "-c", TRAINBELL, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as trainbell:
        assert trainbell.stdout is not None
        assert trainbell.stdout.readline() == b"started\n"
        os.killpg(trainbell.pid, blow)
        trainbell.wait()

    handle = machine.provider.find(order)
    assert handle is not None
    assert machine.provider.poll(handle).state is State.RUNNING
    (machine.data_dir / "go").touch()
    assert machine.end_of(handle).exit_code == 4


def test_the_supervisor_ends_with_its_command_and_not_by_a_plain_kill(machine: Machine) -> None:
    order = machine.shell("until [ -e go ]; do sleep 0.02; done; exit 4")
    handle = machine.provider.start(order)
    supervisor = psutil.Process(machine.record(order, "launch.json")["supervisor"])
    for blow in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        supervisor.send_signal(blow)
    (machine.data_dir / "go").touch()

    assert machine.end_of(handle).exit_code == 4
    until(lambda: not alive(supervisor))


def test_without_its_supervisor_a_command_still_counts_as_running(machine: Machine) -> None:
    order = machine.shell("until [ -e go ]; do sleep 0.02; done")
    handle = machine.provider.start(order)
    machine.kill_supervisor(order)

    assert machine.provider.poll(handle).state is State.RUNNING
    (machine.data_dir / "go").touch()
    end = machine.end_of(handle)
    assert (end.state, end.end_reason) == (State.FAILED, EndReason.SERVICE_FAILED)
    assert "exit code is unknown" in (end.message or "")


# ---------------------------------------------------------------- a reused process id


def test_a_foreign_process_with_the_recorded_id_is_not_the_run(
    machine: Machine, foreign: subprocess.Popen[bytes]
) -> None:
    order = machine.order(*SLEEP)
    handle = machine.provider.start(order)
    machine.kill_supervisor(order)
    record = machine.record(order, "process.json")
    psutil.Process(record["pid"]).kill()
    machine.file(order, "process.json").write_text(json.dumps({**record, "pid": foreign.pid}))
    until(lambda: machine.provider.poll(handle).state is not State.RUNNING)

    assert machine.provider.poll(handle).vendor_status == "vanished"
    machine.provider.cancel(handle)
    assert foreign.poll() is None


def test_a_foreign_process_is_not_signalled_even_while_something_of_the_run_lives(
    machine: Machine, foreign: subprocess.Popen[bytes]
) -> None:
    order = machine.order(*SLEEP)
    handle = machine.provider.start(order)
    machine.kill_supervisor(order)
    record = machine.record(order, "process.json")
    machine.file(order, "process.json").write_text(json.dumps({**record, "pid": foreign.pid}))

    with pytest.raises(ProviderUnavailable, match="by hand"):
        machine.provider.cancel(handle)

    assert machine.provider.poll(handle).state is State.CANCELLING
    assert foreign.poll() is None


# ---------------------------------------------------------------- cancelled for real


@pytest.mark.parametrize(
    ("script", "ending"),
    [
        ("touch up; exec sleep 60", (State.CANCELLED, None, "SIGTERM")),
        (
            f"trap '' TERM; {LOOP}",
            (State.CANCELLED, None, "SIGKILL"),
        ),
        (f"trap 'exit 0' TERM; {LOOP}", (State.SUCCEEDED, 0, None)),
        (f"trap 'exit 7' TERM; {LOOP}", (State.CANCELLED, 7, None)),
    ],
)
def test_cancelled_means_that_it_has_ended(
    machine: Machine, script: str, ending: tuple[State, int | None, str | None]
) -> None:
    handle = machine.provider.start(machine.shell(script, grace_seconds=0.3))
    until((machine.data_dir / "up").exists)
    machine.provider.cancel(handle)
    machine.provider.cancel(handle)

    end = machine.end_of(handle)

    assert (end.state, end.exit_code, end.signal) == ending
    until(lambda: not machine.processes())
    machine.provider.cancel(handle)
    assert machine.provider.poll(handle).ended_at == end.ended_at


def test_it_is_cancelling_until_it_has_ended(machine: Machine) -> None:
    order = machine.shell(f"trap '' TERM; {LOOP}", grace_seconds=60)
    handle = machine.provider.start(order)
    until((machine.data_dir / "up").exists)
    machine.provider.cancel(handle)

    assert machine.provider.poll(handle).state is State.CANCELLING


def test_what_the_command_started_is_cancelled_with_it(machine: Machine) -> None:
    script = f"(trap '' TERM; {LOOP}) & wait"
    handle = machine.provider.start(machine.shell(script, grace_seconds=0.3))
    until((machine.data_dir / "up").exists)
    machine.provider.cancel(handle)

    assert machine.end_of(handle).state is State.CANCELLED
    until(lambda: not machine.processes())


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_command_without_supervisor_can_be_cancelled(machine: Machine, stubborn: bool) -> None:
    ignore = "trap '' TERM;" if stubborn else ""
    script = f"{ignore} {LOOP}"
    order = machine.shell(script, grace_seconds=0.3)
    handle = machine.provider.start(order)
    until((machine.data_dir / "up").exists)
    machine.kill_supervisor(order)
    machine.provider.cancel(handle)

    assert machine.end_of(handle).state is State.CANCELLED
    until(lambda: not machine.processes())


# ---------------------------------------------------------------- logs, handles, cleaning


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


def test_check_says_what_would_run(machine: Machine) -> None:
    assert sys.executable in machine.provider.check()
    assert not machine.root.exists()


def test_the_supervisor_is_reached_through_the_real_hand_over(machine: Machine) -> None:
    answer = hand_over({"no": "order"}, environment={}, timeout_seconds=PATIENCE_SECONDS)

    assert answer.outcome is Outcome.UNCLEAR
    assert "run_directory" in answer.message


def test_it_cannot_be_built_without_a_data_directory(machine: Machine) -> None:
    class NoSecrets:
        def read(self, reference: str) -> str:
            raise ConfigInvalid(reference)

    connection = a_connection(name="here", provider="local", secret=None)
    context = ProviderContext(connection=connection, secrets=NoSecrets(), clock=SystemClock())
    with pytest.raises(ConfigInvalid, match="embedded only"):
        PROVIDER.build(context)


# ---------------------------------------------------------------- what every provider keeps


class TestConformance(ProviderConformance):
    @pytest.fixture
    def subject(self, machine: Machine) -> Subject:
        script = 'echo "$TRAINBELL_JOB_ID" >> starts; until [ -e go ]; do sleep 0.02; done'
        starts = machine.data_dir / "starts"

        def order(job_id: str) -> StartOrder:
            return replace(machine.shell(script), job_id=job_id)

        def count(job_id: str) -> int:
            if machine.provider.find(order(job_id)) is None:
                assert not starts.exists()
                return 0
            until(lambda: starts.exists() and job_id in starts.read_text())
            return starts.read_text().splitlines().count(job_id)

        def finish(handle: Mapping[str, Any]) -> None:
            (machine.data_dir / "go").touch()
            machine.end_of(handle)

        return Subject(
            spec=PROVIDER,
            provider=machine.provider,
            order=order,
            bad_order=lambda job_id: replace(machine.order("no-such-program"), job_id=job_id),
            starts=count,
            finish=finish,
            unknown_handle={"job_id": "unknown"},
            status_map={status.value: state for status, (state, _) in STATUS_MAP.items()},
            documented_statuses=frozenset(status.value for status in Status),
            package="trainbell.providers.local",
        )

    def test_clients_never_sleep_or_loop_in_time(self, subject: Subject) -> None:
        """The supervisor is no client: it is a process of its own, whose work is to wait."""
        for module in SUPERVISOR.parent.glob("*.py"):
            assert module == SUPERVISOR or "sleep" not in module.read_text(encoding="utf-8")
