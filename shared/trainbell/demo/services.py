"""The services of the demo: one row each, simulated on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from trainbell.client import JsonObject, Trainbell
from trainbell.domain.secret_bounds import Bound, Destination
from trainbell.secret_list import SecretList
from trainbell.simulators.__main__ import access, simulator
from trainbell.simulators.azure_vision.account import CLASSIFICATION_DATASET
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.datarobot.world import DATASET, MODEL, VERSION
from trainbell.simulators.deepva.trainings import FACE_DATASET
from trainbell.simulators.einstein.trainings import IMAGE_DATASET
from trainbell.simulators.lookout_vision.account import PROJECT
from trainbell.simulators.server import running

ROLE = "arn:aws:iam::123456789012:role/training"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shelves:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A provider, and the job that the demo starts there.

    `plan` is the simulator's: how many seconds each part takes. `measures`: what of the result is
    shown, and under which name.
    """

    provider: str
    model: str
    parameters: Mapping[str, Any]
    plan: Mapping[str, float]
    measures: Mapping[str, str]
    kind: str = "train"


SERVICES: tuple[Service, ...] = (
    Service(
        provider="azure_vision",
        model="flowers",
        parameters={
            "model_name": "flowers",
            "model_kind": "Generic-Classifier",
            "training_dataset_name": CLASSIFICATION_DATASET,
            "time_budget_in_hours": 1,
        },
        plan={"waiting_seconds": 2.0, "working_seconds": 7.0},
        measures={"accuracyTop1": "top-1", "averagePrecision": "AP", "calibrationECE": "ECE"},
    ),
    Service(
        provider="datarobot",
        kind="test",
        model="churn",
        parameters={
            "customModelId": MODEL,
            "customModelVersionId": VERSION,
            "datasetId": DATASET,
        },
        plan={"queued_seconds": 1.0, "running_seconds": 6.0},
        measures={"checks_succeeded": "checks passed", "checks_skipped": "skipped"},
    ),
    Service(
        provider="deepva",
        model="faces",
        parameters={
            "source_dataset_id": FACE_DATASET,
            "output_model_name": "faces",
            "config": {"min_face_size": 80, "sharpness_threshold": 40},
        },
        plan={"waiting_seconds": 2.0, "processing_seconds": 7.0},
        measures={},  # The service tells none.
    ),
    Service(
        provider="einstein",
        model="beaches",
        parameters={"datasetId": IMAGE_DATASET, "name": "beaches", "epochs": 20},
        plan={"queued_seconds": 2.0, "running_seconds": 8.0},
        measures={"testAccuracy": "test accuracy", "trainingLoss": "loss"},
    ),
    Service(
        provider="lookout_vision",
        model="boards",
        parameters={
            "ProjectName": PROJECT,
            "OutputConfig": {"S3Location": {"Bucket": "lookout-results"}},
        },
        plan={"training_seconds": 5.0},
        measures={"F1Score": "F1", "Precision": "precision", "Recall": "recall"},
    ),
    Service(
        provider="sagemaker",
        model="shelves",
        parameters={
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://models/shelves"},
            "ResourceConfig": {
                "InstanceType": "ml.g5.xlarge",
                "InstanceCount": 1,
                "VolumeSizeInGB": 50,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        },
        plan={"starting_seconds": 2.0, "working_seconds": 9.0},
        measures={"validation:accuracy": "accuracy", "validation:loss": "loss"},
    ),
)


def serve(stack: ExitStack, service: Service) -> str:
    """Simulate it until `stack` ends; gives its base URL."""
    simulated = simulator(service.provider, SimulatorClock())
    simulated.apply_settings({"plan": service.plan})
    return stack.enter_context(running(simulated)) + simulated.base_path


def connect(client: Trainbell, service: Service, base_url: str, allowed: SecretList) -> None:
    """Its secret is a variable of this process alone: trainings do not get to see it. As its owner
    we allow it to go to the simulator."""
    let_in_by = access(service.provider)
    variable = f"TRAINBELL_DEMO_{service.provider.upper()}_SECRET"
    os.environ[variable] = let_in_by.secret
    bound = Bound.of([str(Destination.of_url(base_url))], service.provider)
    allowed.allow(f"env:{variable}", bound)
    client.put(
        "connections",
        service.provider,
        {
            "provider": service.provider,
            "base_url": base_url,
            "secret": f"env:{variable}",
            "options": let_in_by.options,
        },
    )


def job_at(service: Service) -> JsonObject:
    """What to start there."""
    return {
        "provider": service.provider,
        "kind": service.kind,
        "model": service.model,
        "parameters": service.parameters,
    }
