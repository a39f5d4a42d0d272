"""A SageMaker training is watched to its end, and cancelled for real."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.contract.sagemaker.service import ARN, HANDLE, NAME, _enum, an_order, recorded, refusal
from tests.sagemaker_on_moto import (
    REGION,
    SageMakerOnMoto,
)
from trainbell.domain.job import EndReason, State
from trainbell.errors import (
    ConfigInvalid,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
)
from trainbell.providers.sagemaker.provider import SageMaker
from trainbell.providers.sagemaker.status_map import TIME_IS_UP, WAITING_STAGES

# ---------------------------------------------------------------- watched to the end


def test_a_job_goes_through_its_stages(sagemaker: SageMaker, service: SageMakerOnMoto) -> None:
    handle = sagemaker.start(an_order())
    waiting = sagemaker.poll(handle)
    assert (waiting.state, waiting.stage, waiting.started_at) == (State.QUEUED, "Starting", None)
    service.begin(NAME)
    running = sagemaker.poll(handle)
    assert (running.state, running.stage) == (State.RUNNING, "Training")
    assert running.started_at is not None
    service.finish(NAME, billable_seconds=100)
    end = sagemaker.poll(handle)
    assert (end.state, end.vendor_status) == (State.SUCCEEDED, "Completed")
    assert end.performance.cost == {"billable_seconds": 100.0, "instances": 1.0}
    assert end.performance.artifacts == {"model": f"s3://models/out/{NAME}/output/model.tar.gz"}


def test_final_metrics_cost_and_times_of_a_completed_job(answering: Any) -> None:
    seen = answering(recorded("training_job_completed")).poll(HANDLE)
    assert seen.state is State.SUCCEEDED
    assert seen.performance.metrics == {"validation:accuracy": 0.9375, "train:loss": 0.125}
    assert seen.performance.cost == {
        "training_seconds": 500.0,
        "billable_seconds": 100.0,
        "instances": 2.0,
    }
    assert seen.started_at == datetime(2026, 3, 2, 12, 1, 0, 500_000, tzinfo=UTC)
    assert seen.ended_at == datetime(2026, 3, 2, 12, 9, 20, 500_000, tzinfo=UTC)
    assert seen.message == "Training job completed"


@pytest.mark.parametrize("stage", ["Interrupted", "Restarting", "Starting", "Pending", "Updating"])
def test_a_spot_interruption_keeps_it_running(answering: Any, stage: str) -> None:
    seen = answering(recorded("training_job_interrupted", SecondaryStatus=stage)).poll(HANDLE)
    assert (seen.state, seen.stage) == (State.RUNNING, stage)
    words = "Training job interrupted, waiting for spot capacity"
    assert seen.message == (words if stage == "Interrupted" else None)


@pytest.mark.parametrize(
    "stage", ["Starting", "Pending", "LaunchingMLInstances", "PreparingTrainingStack"]
)
def test_before_its_first_instance_it_is_queued(answering: Any, stage: str) -> None:
    answer = recorded("training_job_interrupted", SecondaryStatus=stage)
    del answer["TrainingStartTime"]
    assert answering(answer).poll(HANDLE).state is State.QUEUED


def test_an_unknown_stage_is_only_a_stage(answering: Any) -> None:
    seen = answering(recorded("training_job_interrupted", SecondaryStatus="Meditating")).poll(
        HANDLE
    )
    assert (seen.state, seen.stage, seen.vendor_status) == (
        State.RUNNING,
        "Meditating",
        "InProgress",
    )


def test_the_stages_with_a_meaning_are_documented() -> None:
    assert set(_enum("SecondaryStatus")) >= WAITING_STAGES | TIME_IS_UP


@pytest.mark.parametrize(
    ("stage", "state", "reason"),
    [
        ("Stopped", State.CANCELLED, None),
        ("MaxRuntimeExceeded", State.EXPIRED, EndReason.DEADLINE_EXCEEDED),
        ("MaxWaitTimeExceeded", State.EXPIRED, EndReason.DEADLINE_EXCEEDED),
    ],
)
def test_stopped_by_somebody_or_by_its_own_condition(
    answering: Any, stage: str, state: State, reason: EndReason | None
) -> None:
    answer = recorded("training_job_completed", TrainingJobStatus="Stopped", SecondaryStatus=stage)
    seen = answering(answer).poll(HANDLE)
    assert (seen.state, seen.end_reason) == (state, reason)


@pytest.mark.parametrize(
    ("stage", "state"),
    [("Completed", State.SUCCEEDED), ("Failed", State.FAILED), ("Training", State.RUNNING)],
)
def test_a_job_that_is_being_deleted_ended_as_its_stage_says(
    answering: Any, stage: str, state: State
) -> None:
    answer = recorded("training_job_completed", TrainingJobStatus="Deleting", SecondaryStatus=stage)
    assert answering(answer).poll(HANDLE).state is state


def test_a_failed_job_says_why(answering: Any) -> None:
    reason = "AlgorithmError: , exit code: 137\nout of memory"
    answer = recorded(
        "training_job_completed",
        TrainingJobStatus="Failed",
        SecondaryStatus="Failed",
        FailureReason=reason,
    )
    del answer["TrainingEndTime"]
    seen = answering(answer).poll(HANDLE)
    assert (seen.state, seen.message, seen.vendor_code) == (State.FAILED, reason, "AlgorithmError")
    assert (seen.exit_code, seen.ended_at) == (137, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"FinalMetricDataList": [{"MetricName": "loss", "Value": float("nan")}, {"Value": 1.0}]},
        {"FinalMetricDataList": [], "BillableTimeInSeconds": True, "ModelArtifacts": {}},
        {"FailureReason": ""},
    ],
)
def test_what_is_odd_does_not_spoil_the_answer(answering: Any, changes: dict[str, Any]) -> None:
    seen = answering(recorded("training_job_completed", **changes)).poll(HANDLE)
    assert seen.state is State.SUCCEEDED
    if "FinalMetricDataList" in changes:
        assert seen.performance.metrics == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"TrainingJobStatus": None},
        {"TrainingJobStatus": 7},
        {"TrainingJobArn": "elsewhere"},
        {"CreationTime": "soon"},
        {"FinalMetricDataList": 7},
    ],
)
def test_an_answer_that_cannot_be_read_is_invalid(answering: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(ProviderReplyInvalid):
        answering(recorded("training_job_completed", **changes)).poll(HANDLE)


def test_a_connection_that_moved_does_not_lose_the_job(answering: Any) -> None:
    moved = {**HANDLE, "arn": ARN.replace(REGION, "us-east-1")}
    with pytest.raises(ConfigInvalid, match="us-east-1"):
        answering(refusal("ValidationException", "Requested resource not found.")).poll(moved)


# ---------------------------------------------------------------- cancelled for real


def test_a_stop_goes_through_stopping_to_stopped(
    sagemaker: SageMaker, service: SageMakerOnMoto
) -> None:
    handle = sagemaker.start(an_order())
    sagemaker.cancel(handle)
    assert sagemaker.poll(handle).state is State.CANCELLING
    service.say(NAME, "Stopped")
    assert sagemaker.poll(handle).state is State.CANCELLED
    sagemaker.cancel(handle)


def test_a_stop_of_an_unknown_job_says_so(sagemaker: SageMaker) -> None:
    with pytest.raises(ProviderJobMissing):
        sagemaker.cancel(HANDLE)


def test_another_refusal_of_a_stop_is_not_swallowed(answering: Any) -> None:
    with pytest.raises(ProviderRejected, match="1 validation error"):
        answering(refusal("ValidationException", "1 validation error detected")).cancel(HANDLE)
