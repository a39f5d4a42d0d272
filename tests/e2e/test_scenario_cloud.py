"""The scenario on the cloud's engine, and what only the cloud has: topic, bus, hand-over."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e import scenario
from tests.e2e.cloud_stack import Cloud, Stack, deploy, new_cloud
from tests.e2e.inbox import Inbox
from trainbell.client import Trainbell

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

# A hand-over every few polls, and a reconciler that does not wait two minutes.
PARAMETERS = {"LoopsPerExecution": "2", "OverdueAfterSeconds": "1"}


class ServerlessEngine:
    def __init__(self, cloud: Cloud, life: ExitStack) -> None:
        self.cloud = cloud
        self._life = life
        life.enter_context(cloud.running())
        self.stack: Stack = deploy(cloud, PARAMETERS)
        self.secret = self.stack.keep_secret("deepva", scenario.DEEPVA_KEY)
        self.stack.silence_rules()
        self.topic = Inbox.of_topic(self.stack)
        self.bus = Inbox.of_bus(self.stack)

    def trainbell(self) -> Trainbell:
        return self.stack.trainbell()

    def allow(self, connection: scenario.Job) -> None:
        self.stack.allow(connection)

    def interrupt(self) -> None:
        """A restart ends all executions; nothing but the reconciler brings the job back."""
        self._life.close()
        self._life.enter_context(self.cloud.running())
        time.sleep(2.5)  # Until the job is overdue, as the parameters above have it.
        self.stack.invoke("ReconcileJobsFunction")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ServerlessEngine]:
    with ExitStack() as life:
        yield ServerlessEngine(new_cloud(tmp_path), life)


def test_one_job_end_to_end_in_the_cloud(engine: ServerlessEngine) -> None:
    with scenario.deepva() as service:
        scenario.connect(engine, service)
        scenario.bad_input_is_refused_whole(engine, service)
        first = scenario.a_job_is_started_once_and_seen_to_its_end(engine, service)
        assert_handed_over(engine, first)
        assert_told(engine, first)
        second = scenario.a_job_survives_the_end_of_all_that_watches_it(engine, service)
        assert_rewatched(engine, second)
        # ministack's streams do not wake functions again after a restart: the outbox still has
        # what was not told, and the minute's retry tells it.
        engine.stack.invoke("PublishChangesFunction")
        assert_told(engine, second)


def assert_handed_over(engine: ServerlessEngine, job: scenario.Job) -> None:
    """Several executions after each other, each named by job and watcher, all ended well."""
    executions = engine.stack.executions(job["id"])
    assert len(executions) >= 2
    assert set(executions) == {f"{job['id']}-{watch}" for watch in range(len(executions))}
    assert set(executions.values()) <= {"SUCCEEDED", "RUNNING"}


def assert_told(engine: ServerlessEngine, job: scenario.Job) -> None:
    [end] = engine.topic.about(job["id"], {"JobFinished"})
    assert end["data"]["job"]["state"] == "succeeded"
    assert scenario.DEEPVA_KEY not in json.dumps(end)
    on_bus = engine.bus.about(job["id"], {"JobStarted", "JobFinished"})
    assert len({event["id"] for event in on_bus}) == len(on_bus)
    with engine.trainbell() as trainbell:
        deliveries = list(trainbell.deliveries(job["id"]))
    assert {each["channel"] for each in deliveries} == {"trainbell-topic", "trainbell-bus"}
    assert all(each["attempts"] == 1 for each in deliveries)


def assert_rewatched(engine: ServerlessEngine, job: scenario.Job) -> None:
    with engine.trainbell() as trainbell:
        reasons = [
            event["data"]["reason"]
            for event in trainbell.events(job["id"])
            if event["type"] == "WatcherReplaced"
        ]
    assert "overdue" in reasons
