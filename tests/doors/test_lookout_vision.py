"""Amazon Lookout for Vision's features (L1 to L8), through the API of an embedded Trainbell."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.doors.conftest import Connect
from tests.doors.engines import Embedded, Service
from trainbell.client import ApiProblem
from trainbell.simulators.faults import Fault, FaultKind
from trainbell.simulators.lookout_vision.account import PROJECT

PLACE = {"S3Location": {"Bucket": "lookout-results", "Prefix": "runs/"}}
TRAINING = {"ProjectName": PROJECT, "OutputConfig": PLACE}
HOUR = 3600
TAGS = [{"Key": f"tag-{number}", "Value": "x" * 256} for number in range(199)]


@pytest.fixture
def lookout(connect: Connect) -> Service:
    return connect("lookout_vision")


def problems(lookout: Service, **changes: Any) -> list[str]:
    with pytest.raises(ApiProblem) as refused:
        lookout.start("train", {**TRAINING, **changes})
    assert refused.value.status == 422
    return sorted(each["path"].removeprefix("parameters.") for each in refused.value.errors)


@pytest.mark.feature("L1", does="start poll refuse ask")
def test_the_service_numbers_the_versions_of_a_project(lookout: Service) -> None:
    assert [each["ProjectName"] for each in lookout.ask("list_projects")["items"]] == [PROJECT]
    versions = [lookout.run("train", TRAINING)["handle"]["version"] for _ in range(2)]
    assert versions == ["1", "2"]
    for name in ("", "-boards", "b" * 256, "boards/1"):
        assert problems(lookout, ProjectName=name) == ["ProjectName"]
    assert lookout.run("train", {**TRAINING, "ProjectName": "elsewhere"})["state"] == "failed"


@pytest.mark.feature("L2", does="start poll")
def test_one_token_one_training(lookout: Service) -> None:
    """The token is the job's id: a start that is sent again meets the first."""
    lookout.simulator.faults.add(Fault(kind=FaultKind.DROPPED_AFTER, method="POST"))
    job = lookout.run("train", TRAINING)
    assert job["state"] == "succeeded"
    assert lookout.simulator.starts == {job["id"]: 1}


@pytest.mark.feature("L2", does="start refuse")
def test_a_callers_key_gives_the_same_job_for_eight_hours(
    lookout: Service, embedded: Embedded
) -> None:
    def start(**changes: Any) -> str:
        order = {"provider": "lookout_vision", "parameters": {**TRAINING, **changes}}
        job: str = lookout.client.start(order, idempotency_key="boards-1")["id"]
        return job

    first = start()
    embedded.pass_time(8 * HOUR - 1)
    assert start() == first
    with pytest.raises(ApiProblem) as conflict:
        start(Description="other")
    assert conflict.value.status == 409
    embedded.pass_time(2)
    assert start() != first


@pytest.mark.feature("L3", does="start poll refuse ask")
def test_description_key_place_and_tags_reach_the_service(lookout: Service) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/boards"
    given = {**TRAINING, "Description": "night.shift", "KmsKeyId": key, "Tags": TAGS}
    lookout.run("train", given)
    model = lookout.ask("get_model", project=PROJECT, version="1")
    tags = lookout.ask("list_tags", arn=model["model_arn"])
    assert model["description"].startswith("night.shift.")
    sent = of_version(lookout, 1).given
    assert (sent["KmsKeyId"], sent["OutputConfig"]) == (key, PLACE)
    assert tags["tags"] == {tag["Key"]: tag["Value"] for tag in TAGS}
    wrong = {"Description": "a b", "KmsKeyId": "-", "Tags": [*TAGS, *TAGS[:2]]}
    assert problems(lookout, **wrong) == ["Description", "KmsKeyId", "Tags"]


@pytest.mark.feature("L4", does="start poll")
@pytest.mark.parametrize("status", ["HOSTED", "STARTING_HOSTING", "HOSTING_FAILED"])
def test_a_hosted_model_is_a_training_that_succeeded(lookout: Service, status: str) -> None:
    """Somebody began to host it before anybody looked."""
    job = lookout.until(lookout.start("train", TRAINING), lambda seen: seen["state"] == "running")
    model = of_version(lookout, 1)
    model.plan = replace(model.plan, training_seconds=0, status=status)
    ended = lookout.until(job, lambda seen: seen["has_ended"])
    assert (ended["vendor_status"], ended["state"]) == (status, "succeeded")


