"""The simulated SageMaker, called by AWS's own client: boto3."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.builders import NOON
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.sagemaker import ACCESS, SageMakerSimulator
from trainbell.simulators.server import running

NAME = "faces-1"
ROLE = "arn:aws:iam::123456789012:role/training"
GIVEN: dict[str, Any] = {
    "TrainingJobName": NAME,
    "AlgorithmSpecification": {"TrainingImage": "registry/faces:1", "TrainingInputMode": "File"},
    "RoleArn": ROLE,
    "OutputDataConfig": {"S3OutputPath": "s3://models/out/"},
    "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "Environment": {"TRAINBELL_JOB_ID": "01jobaaaaaaaaaaaaaaaaaaaaa"},
}
WITH_DEFAULTS: dict[str, Any] = {
    "AlgorithmSpecification": {
        "TrainingImage": "registry/faces:1",
        "TrainingInputMode": "File",
        "EnableSageMakerMetricsTimeSeries": True,
    },
    "OutputDataConfig": {
        "S3OutputPath": "s3://models/out/",
        "KmsKeyId": "",
        "CompressionType": "GZIP",
    },
    "EnableNetworkIsolation": False,
    "EnableInterContainerTrafficEncryption": False,
    "EnableManagedSpotTraining": False,
}
"""What the service tells of what was left out."""
MakeClient = Callable[..., Any]


@pytest.fixture
def service() -> SageMakerSimulator:
    """Its time stands still; signatures are of now, since boto3 signs with the real time."""
    return SageMakerSimulator(SimulatorClock(speed=0, start=NOON))


@pytest.fixture
def url(service: SageMakerSimulator) -> Iterator[str]:
    with running(service) as url:
        yield url


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    """One for all: it keeps SageMaker's model, which takes its time to load."""
    return boto3.Session()


