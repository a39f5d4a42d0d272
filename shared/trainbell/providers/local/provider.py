"""Trainings that are commands on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from platform import python_version
from typing import Any

from pydantic import ValidationError

from trainbell.domain.observation import Observation
from trainbell.errors import (
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.ports import Clock, Handle, StartOrder
from trainbell.providers.local.command_environment import environment_for, program_for
from trainbell.providers.local.launching import Answer, Outcome, hand_over
from trainbell.providers.local.log_tail import tail
from trainbell.providers.local.parameters import LocalOptions, TrainParameters
from trainbell.providers.local.progress_file import read_report
from trainbell.providers.local.run_directory import RunDirectory
from trainbell.providers.local.run_reading import observation_of, status_of

NAME = "local"
START_TIMEOUT_SECONDS = 20.0

HandOver = Callable[..., Answer]


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
        hand_over: HandOver = hand_over,
    ) -> None:
        self._root = root.absolute()
        self._clock = clock
        self._options = options
        self._own_environment = own_environment
        self._hand_over = hand_over

    def start(self, order: StartOrder) -> Handle:
        """Start the command, unless this order started it before; then that is its handle.

        1. What can be checked is checked before anything is made: program and directory.
        2. The run directory is made.
        3. A supervisor takes over; among several, exclusive creation of a file decides.
        """
        run = self._run(order.job_id, ProviderRejected)
        handle = {"job_id": order.job_id}
        with _disk("start"):
            if run.was_launched():
                return handle
        asked = _parameters(order)
        cwd = _working_directory(asked.cwd)
        environment = environment_for(
            self._own_environment,
            interpreter=sys.executable,
            also_pass=self._options.pass_environment,
            asked=asked.env,
            job_id=order.job_id,
            progress_file=run.progress_path,
        )
        program = program_for(asked.command[0], path=environment["PATH"], cwd=cwd)
        if program is None:
            raise _rejected(f"there is no program {asked.command[0]!r} that can be executed")
        with _disk("start"):
            run.create()
            answer = self._send(
                {
                    "run_directory": str(run.path),
                    "program": program,
                    "command": asked.command,
                    "cwd": str(cwd),
                    "environment": environment,
                    "grace_seconds": asked.grace_seconds,
                }
            )
            launched = run.was_launched()
        if launched and answer.outcome is not Outcome.REJECTED:
            return handle
        raise _start_error(answer)

    def find(self, order: StartOrder) -> Handle | None:
        """The run of this order if it was ever launched, whatever has become of it."""
        run = self._run(order.job_id, ProviderRejected)
        with _disk("find"):
            return {"job_id": order.job_id} if run.was_launched() else None

    def poll(self, handle: Handle) -> Observation:
        """Read the run's directory: how it ended, or whether it lives, and what it reported."""
        seen_at = self._clock.now()
        run = self._run_of(handle)
        with _disk("poll"):
            alive = run.is_alive()  # before the ending, which is written while it is alive
            ending = run.ending()
            if ending is None and not run.was_launched():
                raise _missing()
            cancelling = run.cancel_was_asked()
            report = read_report(run.progress_path)
            started_at = ending.started_at if ending else run.launched_at()
        status = status_of(ending, alive=alive, cancelling=cancelling)
        return observation_of(status, ending, report, seen_at, started_at)

    def cancel(self, handle: Handle) -> None:
        """SIGTERM to the command's process group now, SIGKILL after its grace: the supervisor's
        work, so it is done even if Trainbell goes away in the meantime.

        Where the supervisor was killed, a stopper takes its place if the recorded process is
        surely still the same one.

        Raises:
            ProviderUnavailable: it lives and cannot be told from a foreign process; a person
                must end it.
        """
        run = self._run_of(handle)
        with _disk("cancel"):
            if not run.was_launched():
                raise _missing()
            if run.ending() is not None or run.ask_cancel() or not run.is_alive():
                return
            if run.ending() is not None:
                return
            if not run.command_is_known():
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
        with _disk("logs"):
            if not run.was_launched():
                raise _missing()
            return tail(run.log_path, lines)

    def forget(self, handle: Handle) -> None:
        """Remove the run's directory, log included, unless something of the run still lives."""
        run = self._run_of(handle)
        with _disk("forget"):
            run.remove()

    def check(self) -> str:
        with _disk("check"):
            place = next(p for p in (self._root, *self._root.parents) if p.exists())
            if not os.access(place, os.W_OK | os.X_OK):
                raise ProviderUnavailable(
                    f"{place} is not writable", provider=NAME, operation="check"
                )
        return f"Runs commands here; python is {python_version()} ({sys.executable})."

    def close(self) -> None:
        """Nothing to close; what runs goes on."""

    def _run(
        self, name: object, refusal: type[ProviderRejected | ProviderJobMissing]
    ) -> RunDirectory:
        try:
            return RunDirectory.of(self._root, str(name))
        except ValueError as exc:
            raise refusal(f"not the id of a local job: {exc}", provider=NAME) from exc

    def _run_of(self, handle: Handle) -> RunDirectory:
        return self._run(handle.get("job_id", ""), ProviderJobMissing)

    def _send(self, order: Mapping[str, Any]) -> Answer:
        # The supervisor gets none of the job's variables: they are meant for the command.
        libraries = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
        own = {n: self._own_environment[n] for n in libraries if n in self._own_environment}
        return self._hand_over(order, environment=own, timeout_seconds=START_TIMEOUT_SECONDS)


def _parameters(order: StartOrder) -> TrainParameters:
    try:
        return TrainParameters.model_validate(dict(order.parameters))
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise _rejected(f"parameters.{where}: {first['msg']}") from exc


def _working_directory(asked: str | None) -> Path:
    cwd = Path(asked) if asked else Path.cwd()
    if not cwd.is_dir():
        raise _rejected(f"there is no directory {cwd}")
    if not os.access(cwd, os.X_OK):
        raise _rejected(f"the directory {cwd} may not be entered")
    return cwd


def _start_error(answer: Answer) -> Exception:
    details: dict[str, Any] = {"provider": NAME, "operation": "start"}
    if answer.outcome is Outcome.REJECTED:
        return ProviderRejected(answer.message, **details)
    if answer.outcome is Outcome.UNAVAILABLE:
        return ProviderUnavailable(answer.message, **details)
    return StartOutcomeUnknown(answer.message, **details)


def _rejected(message: str) -> ProviderRejected:
    return ProviderRejected(message, provider=NAME, operation="start")


def _missing() -> ProviderJobMissing:
    return ProviderJobMissing("nothing was ever launched for this job here", provider=NAME)


@contextmanager
def _disk(operation: str) -> Iterator[None]:
    """The disk's trouble in our own words."""
    try:
        yield
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        where = f" ({Path(str(exc.filename)).name})" if exc.filename else ""
        message = f"cannot use the run directory: {reason}{where}"
        raise ProviderUnavailable(message, provider=NAME, operation=operation) from exc
    except ValueError as exc:
        raise ProviderReplyInvalid(str(exc), provider=NAME, operation=operation) from exc
