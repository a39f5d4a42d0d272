"""A SageMaker job from start to end on the cloud's engine, told by SageMaker's own event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cloud_stack import Cloud, Stack, deployed
from tests.e2e.scenario import is_ended, wait_for
from tests.sagemaker_on_moto import (
    ACCOUNT,
    KEYS,
    REGION,
    SageMakerOnMoto,
    parameters,
    sagemaker_on_moto,
)
from trainbell.client import Trainbell

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

FAR_FROM_NOW = 900
SOURCE = "tests.sagemaker"
PARAMETERS = {"SageMakerRoleArn": f"arn:aws:iam::{ACCOUNT}:role/training"}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with deployed(tmp_path, PARAMETERS) as stack:
        yield stack


def test_sagemakers_event_ends_a_job_long_before_its_next_poll(stack: Stack) -> None:
    hear_us_as_sagemaker(stack.cloud)
    secret = stack.keep_secret("sagemaker", KEYS)
    with sagemaker_on_moto() as (service, url), stack.trainbell() as trainbell:
        connect(stack, trainbell, url, secret)
        body = {
            "provider": "sagemaker",
            "connection": "aws",
            "parameters": parameters(),
            "min_interval_seconds": FAR_FROM_NOW,
            "max_interval_seconds": FAR_FROM_NOW,
        }
        job = trainbell.start(body)
        wait_for(trainbell, job["id"], lambda seen: seen["state"] == "queued")
        name = f"trainbell-{job['id']}"
        service.finish(name, billable_seconds=42)
        for _ in range(2):
            tell(stack.cloud, name)
        ended = wait_for(trainbell, job["id"], is_ended)
        assert (ended["state"], ended["end_reason"]) == ("succeeded", "completed")
        assert ended["performance"]["cost"]["billable_seconds"] == 42
        assert service.starts[job["id"]] == 1
        assert_a_fresh_watcher_looked(stack, trainbell, service, job["id"])


def connect(stack: Stack, trainbell: Trainbell, url: str, secret: str) -> None:
    body = {
        "provider": "sagemaker",
        "base_url": url,
        "secret": secret,
        "options": {"region": REGION, "logs_url": url},
    }
    stack.allow(body)
    trainbell.put("connections", "aws", body)
    assert trainbell.test("connections", "aws")


def hear_us_as_sagemaker(cloud: Cloud) -> None:
    """Nobody but AWS may send events from `aws.`, and ministack keeps to that: the stack's rule
    stays as it is but for its source."""
    events = cloud.client("events")
    [rule] = [rule for rule in events.list_rules()["Rules"] if "EventPattern" in rule]
    pattern = rule["EventPattern"].replace("aws.sagemaker", SOURCE)
    events.put_rule(Name=rule["Name"], EventPattern=pattern)


def tell(cloud: Cloud, name: str) -> None:
    """What SageMaker puts on the account's default bus, which may well come twice."""
    sample = files("trainbell.providers.sagemaker") / "samples" / "state_change_event.json"
    event: dict[str, Any] = json.loads(sample.read_text(encoding="utf-8"))
    entry = {
        "Source": SOURCE,
        "DetailType": event["detail-type"],
        "Detail": json.dumps({**event["detail"], "TrainingJobName": name}),
        "Time": datetime.now(UTC),
    }
    answer = cloud.client("events").put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0


def assert_a_fresh_watcher_looked(
    stack: Stack, trainbell: Trainbell, service: SageMakerOnMoto, job_id: str
) -> None:
    reasons = [
        event["data"]["reason"]
        for event in trainbell.events(job_id)
        if event["type"] == "WatcherReplaced"
    ]
    assert set(reasons) == {"event of the service"}
    watchers = {f"{job_id}-{watch}" for watch in range(len(reasons) + 1)}
    assert set(stack.executions(job_id)) == watchers
    assert set(service.calls) == {"CreateTrainingJob", "DescribeTrainingJob"}
