"""What a SageMaker training job takes, checked before anything is sent.

The names are those of CreateTrainingJob, so that the arguments of a boto3 call can be used as they
are, without TrainingJobName, which Trainbell gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from trainbell.providers.orders import Parameters
from trainbell.providers.sagemaker import input_parts as parts

JOB_VARIABLE = "TRAINBELL_JOB_ID"
"""The variable of the training's environment that says whose job it is: readable by the training,
and by us when we look at a job that already has our name."""

HyperParameterKey = Annotated[str, StringConstraints(max_length=256)]
HyperParameterValue = Annotated[str, StringConstraints(max_length=2500)]
VariableName = Annotated[
    str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=512)
]
VariableValue = Annotated[str, StringConstraints(max_length=512)]

_COMPARED = ("RoleArn", "HyperParameters", "InputDataConfig", "OutputDataConfig", "ResourceConfig")
_COMPARED_OF_ALGORITHM = ("TrainingImage", "AlgorithmName", "TrainingInputMode")


class TrainParameters(Parameters):
    """Input of CreateTrainingJob."""

    AlgorithmSpecification: parts.Algorithm
    RoleArn: str = Field(
        pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@_/-]+$",
        min_length=20,
        max_length=2048,
        description="The role that the training runs as.",
    )
    OutputDataConfig: parts.Output
    ResourceConfig: parts.Resources
    StoppingCondition: parts.Stopping
    HyperParameters: dict[HyperParameterKey, HyperParameterValue] = Field(
        default_factory=dict, max_length=100, description="No secrets: anybody with access sees it."
    )
    InputDataConfig: list[parts.Channel] | None = Field(default=None, min_length=1, max_length=20)
    Environment: dict[VariableName, VariableValue] = Field(
        default_factory=dict,
        max_length=99,
        description=f"SageMaker takes 100; {JOB_VARIABLE} is one of them and Trainbell's own.",
    )
    Tags: list[parts.Tag] = Field(default_factory=list, max_length=50)
    VpcConfig: parts.Vpc | None = None
    EnableNetworkIsolation: bool | None = None
    EnableInterContainerTrafficEncryption: bool | None = None
    EnableManagedSpotTraining: bool | None = None
    CheckpointConfig: parts.Checkpoints | None = None
    RetryStrategy: parts.Retries | None = None
    ExperimentConfig: parts.Experiment | None = None
    TensorBoardOutputConfig: parts.TensorBoardOutput | None = None
    RemoteDebugConfig: parts.RemoteDebug | None = None
    InfraCheckConfig: parts.InfraCheck | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        problems = [*self._spot_problems(), *self._name_problems()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _spot_problems(self) -> Sequence[str]:
        longest, wait = (
            self.StoppingCondition.MaxRuntimeInSeconds,
            self.StoppingCondition.MaxWaitTimeInSeconds,
        )
        if not self.EnableManagedSpotTraining:
            return ["MaxWaitTimeInSeconds is for spot training only"] if wait is not None else []
        if wait is None:
            return ["EnableManagedSpotTraining needs StoppingCondition.MaxWaitTimeInSeconds"]
        if longest is not None and wait < longest:
            return ["MaxWaitTimeInSeconds must not be less than MaxRuntimeInSeconds"]
        if self.ResourceConfig.InstancePreferences is not None:
            return ["InstancePreferences cannot be had with spot training"]
        return []

    def _name_problems(self) -> Sequence[str]:
        problems = []
        channels = [channel.ChannelName for channel in self.InputDataConfig or ()]
        if len(set(channels)) < len(channels):
            problems.append("two channels of InputDataConfig have one name")
        keys = [tag.Key for tag in self.Tags]
        if len(set(keys)) < len(keys):
            problems.append("two Tags have one key")
        if any(key.lower().startswith("aws:") for key in keys):
            problems.append("keys of Tags must not begin with aws:")
        if JOB_VARIABLE in self.Environment:
            problems.append(f"{JOB_VARIABLE} of the Environment is Trainbell's own")
        return problems

    def wire(self, name: str, job_id: str) -> dict[str, Any]:
        """The arguments of CreateTrainingJob."""
        given = self.model_dump(exclude_none=True)
        body = {key: value for key, value in given.items() if value not in ({}, [])}
        marked = {**self.Environment, JOB_VARIABLE: job_id}
        return {"TrainingJobName": name, **body, "Environment": marked}


def is_ours(described: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a job that has our name is the one that `wanted` asked for.

    It carries our marker; or, where the environment is not shown, it has the same input.
    """
    shown = described.get("Environment")
    if isinstance(shown, Mapping) and shown:
        return bool(shown.get(JOB_VARIABLE) == wanted["Environment"][JOB_VARIABLE])
    algorithm = wanted["AlgorithmSpecification"]
    compared = {key: wanted[key] for key in _COMPARED if key in wanted} | {
        "AlgorithmSpecification": {
            key: algorithm[key] for key in _COMPARED_OF_ALGORITHM if key in algorithm
        }
    }
    return _contains(described, compared)


def _contains(described: Any, wanted: Any) -> bool:
    """The service adds defaults to what it was given, and takes nothing away."""
    if isinstance(wanted, Mapping):
        return isinstance(described, Mapping) and all(
            key in described and _contains(described[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(described, list)
            and len(described) == len(wanted)
            and all(map(_contains, described, wanted))
        )
    return bool(described == wanted)