@pytest.fixture
def client_with(url: str, session: boto3.Session) -> Iterator[MakeClient]:
    made: list[Any] = []

    def make(**changes: Any) -> Any:
        keys = json.loads(ACCESS.secret)
        client = session.client(
            "sagemaker",
            endpoint_url=url,
            region_name=changes.get("region", ACCESS.options["region"]),
            aws_access_key_id=keys["access_key_id"],
            aws_secret_access_key=changes.get("secret", keys["secret_access_key"]),
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def sagemaker(client_with: MakeClient) -> Any:
    return client_with()


def refusal(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def stage(sagemaker: Any) -> tuple[str, str]:
    job = sagemaker.describe_training_job(TrainingJobName=NAME)
    return job["TrainingJobStatus"], job["SecondaryStatus"]


def test_a_training_goes_through_its_stages_and_tells_what_it_measured(
    service: SageMakerSimulator, sagemaker: Any
) -> None:
    arn = sagemaker.create_training_job(**GIVEN)["TrainingJobArn"]
    assert arn == f"arn:aws:sagemaker:eu-west-1:123456789012:training-job/{NAME}"
    seen = [stage(sagemaker)]
    for seconds in (2, 3, 15, 2):
        service.clock.advance(seconds)
        seen.append(stage(sagemaker))
    assert seen == [
        ("InProgress", "Starting"),
        ("InProgress", "Downloading"),
        ("InProgress", "Training"),
        ("InProgress", "Uploading"),
        ("Completed", "Completed"),
    ]
    job = sagemaker.describe_training_job(TrainingJobName=NAME)
    told = {**GIVEN, **WITH_DEFAULTS}
    assert {key: job[key] for key in told} == told
    assert job["CreationTime"] == NOON
    assert job["TrainingStartTime"] == NOON + timedelta(seconds=2)
    assert job["TrainingEndTime"] == NOON + timedelta(seconds=22)
    assert (job["TrainingTimeInSeconds"], job["BillableTimeInSeconds"]) == (20, 20)
    assert {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]} == {
        "validation:accuracy": 0.9312,
        "validation:loss": 0.2174,
    }
    place = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert place == f"s3://models/out/{NAME}/output/model.tar.gz"
    transitions = job["SecondaryStatusTransitions"]
    assert [each["Status"] for each in transitions] == [secondary for _, secondary in seen]
    ends = [each["EndTime"] for each in transitions]
    assert ends == [*(each["StartTime"] for each in transitions[1:]), job["TrainingEndTime"]]
    assert service.counters()["starts"] == {NAME: 1}
    assert service.counters()["states"] == {"Completed": 1}


def test_a_name_is_given_once(service: SageMakerSimulator, sagemaker: Any) -> None:
    sagemaker.create_training_job(**GIVEN)
    with pytest.raises(ClientError) as caught:
        sagemaker.create_training_job(**GIVEN)
    assert refusal(caught)[0] == "ResourceInUse"
    assert service.starts[NAME] == 1


def test_a_failed_training_says_why(service: SageMakerSimulator, sagemaker: Any) -> None:
    reason = "AlgorithmError: ExecuteUserScriptError: exit code: 1"
    service.apply_settings({"plans": [{"failure": reason}]})
    sagemaker.create_training_job(**GIVEN)
    service.clock.advance(30)
    job = sagemaker.describe_training_job(TrainingJobName=NAME)
    assert (job["TrainingJobStatus"], job["FailureReason"]) == ("Failed", reason)
    assert "FinalMetricDataList" not in job
    assert "ModelArtifacts" not in job


@pytest.mark.parametrize(("after", "has_started"), [(1, False), (10, True)])
def test_a_stop_takes_its_time_and_is_refused_after_the_end(
    service: SageMakerSimulator, sagemaker: Any, after: int, has_started: bool
) -> None:
    sagemaker.create_training_job(**GIVEN)
    service.clock.advance(after)
    sagemaker.stop_training_job(TrainingJobName=NAME)
    assert stage(sagemaker) == ("Stopping", "Stopping")
    service.clock.advance(1)
    sagemaker.stop_training_job(TrainingJobName=NAME)
    service.clock.advance(1)
    assert stage(sagemaker) == ("Stopped", "Stopped")
    job = sagemaker.describe_training_job(TrainingJobName=NAME)
    assert ("TrainingStartTime" in job) == has_started
    with pytest.raises(ClientError) as caught:
        sagemaker.stop_training_job(TrainingJobName=NAME)
    words = "The request was rejected because the training job is in status Stopped."
    assert refusal(caught) == ("ValidationException", words)


def test_a_training_over_its_time_is_stopped_by_the_service(
    service: SageMakerSimulator, sagemaker: Any
) -> None:
    sagemaker.create_training_job(**{**GIVEN, "StoppingCondition": {"MaxRuntimeInSeconds": 5}})
    service.clock.advance(7)
    assert stage(sagemaker) == ("Stopping", "Stopping")
    service.clock.advance(2)
    assert stage(sagemaker) == ("Stopped", "MaxRuntimeExceeded")


def test_a_job_that_is_not_there(sagemaker: Any) -> None:
    for call in (sagemaker.describe_training_job, sagemaker.stop_training_job):
        with pytest.raises(ClientError) as caught:
            call(TrainingJobName="nobody")
        assert refusal(caught) == ("ValidationException", "Requested resource not found.")


def test_the_quota(service: SageMakerSimulator, sagemaker: Any) -> None:
    service.apply_settings({"max_trainings": 1})
    sagemaker.create_training_job(**GIVEN)
    with pytest.raises(ClientError) as caught:
        sagemaker.create_training_job(**{**GIVEN, "TrainingJobName": "faces-2"})
    assert refusal(caught)[0] == "ResourceLimitExceeded"
    service.clock.advance(30)
    sagemaker.create_training_job(**{**GIVEN, "TrainingJobName": "faces-2"})


def test_all_that_is_wrong_is_said_at_once(service: SageMakerSimulator, sagemaker: Any) -> None:
    with pytest.raises(ClientError) as caught:
        sagemaker.create_training_job(
            TrainingJobName="under_score", AlgorithmSpecification={"TrainingInputMode": "File"}
        )
    code, words = refusal(caught)
    assert code == "ValidationException"
    assert words.startswith("6 validation errors detected: ")
    for wrong in ("TrainingJobName", "RoleArn", "S3OutputPath", "StoppingCondition", "either"):
        assert wrong in words
    assert not service.starts


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"secret": "another/secret+access=key00000000000000"}, "InvalidSignatureException"),
        ({"region": "us-east-1"}, "InvalidSignatureException"),
    ],
)
def test_who_signs_otherwise_is_refused(
    client_with: MakeClient, changes: dict[str, str], code: str
) -> None:
    with pytest.raises(ClientError) as caught:
        client_with(**changes).create_training_job(**GIVEN)
    assert refusal(caught)[0] == code


