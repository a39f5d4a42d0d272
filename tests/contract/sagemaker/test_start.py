"""One name is one training at SageMaker; a wrong one is refused before it is sent."""

from __future__ import annotations

import pytest

from tests.builders import NOON
from tests.contract.sagemaker.service import ARN, HANDLE, JOB, NAME, a_provider, an_order
from tests.sagemaker_on_moto import (
    ACCOUNT,
    SageMakerOnMoto,
    a_channel,
)
from trainbell.errors import (
    ProviderRejected,
)
from trainbell.ports import Provider
from trainbell.providers.sagemaker.parameters import JOB_VARIABLE
from trainbell.providers.sagemaker.provider import SageMaker
from trainbell.providers.sagemaker.vendor_models import TrainingJob

# ---------------------------------------------------------------- one name, one training


def test_the_name_is_the_job_and_the_whole_input_arrives(
    sagemaker: SageMaker, service: SageMakerOnMoto
) -> None:
    order = an_order(
        Environment={"EPOCHS": "3"},
        Tags=[{"Key": "team", "Value": "faces"}],
        StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90},
        EnableManagedSpotTraining=True,
        CheckpointConfig={"S3Uri": "s3://models/checkpoints"},
    )
    assert sagemaker.start(order) == HANDLE
    job = service.jobs()[NAME]
    assert job.role_arn == order.parameters["RoleArn"]
    assert job.input_data_config == order.parameters["InputDataConfig"]
    assert job.tags == order.parameters["Tags"]
    assert job.enable_managed_spot_training is True
    shown = sagemaker.client.training_job(NAME)
    assert shown.Environment == {"EPOCHS": "3", JOB_VARIABLE: JOB}


def test_a_repeated_start_adopts_the_first(sagemaker: SageMaker, service: SageMakerOnMoto) -> None:
    assert sagemaker.start(an_order()) == sagemaker.start(an_order()) == HANDLE
    assert service.starts[JOB] == 1


def test_a_job_of_somebody_else_with_our_name_is_not_adopted(
    sagemaker: SageMaker, service: SageMakerOnMoto
) -> None:
    sagemaker.start(an_order())
    service._environments[NAME] = {JOB_VARIABLE: "01somebodyelse"}
    assert sagemaker.find(an_order()) is None
    with pytest.raises(ProviderRejected) as raised:
        sagemaker.start(an_order())
    assert raised.value.vendor_code == "ResourceInUse"


@pytest.mark.parametrize("environment", [None, {}])
def test_without_an_environment_the_same_input_makes_it_ours(
    sagemaker: SageMaker, service: SageMakerOnMoto, environment: dict[str, str] | None
) -> None:
    sagemaker.start(an_order())
    service._environments[NAME] = environment
    assert sagemaker.find(an_order()) == HANDLE
    for other in (
        {"HyperParameters": {"epochs": "4"}},
        {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/other"},
        {"InputDataConfig": [a_channel(), a_channel(ChannelName="more")]},
        {"AlgorithmSpecification": {"AlgorithmName": "xgboost", "TrainingInputMode": "File"}},
    ):
        assert sagemaker.find(an_order(**other)) is None


def test_another_prefix_is_another_name(base_url: str, made: list[Provider]) -> None:
    made.append(team := a_provider(base_url, name_prefix="trainbell-team-"))
    assert team.start(an_order())["name"] == f"trainbell-team-{JOB}"


def test_it_is_never_watched_by_a_list(sagemaker: SageMaker, service: SageMakerOnMoto) -> None:
    handle = sagemaker.start(an_order())
    sagemaker.find(an_order())
    sagemaker.poll(handle)
    sagemaker.check()
    sagemaker.cancel(handle)
    assert set(service.calls) == {"CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob"}


# ---------------------------------------------------------------- before anything is sent


def test_stored_parameters_that_are_wrong_now_are_rejected_before_anything_is_sent(
    sagemaker: SageMaker, service: SageMakerOnMoto
) -> None:
    with pytest.raises(ProviderRejected, match="RoleArn"):
        sagemaker.start(an_order(RoleArn="nobody"))
    assert not service.calls


def test_times_of_a_model_are_in_utc() -> None:
    at_noon = {"TrainingJobArn": ARN, "TrainingJobName": NAME, "TrainingJobStatus": "Failed"}
    shown = TrainingJob.model_validate({**at_noon, "CreationTime": NOON})
    assert shown.CreationTime == NOON
    naive = TrainingJob.model_validate({**at_noon, "CreationTime": NOON.replace(tzinfo=None)})
    assert naive.CreationTime is None
