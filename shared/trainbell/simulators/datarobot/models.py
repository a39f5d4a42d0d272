"""Calls on `/customModels/` and `/customModelLimits/`."""

from __future__ import annotations

from copy import copy
from secrets import token_hex
from typing import Any

from trainbell.simulators.datarobot import archives
from trainbell.simulators.datarobot.answers import Refused, body_of, choice, flag, page, url
from trainbell.simulators.datarobot.checks import (
    CREATE_FIELDS,
    MODEL_FIELDS,
    WITHOUT_TARGET,
    check,
)
from trainbell.simulators.datarobot.records import OWNER, Model
from trainbell.simulators.datarobot.versions import version_shown
from trainbell.simulators.datarobot.world import World, assignment
from trainbell.simulators.service import Answer, Request

_FROZEN = ("positiveClassLabel", "negativeClassLabel", "targetName")


def model_of(world: World, model_id: str) -> Model:
    model = world.models.get(model_id)
    if model is None:
        raise Refused(404, f"Custom model {model_id} not found.")
    return model


def list_models(world: World, request: Request) -> Answer:
    order = choice(request, "orderBy", ("created", "-created", "updated", "-updated")) or "-created"
    kind = choice(request, "customModelType", ("training", "inference"))
    deployed = flag(request, "isDeployed")
    search = request.query.get("searchFor", "").casefold()
    found = [
        model
        for model in world.models.values()
        if kind in (None, model.given["customModelType"])
        and deployed in (None, model.deployments > 0)
        and any(search in str(model.given.get(f, "")).casefold() for f in _SEARCHED)
    ]
    # Newest first among equals: dictionaries keep the order of creation.
    found.reverse()
    by_update = order.endswith("updated")
    found.sort(key=lambda m: m.updated_at if by_update else m.created_at, reverse=order[0] == "-")
    return page(request, found, lambda model: model_shown(world, model))


_SEARCHED = ("name", "description", "language")


def create_model(world: World, request: Request) -> Answer:
    given = body_of(request)
    check(given, CREATE_FIELDS, "name", "customModelType")
    inference = given["customModelType"] == "inference"
    if inference and given.get("targetType") not in WITHOUT_TARGET and not given.get("targetName"):
        raise Refused(422, "targetName is required for inference models.")
    if not inference and given.get("targetName"):
        raise Refused(422, "targetName is not allowed for training models.")
    if given.get("targetType") == "Multiclass" and inference and not given.get("classLabels"):
        raise Refused(422, "classLabels are required for multiclass inference models.")
    _check_labels(given)
    now = world.clock.now()
    kept = {key: value for key, value in given.items() if key in CREATE_FIELDS}
    model = Model(created_at=now, updated_at=now, given=kept)
    world.models[model.id] = model
    return Answer.json(model_shown(world, model), 201)


def copy_model(world: World, request: Request) -> Answer:
    source = model_of(world, str(body_of(request).get("customModelId")))
    now = world.clock.now()
    made = Model(
        created_at=now,
        updated_at=now,
        given={**source.given, "name": f"{source.given['name']} (copy)"},
        training_data=source.training_data,
    )
    for version in source.versions:
        copied = copy(version)
        copied.id, copied.model_id, copied.created_at = token_hex(12), made.id, now
        copied.build, copied.impact, copied.conversions = None, None, []
        made.versions.append(copied)
    world.models[made.id] = made
    return Answer.json(model_shown(world, made), 201)


def get_model(world: World, _: Request, model_id: str) -> Answer:
    return Answer.json(model_shown(world, model_of(world, model_id)))


def update_model(world: World, request: Request, model_id: str) -> Answer:
    model = model_of(world, model_id)
    given = body_of(request)
    check(given, MODEL_FIELDS)
    _check_labels(given)
    if model.at_versions and given.get("isTrainingDataForVersionsPermanentlyEnabled") is False:
        raise Refused(422, "Training data at the versions cannot be disabled once enabled.")
    fixed = model.deployments > 0 or model.training_data is not None
    if fixed and any(given.get(name) is not None for name in _FROZEN):
        raise Refused(409, "Some fields cannot be updated after deployment or training data.")
    model.given |= {k: v for k, v in given.items() if k in MODEL_FIELDS and v is not None}
    model.updated_at = world.clock.now()
    # 201 and not 200, as documented.
    return Answer.json(model_shown(world, model), 201)


def delete_model(world: World, request: Request, model_id: str) -> Answer:
    model = model_of(world, model_id)
    if model.deployments:
        link = url(request, f"/deployments/?customModelId={model_id}")
        raise Refused(409, "The custom model is deployed and cannot be deleted.", link=link)
    if any(test.work.is_active(world.clock.now()) for test in model.tests):
        raise Refused(409, "The custom model is being tested and cannot be deleted.")
    for test in model.tests:
        world.tests.pop(test.id, None)
    del world.models[model_id]
    return Answer(204)


def download_model(world: World, request: Request, model_id: str) -> Answer:
    model = model_of(world, model_id)
    if not model.versions:
        raise Refused(404, "The custom model has no version.")
    return archives.download(model.versions[-1], flag(request, "pps") or False)


def limits(_world: World, _: Request) -> Answer:
    return Answer.json(
        {
            "desiredCustomModelContainerSize": 2 * 1024**3,
            "maxCustomModelContainerSize": 15_032_385_536,
            "maxCustomModelReplicasPerDeployment": 8,
            "maxCustomModelTestingParallelUsers": 20,
        }
    )


def model_shown(world: World, model: Model) -> dict[str, Any]:
    given = model.given
    data = model.training_data or {}
    latest = model.versions[-1] if model.versions else None
    target = given.get("targetType") or "Binary"
    shown = {
        "id": model.id,
        "name": given["name"],
        "description": given.get("description", ""),
        "language": given.get("language", ""),
        "customModelType": given["customModelType"],
        "targetType": target,
        "supportsBinaryClassification": target == "Binary",
        "supportsRegression": target == "Regression",
        "supportsAnomalyDetection": target == "Anomaly",
        "created": world.time(model.created_at),
        "updated": world.time(model.updated_at),
        "createdBy": OWNER,
        "deploymentsCount": model.deployments,
        "latestVersion": None if latest is None else version_shown(world, latest),
        "isTrainingDataForVersionsPermanentlyEnabled": model.at_versions,
        "trainingDataAssignmentInProgress": assignment(model.assigning, world.clock.now())[
            "assignmentInProgress"
        ],
        "trainingDatasetId": data.get("datasetId"),
        "trainingDatasetVersionId": data.get("datasetVersionId"),
        "trainingDataFileName": data.get("datasetName"),
        "trainingDataPartitionColumn": data.get("partitionColumn"),
    }
    if target == "Binary":
        shown |= {"positiveClassLabel": "1", "negativeClassLabel": "0", "predictionThreshold": 0.5}
    return shown | {k: v for k, v in given.items() if k not in shown or k in _OVERRIDES}


_OVERRIDES = ("positiveClassLabel", "negativeClassLabel", "predictionThreshold")


def _check_labels(given: dict[str, Any]) -> None:
    if (given.get("positiveClassLabel") is None) != (given.get("negativeClassLabel") is None):
        raise Refused(422, "positiveClassLabel and negativeClassLabel go together.")
