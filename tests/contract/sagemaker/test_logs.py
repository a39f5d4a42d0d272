"""The end of a SageMaker training's log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from tests.contract.sagemaker.service import HANDLE, NAME, a_provider, an_order
from tests.sagemaker_on_moto import (
    ACCESS_KEY,
    REGION,
    SECRET_KEY,
    SageMakerOnMoto,
)
from trainbell.errors import (
    NotSupported,
)
from trainbell.providers.sagemaker.log_tail import PAGES_READ
from trainbell.providers.sagemaker.provider import SageMaker


@pytest.fixture
def aws_logs(served: tuple[SageMakerOnMoto, str]) -> Iterator[Any]:
    session: Any = boto3
    client = session.client(
        "logs",
        endpoint_url=served[1],
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )
    client.create_log_group(logGroupName="/aws/sagemaker/TrainingJobs")
    yield client
    client.delete_log_group(logGroupName="/aws/sagemaker/TrainingJobs")
    client.close()


def write_log(aws_logs: Any, stream: str, since: int, lines: dict[int, str]) -> None:
    """`since` and the lines' keys are in milliseconds."""
    group = "/aws/sagemaker/TrainingJobs"
    aws_logs.create_log_stream(logGroupName=group, logStreamName=stream)
    events = [{"timestamp": since + at, "message": text} for at, text in lines.items()]
    aws_logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def test_the_log_tail_merges_the_instances_by_time(sagemaker: SageMaker, aws_logs: Any) -> None:
    handle = sagemaker.start(an_order())
    assert sagemaker.logs(handle, 5) == []
    # Not noon of the fake clock: CloudWatch takes no lines older than two weeks.
    now = int(datetime.now(UTC).timestamp() * 1000)
    write_log(aws_logs, f"{NAME}/algo-1-1772452860", now, {0: "one", 20: "three\n", 40: "five"})
    write_log(aws_logs, f"{NAME}/algo-2-1772452861", now, {10: "two", 30: "four"})
    write_log(aws_logs, f"{NAME}x/algo-1-1772452860", now, {50: "of another job"})
    assert sagemaker.logs(handle, 10) == ["one", "two", "three", "four", "five"]
    assert sagemaker.logs(handle, 2) == ["four", "five"]


def test_an_account_that_never_trained_has_no_log(sagemaker: SageMaker) -> None:
    assert sagemaker.logs(HANDLE, 5) == []


def test_a_connection_that_is_led_elsewhere_never_asks_the_public_log_service() -> None:
    led_elsewhere = a_provider("http://127.0.0.1:9", logs_url=None)
    with pytest.raises(NotSupported, match="logs_url"):
        led_elsewhere.logs({"name": "trainbell-x", "arn": "arn"}, 10)


def test_an_empty_page_of_the_log_is_not_its_end(answering: Any) -> None:
    """GetLogEvents may give no events though there are some behind its token."""
    stream = {"logStreams": [{"logStreamName": f"{NAME}/algo-1-1"}]}
    empty = {"events": [], "nextBackwardToken": "b/1"}
    page = {"events": [{"timestamp": 1, "message": "found"}], "nextBackwardToken": "b/2"}
    assert answering(stream, empty, page, {"events": []}).logs(HANDLE, 5) == ["found"]


def test_a_log_is_read_in_few_calls(answering: Any) -> None:
    stream = {"logStreams": [{"logStreamName": f"{NAME}/algo-1-1"}]}
    pages = [{"events": [], "nextBackwardToken": f"b/{n}"} for n in range(PAGES_READ)]
    never = {"events": [{"timestamp": 1, "message": "too far"}]}
    assert answering(stream, *pages, never).logs(HANDLE, 5) == []