@pytest.mark.feature("L4", does="start poll")
def test_a_training_passes_through_its_states(lookout: Service) -> None:
    lookout.simulator.apply_settings({"plans": [{}, {"error": "Too few images."}]})
    for state, word in (("succeeded", "TRAINED"), ("failed", "TRAINING_FAILED")):
        seen = lookout.watched(lookout.start("train", TRAINING))
        words = [(job["vendor_status"], job["state"]) for job in seen if job["vendor_status"]]
        assert list(dict.fromkeys(words)) == [("TRAINING", "running"), (word, state)]
    assert seen[-1]["message"] == "Too few images."


@pytest.mark.feature("L5", does="start poll")
def test_performance_and_evaluation_come_with_the_end(lookout: Service) -> None:
    plan = {"f1_score": 0.9, "precision": 0.875, "recall": 0.925}
    lookout.simulator.apply_settings({"plan": plan})
    seen = lookout.watched(lookout.start("train", TRAINING))
    assert {bool(job["performance"]["metrics"]) for job in seen[:-1]} == {False}
    performance = seen[-1]["performance"]
    assert performance["metrics"] == {"F1Score": 0.9, "Precision": 0.875, "Recall": 0.925}
    assert (
        performance["artifacts"].items()
        >= {
            name: f"s3://lookout-results/runs/{PROJECT}-1/{file}.json"
            for name, file in (
                ("evaluation_manifest", "EvaluationManifest"),
                ("evaluation_result", "EvaluationResult"),
            )
        }.items()
    )


@pytest.mark.feature("L6", does="start")
@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        ("AccessDeniedException", 403, "ProviderAuthFailed"),
        ("ConflictException", 409, "ProviderRejected"),
        ("ResourceNotFoundException", 404, "ProviderRejected"),
        ("ServiceQuotaExceededException", 402, "ProviderRejected"),
        ("ValidationException", 400, "ProviderRejected"),
    ],
)
def test_each_error_is_its_own(lookout: Service, error: str, status: int, kind: str) -> None:
    lookout.simulator.apply_settings({"errors": [{"error": error, "operation": "CreateModel"}]})
    job = lookout.start("train", TRAINING)
    seen = lookout.until(job, lambda job: job["last_error"] is not None)
    said = seen["last_error"]
    assert (said["type"], said["http_status"]) == (kind, status)
    assert said["vendor_code"] == error


@pytest.mark.feature("L6", does="start poll")
@pytest.mark.parametrize("error", ["ThrottlingException", "InternalServerException"])
def test_passing_errors_end_no_job_and_retry_after_is_obeyed(lookout: Service, error: str) -> None:
    wrong = {"error": error, "operation": "DescribeModel", "retry_after": "100"}
    lookout.simulator.apply_settings({"plan": {"training_seconds": 1000}})
    started = lookout.start("train", TRAINING, max_interval_seconds=60)
    job = lookout.until(started, lambda seen: seen["state"] == "running")
    lookout.simulator.apply_settings({"errors": [wrong]})
    seen = lookout.watched(job)
    at = next(n for n, each in enumerate(seen) if each["last_error"])
    assert seen[at]["last_error"]["vendor_code"] == error
    assert seen[-1]["state"] == "succeeded"
    if error == "ThrottlingException":
        waited = moment(seen[at]["next_poll_at"]) - moment(seen[at]["last_polled_at"])
        assert waited.total_seconds() >= 100


@pytest.mark.feature("L7", does="start poll ask")
def test_what_is_not_signed_rightly_is_refused_and_says_so(
    lookout: Service, embedded: Embedded
) -> None:
    assert lookout.run("train", TRAINING)["state"] == "succeeded"
    simulated: Any = lookout.simulator
    simulated.wall = lambda: later(embedded)
    with pytest.raises(ApiProblem, match="Signature expired") as refused:
        lookout.ask("list_models", project=PROJECT)
    assert refused.value.document["type"] == "urn:trainbell:provider-auth-failed"
    simulated.wall = embedded.service_clock().now
    assert lookout.ask("list_models", project=PROJECT)["items"]


@pytest.mark.feature("L8", does="start poll ask delete")
def test_models_are_described_listed_by_pages_and_deleted(lookout: Service) -> None:
    jobs = [lookout.start("train", TRAINING) for _ in range(3)]
    for job in jobs:
        lookout.until(job, lambda seen: seen["has_ended"])
    listed = lookout.client.all_at_service(lookout.name, "list_models", project=PROJECT)
    assert sorted(each["model_version"] for each in listed) == ["1", "2", "3"]
    lookout.ask("delete_model", project=PROJECT, version="2")
    shown = lookout.ask("get_model", project=PROJECT, version="2")
    assert shown["status"] == "DELETING"


def of_version(lookout: Service, version: int) -> Any:
    """A model as the service has it."""
    simulated: Any = lookout.simulator
    return simulated.account.projects[PROJECT].models[version]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def later(embedded: Embedded) -> datetime:
    return embedded.service_clock().now() + timedelta(minutes=6)