def test_who_does_not_sign_is_refused(service: SageMakerSimulator, url: str) -> None:
    answer = httpx.post(url, json=GIVEN, trust_env=False)
    assert (answer.status_code, answer.json()["__type"]) == (
        403,
        "MissingAuthenticationTokenException",
    )
    assert not service.starts


def test_another_operation_is_unknown(sagemaker: Any) -> None:
    with pytest.raises(ClientError) as caught:
        sagemaker.list_endpoints()
    assert refusal(caught)[0] == "UnknownOperationException"


def test_settings_that_do_not_exist_are_refused(service: SageMakerSimulator) -> None:
    with pytest.raises(ValueError, match="speed: Extra inputs are not permitted"):
        service.apply_settings({"speed": 2})


def test_a_list_has_pages_filters_and_orders(service: SageMakerSimulator, sagemaker: Any) -> None:
    for number in range(12):
        service.clock.advance(1)
        sagemaker.create_training_job(**{**GIVEN, "TrainingJobName": f"faces-{number}"})
    sagemaker.stop_training_job(TrainingJobName="faces-3")
    service.clock.advance(2)

    def names(**asked: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_training_jobs").paginate(**asked)
        return [each["TrainingJobName"] for p in pages for each in p["TrainingJobSummaries"]]

    first = sagemaker.list_training_jobs()
    assert len(first["TrainingJobSummaries"]) == 10
    assert first["TrainingJobSummaries"][0] == {
        "TrainingJobName": "faces-0",
        "TrainingJobArn": "arn:aws:sagemaker:eu-west-1:123456789012:training-job/faces-0",
        "CreationTime": NOON + timedelta(seconds=1),
        "LastModifiedTime": NOON + timedelta(seconds=5),
        "TrainingJobStatus": "InProgress",
    }
    assert names() == [f"faces-{number}" for number in range(12)]
    assert names(SortOrder="Descending", MaxResults=5) == [f"faces-{n}" for n in range(11, -1, -1)]
    assert names(SortBy="Name")[:3] == ["faces-0", "faces-1", "faces-10"]
    assert names(StatusEquals="Stopped") == ["faces-3"]
    assert names(NameContains="s-1", CreationTimeBefore=NOON + timedelta(seconds=11)) == [
        "faces-1",
        "faces-10",
    ]
    for wrong in ({"MaxResults": 101}, {"SortBy": "Colour"}, {"NextToken": "AAAA"}):
        with pytest.raises(ClientError) as caught:
            sagemaker.list_training_jobs(**wrong)
        assert refusal(caught)[0] == "ValidationException"


def test_tags_are_listed_and_are_no_part_of_a_description(sagemaker: Any) -> None:
    tags = [{"Key": "team", "Value": "vision"}]
    arn = sagemaker.create_training_job(**GIVEN, Tags=tags)["TrainingJobArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    assert "Tags" not in sagemaker.describe_training_job(TrainingJobName=NAME)


def test_a_trace_id_that_came_after_signing_is_taken(
    client_with: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """boto3 puts it into every request of a Lambda function, and does not sign it."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "start_job")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793")
    assert client_with().list_training_jobs()["TrainingJobSummaries"] == []
