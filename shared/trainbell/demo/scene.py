"""What the demo is made of: an embedded Trainbell, simulated services and a Slack receiver."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from trainbell.client import ApiProblem, JsonObject, Trainbell
from trainbell.demo.services import SERVICES, connect, job_at, serve
from trainbell.embedded.instance import EmbeddedInstance
from trainbell.secret_list import SecretList
from trainbell.simulators.slack import SlackReceiver

LOCAL_JOBS = 3
JOBS = LOCAL_JOBS + len(SERVICES)
PROVIDERS = ("local", *(service.provider for service in SERVICES))
SCHEDULE = "nightly-digits"
INTERVALS = {"min_interval_seconds": 1, "max_interval_seconds": 1}
"""Looks at each job every second: trainings this short deserve it, and nobody pays for it."""

SCHEDULED_AFTER_SECONDS = 2
PATIENCE_SECONDS = 60.0
MESSAGE_PATIENCE_SECONDS = 10.0
CANCEL_PATIENCE_SECONDS = 8.0


@dataclass
class Scene:
    """Everything that runs, and the jobs that were started."""

    folder: Path
    client: Trainbell
    slack: SlackReceiver
    began: float = field(default_factory=time.monotonic)

    def start_everything(self, examples: Path) -> None:
        """Three trainings here (one by a schedule, one that fails by itself); one job at each
        service."""
        self.client.put("schedules", SCHEDULE, self._schedule(examples))
        self.client.start(self._local(examples, "digits", "digits.py"))
        self.client.start(self._local(examples, "diverging", "failing.py"))
        for service in SERVICES:
            self.client.start({**job_at(service), **INTERVALS})

    def jobs(self) -> list[JsonObject]:
        """By provider, those of this machine first; oldest first."""
        jobs = reversed(self.client.jobs(limit=100)["items"])
        return sorted(jobs, key=lambda job: PROVIDERS.index(job["provider"]))

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began

    def is_over(self, jobs: list[JsonObject]) -> bool:
        """All have ended, or patience has."""
        if self.seconds > PATIENCE_SECONDS:
            return True
        return len(jobs) == JOBS and all(job["has_ended"] for job in jobs)

    def wait_for_messages(self, count: int) -> list[dict[str, Any]]:
        until = time.monotonic() + MESSAGE_PATIENCE_SECONDS
        while len(self.slack.messages) < count and time.monotonic() < until:
            time.sleep(0.1)
        return list(self.slack.messages)

    def stop_what_runs(self) -> None:
        """Cancel the local trainings that still run, and see them gone."""
        with suppress(ApiProblem):
            self.client.delete("schedules", SCHEDULE)  # It must not start one more meanwhile.
        until = time.monotonic() + CANCEL_PATIENCE_SECONDS
        while time.monotonic() < until:
            running = [job for job in self.jobs() if _runs_here(job)]
            if not running:
                return
            for job in running:
                with suppress(ApiProblem):  # It may end by itself just now.
                    self.client.cancel(job["id"])
            time.sleep(0.2)

    def _schedule(self, examples: Path) -> JsonObject:
        at = datetime.now(UTC) + timedelta(seconds=SCHEDULED_AFTER_SECONDS)
        job = self._local(examples, "small-digits", "digits.py", "--hidden", "3")
        return {"expression": f"at({at:%Y-%m-%dT%H:%M:%S})", "job": job}

    @staticmethod
    def _local(examples: Path, model: str, script: str, *arguments: str) -> JsonObject:
        return {
            "provider": "local",
            "model": model,
            **INTERVALS,
            "parameters": {
                "command": ["python", str(examples / script), *arguments],
                "cwd": str(examples.parent),
                "grace_seconds": 2,
            },
        }


def _runs_here(job: JsonObject) -> bool:
    return job["provider"] == "local" and not job["has_ended"]


def open_scene(stack: ExitStack, folder: Path) -> Scene:
    """Start everything on free ports; `stack` ends it in the right order."""
    urls = {service.provider: serve(stack, service) for service in SERVICES}
    slack = stack.enter_context(SlackReceiver())
    os.environ["TRAINBELL_DEMO_SLACK_URL"] = slack.url
    instance = stack.enter_context(EmbeddedInstance(folder / "data", port=0))
    client = stack.enter_context(Trainbell(instance.url, token=instance.token))
    allowed = SecretList(folder / "data")
    for service in SERVICES:
        connect(client, service, urls[service.provider], allowed)
    client.put("channels", "team", {"kind": "slack", "secret": "env:TRAINBELL_DEMO_SLACK_URL"})
    scene = Scene(folder, client, slack)
    stack.callback(scene.stop_what_runs)
    return scene
