"""The input of a SageMaker training job: every documented bound at its edge and one past it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sagemaker_on_moto import ACCOUNT, a_channel, parameters
from trainbell.providers.sagemaker import PROVIDER
from trainbell.providers.sagemaker.parameters import JOB_VARIABLE, TrainParameters


def at(path: str, value: Any) -> dict[str, Any]:
    """The parameters with one place changed; numbers in the path are places in a list."""
    changed: Any = json.loads(json.dumps(parameters()))
    place, *rest = path.split(".")
    whole = changed
    while rest:
        key: Any = int(place) if place.isdigit() else place
        changed = changed[key] if isinstance(changed, list) else changed.setdefault(key, {})
        place, *rest = rest
    changed[int(place) if place.isdigit() else place] = value
    result: dict[str, Any] = whole
    return result


ROLE = f"arn:aws:iam::{ACCOUNT}:role/"
BOUNDS: list[tuple[str, list[Any], list[Any]]] = [
    (
        "RoleArn",
        [ROLE + "r" * (2048 - len(ROLE)), f"arn:aws-cn:iam::{ACCOUNT}:role/x/y"],
        [ROLE + "r" * (2049 - len(ROLE)), "arn:aws:iam::1:role/r", ROLE + "a b"],
    ),
    (
        "HyperParameters",
        [{str(n): "x" for n in range(100)}, {"k" * 256: "v" * 2500}],
        [{str(n): "x" for n in range(101)}, {"k" * 257: "v"}, {"k": "v" * 2501}, {"k": 3}],
    ),
    (
        "Environment",
        [{f"V{n}": "x" for n in range(99)}, {"_" * 512: "v" * 512}],
        [
            {f"V{n}": "x" for n in range(100)},
            {"V" * 513: "v"},
            {"V": "v" * 513},
            {"1V": "v"},
            {JOB_VARIABLE: "mine"},
        ],
    ),
    (
        "Tags",
        [
            [{"Key": f"k{n}", "Value": ""} for n in range(50)],
            [{"Key": "k" * 128, "Value": "v" * 256}, {"Key": "größe +-=._:/@", "Value": "größe"}],
        ],
        [
            [{"Key": f"k{n}", "Value": ""} for n in range(51)],
            [{"Key": "k" * 129, "Value": ""}],
            [{"Key": "k", "Value": "v" * 257}],
            [{"Key": "", "Value": ""}],
            [{"Key": "k#", "Value": ""}],
            [{"Key": "aws:x", "Value": ""}],
            [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}],
        ],
    ),
    (
        "AlgorithmSpecification.TrainingImage",
        ["i", "i" * 255],
        ["", "i" * 256, None],
    ),
    (
        "AlgorithmSpecification",
        [
            {"TrainingInputMode": "Pipe", "AlgorithmName": "a" * 63},
            {
                "TrainingInputMode": "FastFile",
                "AlgorithmName": f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:algorithm/x",
            },
        ],
        [
            {"TrainingInputMode": "Pipe", "AlgorithmName": "a" * 64},
            {"TrainingInputMode": "Pipe", "AlgorithmName": "a-"},
            {"TrainingInputMode": "Pipe", "AlgorithmName": "a", "TrainingImage": "i"},
            {"TrainingInputMode": "Stream", "AlgorithmName": "a"},
            {"AlgorithmName": "a"},
        ],
    ),
    (
        "AlgorithmSpecification.MetricDefinitions",
        [
            [{"Name": "m" * 255, "Regex": "r" * 500}],
            [{"Name": f"m{n}", "Regex": "r"} for n in range(40)],
        ],
        [
            [{"Name": "m" * 256, "Regex": "r"}],
            [{"Name": "m", "Regex": "r" * 501}],
            [{"Name": "", "Regex": "r"}],
            [{"Name": f"m{n}", "Regex": "r"} for n in range(41)],
        ],
    ),
    (
        "AlgorithmSpecification.ContainerEntrypoint",
        [["x" * 256] * 100],
        [[], ["x"] * 101, ["x" * 257]],
    ),
    (
        "AlgorithmSpecification.ContainerArguments",
        [["x" * 256] * 100],
        [[], ["x"] * 101, ["x" * 257]],
    ),
    (
        "InputDataConfig",
        [[a_channel(ChannelName=f"c{n}") for n in range(20)], [a_channel(ChannelName="c" * 64)]],
        [
            [],
            [a_channel(ChannelName=f"c{n}") for n in range(21)],
            [a_channel(ChannelName="c" * 65)],
            [a_channel(ChannelName="a b")],
            [a_channel(), a_channel()],
            [a_channel(DataSource={})],
        ],
    ),
    ("InputDataConfig.0.ContentType", ["x" * 256], ["x" * 257]),
    ("InputDataConfig.0.CompressionType", ["None", "Gzip"], ["Zip"]),
    ("InputDataConfig.0.RecordWrapperType", ["None", "RecordIO"], ["Json"]),
    ("InputDataConfig.0.InputMode", ["Pipe", "File", "FastFile"], ["Slow"]),
    ("InputDataConfig.0.ShuffleConfig", [{"Seed": -(2**63)}], [{"Seed": 2**63}, {}]),
    (
        "InputDataConfig.0.DataSource.S3DataSource.S3Uri",
        ["s3://b", "https://b/k", "s3://b/" + "k" * 1017],
        ["s3://", "b/k", "ftp://b", "s3://b/" + "k" * 1018],
    ),
    (
        "InputDataConfig.0.DataSource.S3DataSource.AttributeNames",
        [["a" * 256] * 16],
        [["a"] * 17, ["a" * 257], [""]],
    ),
    (
        "InputDataConfig.0.DataSource.S3DataSource.InstanceGroupNames",
        [["g" * 64] * 5],
        [["g"] * 6, ["g" * 65]],
    ),
    (
        "InputDataConfig.0.DataSource",
        [
            {
                "FileSystemDataSource": {
                    "FileSystemId": "fs-01234567",
                    "FileSystemAccessMode": "ro",
                    "FileSystemType": "EFS",
                    "DirectoryPath": "d" * 4096,
                }
            }
        ],
        [
            {
                "FileSystemDataSource": {
                    "FileSystemId": identity,
                    "FileSystemAccessMode": "ro",
                    "FileSystemType": "EFS",
                    "DirectoryPath": path,
                }
            }
            for identity, path in (
                ("fs-0123456", "d"),
                ("fs-xyz01234", "d"),
                ("fs-01234567", "d" * 4097),
            )
        ],
    ),
    ("OutputDataConfig.KmsKeyId", ["k" * 2048, "alias/x"], ["k" * 2049, "a b"]),
    ("OutputDataConfig.CompressionType", ["GZIP", "NONE"], ["gzip"]),
    (
        "ResourceConfig.InstanceType",
        ["ml.p4d.24xlarge", "ml.trn1n.32xlarge"],
        ["p4d.24xlarge", "ml."],
    ),
    ("ResourceConfig.InstanceCount", [1, 100], [0, "1", 1.5, None]),
    ("ResourceConfig.VolumeSizeInGB", [0, 16_384], [-1]),
    ("ResourceConfig.KeepAlivePeriodInSeconds", [0, 21_600], [-1, 21_601]),
    (
        "ResourceConfig.TrainingPlanArn",
        [f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:training-plan/{'p' * 4}"],
        ["arn:aws:sagemaker:x"],
    ),
    (
        "ResourceConfig",
        [
            {
                "InstanceGroups": [
                    {
                        "InstanceType": "ml.m5.large",
                        "InstanceCount": 1,
                        "InstanceGroupName": "g" * 64,
                    }
                ]
                * 5
            },
            {"InstancePreferences": [{"InstanceType": "ml.m5.large", "InstanceCount": 1}] * 5},
        ],
        [
            {"InstancePreferences": [{"InstanceType": "ml.m5.large"}] * 6},
            {"InstancePreferences": []},
            {"InstanceGroups": []},
            {"VolumeSizeInGB": 10},
            {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "InstancePreferences": [{"InstanceType": "ml.m5.large"}],
            },
        ],
    ),
    ("StoppingCondition.MaxRuntimeInSeconds", [1, 2_419_200], [0, 2_419_201, "60"]),
    ("StoppingCondition.MaxPendingTimeInSeconds", [1800, 2_419_200], [1799, 2_419_201]),
    ("StoppingCondition.MaxWaitTimeInSeconds", [], [0, 3600]),
    (
        "VpcConfig",
        [{"SecurityGroupIds": ["sg-" + "1" * 29] * 5, "Subnets": ["subnet-1"] * 16}],
        [
            {"SecurityGroupIds": [], "Subnets": ["s"]},
            {"SecurityGroupIds": ["s"] * 6, "Subnets": ["s"]},
            {"SecurityGroupIds": ["s"], "Subnets": []},
            {"SecurityGroupIds": ["s"], "Subnets": ["s"] * 17},
            {"SecurityGroupIds": ["s" * 33], "Subnets": ["s"]},
            {"SecurityGroupIds": ["s_"], "Subnets": ["s"]},
        ],
    ),
    (
        "CheckpointConfig",
        [{"S3Uri": "s3://b", "LocalPath": "/" * 4096}],
        [{}, {"S3Uri": "s3://b", "LocalPath": "/" * 4097}],
    ),
    (
        "RetryStrategy",
        [{"MaximumRetryAttempts": 1}, {"MaximumRetryAttempts": 30}],
        [{"MaximumRetryAttempts": 0}, {"MaximumRetryAttempts": 31}],
    ),
    (
        "ExperimentConfig",
        [{"ExperimentName": "e" * 120}],
        [{"ExperimentName": "e" * 121}, {"RunName": "-"}],
    ),
    ("TensorBoardOutputConfig", [{"S3OutputPath": "s3://b"}], [{"S3OutputPath": "b"}]),
    ("EnableNetworkIsolation", [True, False], ["yes", 1]),
    ("TrainingJobName", [], ["mine"]),
    ("Surprise", [], [1]),
]


@pytest.mark.parametrize(("path", "good", "bad"), BOUNDS, ids=[path for path, _, _ in BOUNDS])
def test_the_bounds_of_the_parameters(path: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        TrainParameters.model_validate(at(path, value))
    for value in bad:
        with pytest.raises(ValueError, match="validation error"):
            TrainParameters.model_validate(at(path, value))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"EnableManagedSpotTraining": True}, "needs StoppingCondition.MaxWaitTimeInSeconds"),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59},
            },
            "must not be less",
        ),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxWaitTimeInSeconds": 60},
                "ResourceConfig": {"InstancePreferences": [{"InstanceType": "ml.m5.large"}]},
            },
            "InstancePreferences",
        ),
    ],
)
def test_spot_training_needs_its_own_limits(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        TrainParameters.model_validate(parameters(**changes))


def test_all_problems_are_told_at_once() -> None:
    wrong = {**at("ResourceConfig.InstanceCount", 0), "RoleArn": "nobody", "surprise": 1}
    with pytest.raises(ValueError, match="3 validation errors"):
        TrainParameters.model_validate(wrong)


def test_the_dataset_is_the_first_channel() -> None:
    assert PROVIDER.dataset_of is not None
    assert PROVIDER.dataset_of(parameters()) == "s3://data/faces/"
    odd: dict[str, Any]
    for odd in ({}, {"InputDataConfig": []}, {"InputDataConfig": [{"DataSource": None}]}):
        assert PROVIDER.dataset_of(odd) is None
    assert PROVIDER.dataset_of(at("InputDataConfig.0.DataSource.S3DataSource.S3Uri", 7)) is None
