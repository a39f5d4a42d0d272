"""The parts of a training job's input, with the bounds that SageMaker documents.

Names, patterns, lengths and ranges: the shapes of CreateTrainingJob in AWS's own service model
(botocore, sagemaker/2017-07-24) and its API reference. Instance types are checked by their form,
because new ones appear every month.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from trainbell.providers.orders import Parameters

S3Place = Annotated[str, StringConstraints(pattern=r"^(https|s3)://[^/]+/?.*$", max_length=1024)]
KmsKey = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9:/_-]*$", max_length=2048)]
MachineType = Annotated[
    str, StringConstraints(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9-]+$", max_length=64)
]
GroupName = Annotated[str, StringConstraints(pattern=r"^.+$", min_length=1, max_length=64)]
Argument = Annotated[str, StringConstraints(max_length=256)]
Directory = Annotated[str, StringConstraints(max_length=4096)]
PlanArn = Annotated[
    str,
    StringConstraints(
        pattern=r"^arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:training-plan/.*$",
        min_length=50,
        max_length=2048,
    ),
]
Mode = Literal["Pipe", "File", "FastFile"]


class Part(Parameters):
    """Classes are not named like the fields that hold them: pydantic would mix the two up."""


class MetricDefinition(Part):
    Name: Annotated[str, StringConstraints(pattern=r"^.+$", max_length=255)]
    Regex: Annotated[str, StringConstraints(pattern=r"^.+$", max_length=500)]


class RepositoryAuth(Part):
    TrainingRepositoryCredentialsProviderArn: Annotated[
        str,
        StringConstraints(
            pattern=r"^arn:[A-Za-z0-9-]+:lambda:[A-Za-z0-9-]+:[0-9]{12}:function:.*$",
            max_length=2048,
        ),
    ]


class ImageConfig(Part):
    TrainingRepositoryAccessMode: Literal["Platform", "Vpc"]
    TrainingRepositoryAuthConfig: RepositoryAuth | None = None


class Algorithm(Part):
    """Either an image of one's own, or an algorithm by name or ARN."""

    TrainingInputMode: Mode
    TrainingImage: str | None = Field(default=None, min_length=1, max_length=255)
    AlgorithmName: str | None = Field(
        default=None,
        max_length=170,
        pattern=r"^(arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:[a-z-]*/)?"
        r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$",
    )
    MetricDefinitions: list[MetricDefinition] | None = Field(default=None, max_length=40)
    EnableSageMakerMetricsTimeSeries: bool | None = None
    ContainerEntrypoint: list[Argument] | None = Field(default=None, min_length=1, max_length=100)
    ContainerArguments: list[Argument] | None = Field(default=None, min_length=1, max_length=100)
    TrainingImageConfig: ImageConfig | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.TrainingImage is None) == (self.AlgorithmName is None):
            raise ValueError("give either TrainingImage or AlgorithmName")
        return self


class ModelAccess(Part):
    AcceptEula: bool


class S3Data(Part):
    S3DataType: Literal["ManifestFile", "S3Prefix", "AugmentedManifestFile", "Converse"]
    S3Uri: S3Place
    S3DataDistributionType: Literal["FullyReplicated", "ShardedByS3Key"] | None = None
    AttributeNames: (
        list[Annotated[str, StringConstraints(pattern=r"^.+$", max_length=256)]] | None
    ) = Field(default=None, max_length=16)
    InstanceGroupNames: list[GroupName] | None = Field(default=None, max_length=5)
    ModelAccessConfig: ModelAccess | None = None


class FileSystemData(Part):
    FileSystemId: str = Field(pattern=r"^fs-[0-9a-f]{8,}$", min_length=11, max_length=21)
    FileSystemAccessMode: Literal["rw", "ro"]
    FileSystemType: Literal["EFS", "FSxLustre"]
    DirectoryPath: Directory


class Data(Part):
    S3DataSource: S3Data | None = None
    FileSystemDataSource: FileSystemData | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.S3DataSource is None) == (self.FileSystemDataSource is None):
            raise ValueError("give either S3DataSource or FileSystemDataSource")
        return self


