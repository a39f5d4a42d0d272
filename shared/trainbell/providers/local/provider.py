"""Trainings that are commands on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from platform import python_version
from typing import Any

from pydantic import ValidationError

from trainbell.domain.job import State
from trainbell.domain.observation import Observation
from trainbell.errors import ProviderJobMissing, ProviderRejected, ProviderUnavailable
from trainbell.ports import Clock, Handle, StartOrder
from trainbell.providers.local.command_environment import environment_for, program_for
from trainbell.providers.local.gpus import NoGpus, free_gpus, load_nvml
from trainbell.providers.local.last_words import last_words
from trainbell.providers.local.launching import Outcome, SupervisorAnswer, hand_over
from trainbell.providers.local.log_tail import tail
from trainbell.providers.local.parameters import LocalOptions, TrainParameters
from trainbell.providers.local.passed_variables import link_to_run, read_given
from trainbell.providers.local.progress_file import read_report
from trainbell.providers.local.refusals import NAME, disk, missing, rejected, start_error
from trainbell.providers.local.retention import EVERY, MB, Keeping, remove_old_logs
from trainbell.providers.local.run_directory import RunDirectory
from trainbell.providers.local.run_reading import observation_of, status_of
from trainbell.providers.local.status_map import STATUS_MAP, Status

START_TIMEOUT_SECONDS = 20.0
SUPERVISOR_GONE = "[... its supervisor was killed; standard error follows by itself ...]"

HandOver = Callable[..., SupervisorAnswer]


class LocalProvider:
    """Runs each job's command under a supervisor of its own; reads what that wrote.

    It keeps no state: the run directories below `root` are the truth, so another Trainbell
    process, or this one after a restart, sees the same.
    """

    def __init__(
        self,
        root: Path,
        clock: Clock,
        options: LocalOptions,
        own_environment: Mapping[str, str],
        *,
        hand_over: HandOver = hand_over,
        load_nvml: Callable[[], Any] = load_nvml,
    ) -> None:
        self._root = root.absolute()
        self._clock = clock
        self._options = options
        self._own_environment = own_environment
        self._hand_over = hand_over
        self._load_nvml = load_nvml
        self._tidied_at: datetime | None = None

    def start(self, order: StartOrder) -> Handle:
        """Start the command, unless this order started it before; then that is its handle.

        1. What can be checked is checked before anything is made: program and directory.
        2. The run directory is made.
        3. A supervisor takes over; among several, exclusive creation of a file decides.
        """
        run = self._run(order.job_id, ProviderRejected)
        handle = {"job_id": order.job_id}
        with disk("start"):
            if run.was_launched():
                return handle
        asked = _parameters_of(order)
        with disk("start"):
            self._tidy()
        cwd = _working_directory(asked.cwd)
        environment = self._environment(asked, run, order.job_id)
        program = program_for(asked.command[0], path=environment["PATH"], cwd=cwd)
        if program is None:
            raise rejected(f"there is no program {asked.command[0]!r} that can be executed")
        gpus = self._gpus(asked.gpus)
        with disk("start"):
            run.create()
            if asked.passed:
                link_to_run(self._root, asked.passed, run.path)
            answer = self._send(
                {
                    "run_directory": str(run.path),
                    "program": program,
                    "command": asked.command,
                    "cwd": str(cwd),
                    "environment": environment,
                    "grace_seconds": asked.grace_seconds,
                    "log_cap_bytes": round(self._options.log_cap_mb * MB),
                    "gpus": gpus,
                }
            )
            launched = run.was_launched()
        if launched and answer.outcome not in (Outcome.REJECTED, Outcome.BUSY):
            return handle
        raise start_error(answer, order.when_busy)

    def find(self, order: StartOrder) -> Handle | None:
        """The run of this order if it was ever launched, whatever has become of it."""
        run = self._run(order.job_id, ProviderRejected)
        with disk("find"):
            return {"job_id": order.job_id} if run.was_launched() else None

    def poll(self, handle: Handle) -> Observation:
        """Read the run's directory: how it ended, or whether it lives, and what it reported."""
        seen_at = self._clock.now()
        run = self._run_of(handle)
        with disk("poll"):
            alive = run.is_alive()  # before the ending, which is written while it is alive
            ending = run.ending()
            if ending is None and not run.was_launched():
                raise missing()
            cancelling = run.cancel_was_asked()
            if cancelling and ending is None and not alive:
                alive = run.has_members()  # what gave the lock back, or never had it
            report = read_report(run.progress_path)
            started_at = ending.started_at if ending else run.launched_at()
            status = status_of(ending, alive=alive, cancelling=cancelling)
            failed = STATUS_MAP[status][0] is State.FAILED
            return observation_of(
                status,
                ending,
                report,
                seen_at=seen_at,
                started_at=started_at,
                last_words=last_words(run) if failed else (),
                survivors=run.survivors() if status is Status.STOPPING else (),
            )

    def cancel(self, handle: Handle) -> None:
        """SIGTERM now to all that the command caused, SIGKILL after its grace: the supervisor's
        work, so it is done even if Trainbell goes away in the meantime.

        Where the supervisor was killed, a stopper takes its place, for what surely belongs to
        this run.

        Raises:
            ProviderUnavailable: it lives and cannot be told from a foreign process; a person
                must end it.
        """
        run = self._run_of(handle)
        with disk("cancel"):
            if not run.was_launched():
                raise missing()
            if run.ending() is not None or run.ask_cancel():
                return
            if run.ending() is not None or not (run.is_alive() or run.has_members()):
                return
            if not run.can_be_ended():
                raise ProviderUnavailable(
                    "something of this job still runs, but its supervisor was killed and the "
                    "process cannot be identified for sure: end it by hand",
                    provider=NAME,
                    operation="cancel",
                )
            self._send({"run_directory": str(run.path), "stop_orphan": True})

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        """The last lines of what the command wrote to standard output and standard error."""
        run = self._run_of(handle)
        with disk("logs"):
            if not run.was_launched():
                raise missing()
            said = tail(run.log_path, lines)
            if run.ending() is None and not run.is_supervised():
                # Nobody carries standard error over into the log any more.
                said = (*said, SUPERVISOR_GONE, *tail(run.errors_path, lines))[-max(1, lines) :]
            return said

    def forget(self, handle: Handle) -> None:
        """Remove the run's directory, log included, unless something of the run still lives."""
        run = self._run_of(handle)
        with disk("forget"):
            run.remove()

    def check(self) -> str:
        with disk("check"):
            place = next(p for p in (self._root, *self._root.parents) if p.exists())
            if not os.access(place, os.W_OK | os.X_OK):
                raise ProviderUnavailable(
                    f"{place} is not writable", provider=NAME, operation="check"
                )
        return f"Runs commands here; python is {python_version()} ({sys.executable})."

    def close(self) -> None:
        """Nothing to close; what runs goes on."""

    def _environment(
        self, asked: TrainParameters, run: RunDirectory, job_id: str
    ) -> dict[str, str]:
        passed: Mapping[str, str] = {}
        if asked.passed:
            try:
                passed = read_given(self._root, asked.passed)
            except (FileNotFoundError, ValueError) as exc:
                raise rejected(
                    "the variables that were passed by name are not here (any more): "
                    "run it again where they are set"
                ) from exc
        return environment_for(
            self._own_environment if asked.inherit else {},
            interpreter=sys.executable,
            also_pass=self._options.pass_environment,
            asked={**asked.env, **passed},
            job_id=job_id,
            progress_file=run.progress_path,
        )

    def _gpus(self, count: int) -> Mapping[str, Any] | None:
        if not count:
            return None
        try:
            candidates = free_gpus(self._options.gpus, self._load_nvml)
        except NoGpus as exc:
            raise rejected(str(exc)) from exc
        return {"count": count, "candidates": candidates, "directory": str(self._root / ".gpus")}

    def _tidy(self) -> None:
        """A start is what makes logs grow, so it is where old ones go; once an hour at most."""
        now = self._clock.now()
        if self._tidied_at is None or now - self._tidied_at >= EVERY:
            self._tidied_at = now
            keeping = Keeping(self._options.keep_logs_days, self._options.keep_logs_mb)
            remove_old_logs(self._root, keeping, now)

    def _run(
        self, name: object, refusal: type[ProviderRejected | ProviderJobMissing]
    ) -> RunDirectory:
        try:
            return RunDirectory.of(self._root, str(name))
        except ValueError as exc:
            raise refusal(f"not the id of a local job: {exc}", provider=NAME) from exc

    def _run_of(self, handle: Handle) -> RunDirectory:
        return self._run(handle.get("job_id", ""), ProviderJobMissing)

    def _send(self, order: Mapping[str, Any]) -> SupervisorAnswer:
        # The supervisor gets none of the job's variables: they are meant for the command.
        libraries = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
        own = {n: self._own_environment[n] for n in libraries if n in self._own_environment}
        return self._hand_over(order, environment=own, timeout_seconds=START_TIMEOUT_SECONDS)


def _parameters_of(order: StartOrder) -> TrainParameters:
    try:
        return TrainParameters.model_validate(dict(order.parameters))
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise rejected(f"parameters.{where}: {first['msg']}") from exc


def _working_directory(asked: str | None) -> Path:
    cwd = Path(asked) if asked else Path.cwd()
    if not cwd.is_dir():
        raise rejected(f"there is no directory {cwd}")
    if not os.access(cwd, os.X_OK):
        raise rejected(f"the directory {cwd} may not be entered")
    return cwd