class Shuffle(Part):
    Seed: int = Field(ge=-(2**63), lt=2**63)


class Channel(Part):
    ChannelName: str = Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=64)
    DataSource: Data
    ContentType: str | None = Field(default=None, max_length=256)
    CompressionType: Literal["None", "Gzip"] | None = None
    RecordWrapperType: Literal["None", "RecordIO"] | None = None
    InputMode: Mode | None = None
    ShuffleConfig: Shuffle | None = None


class Output(Part):
    S3OutputPath: S3Place
    KmsKeyId: KmsKey | None = None
    CompressionType: Literal["GZIP", "NONE"] | None = None


class MachineGroup(Part):
    InstanceType: MachineType
    InstanceCount: int = Field(ge=1)
    InstanceGroupName: GroupName


class MachinePreference(Part):
    InstanceType: MachineType
    InstanceCount: int | None = Field(default=None, ge=1)
    TrainingPlanArns: list[PlanArn] | None = Field(default=None, min_length=1, max_length=1)


class Resources(Part):
    """One instance type, or groups of instances, or a list of types in order of preference."""

    InstanceType: MachineType | None = None
    InstanceCount: int | None = Field(default=None, ge=1)
    VolumeSizeInGB: int | None = Field(default=None, ge=0)
    VolumeKmsKeyId: KmsKey | None = None
    KeepAlivePeriodInSeconds: int | None = Field(default=None, ge=0, le=21_600)
    InstanceGroups: list[MachineGroup] | None = Field(default=None, min_length=1, max_length=5)
    TrainingPlanArn: PlanArn | None = None
    InstancePreferences: list[MachinePreference] | None = Field(
        default=None, min_length=1, max_length=5
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = (self.InstanceType, self.InstanceGroups, self.InstancePreferences)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("give one of InstanceType, InstanceGroups and InstancePreferences")
        if self.InstanceType is not None and self.InstanceCount is None:
            raise ValueError("InstanceType needs an InstanceCount")
        return self


class Vpc(Part):
    SecurityGroupIds: list[
        Annotated[str, StringConstraints(pattern=r"^[-0-9a-zA-Z]+$", max_length=32)]
    ] = Field(min_length=1, max_length=5)
    Subnets: list[Annotated[str, StringConstraints(pattern=r"^[-0-9a-zA-Z]+$", max_length=32)]] = (
        Field(min_length=1, max_length=16)
    )


class Stopping(Part):
    """In seconds. The service's default for MaxRuntimeInSeconds is a day; its most is 28 days."""

    MaxRuntimeInSeconds: int | None = Field(default=None, ge=1, le=2_419_200)
    MaxWaitTimeInSeconds: int | None = Field(default=None, ge=1)
    MaxPendingTimeInSeconds: int | None = Field(default=None, ge=1800, le=2_419_200)


class Tag(Part):
    """SageMaker takes letters, digits and spaces of any language, and `_.:/=+-@`."""

    Key: str = Field(pattern=r"^[\w \t.:/=+\-@]*$", min_length=1, max_length=128)
    Value: str = Field(pattern=r"^[\w \t.:/=+\-@]*$", max_length=256)


class Checkpoints(Part):
    S3Uri: S3Place
    LocalPath: Directory | None = None


class Retries(Part):
    MaximumRetryAttempts: int = Field(ge=1, le=30)


EntityName = Annotated[
    str, StringConstraints(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", max_length=120)
]


class Experiment(Part):
    ExperimentName: EntityName | None = None
    TrialName: EntityName | None = None
    TrialComponentDisplayName: EntityName | None = None
    RunName: EntityName | None = None


class RemoteDebug(Part):
    EnableRemoteDebug: bool


class InfraCheck(Part):
    EnableInfraCheck: bool


class TensorBoardOutput(Part):
    S3OutputPath: S3Place
    LocalPath: Directory | None = None
