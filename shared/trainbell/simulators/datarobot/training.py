"""Training data by the deprecated routes, and versions from a repository."""

from __future__ import annotations

from typing import Any

from trainbell.simulators.datarobot.answers import Refused, accepted, body_of
from trainbell.simulators.datarobot.checks import DATA_FIELDS, boolean, check, text
from trainbell.simulators.datarobot.models import model_of
from trainbell.simulators.datarobot.records import File, Model
from trainbell.simulators.datarobot.versions import add_version, training_data, version_shown
from trainbell.simulators.datarobot.world import REPOSITORY, World
from trainbell.simulators.service import Answer, Request

_DEPRECATED = {"Deprecation": "true"}


def assign_to_model(world: World, request: Request, model_id: str) -> Answer:
    model = model_of(world, model_id)
    given = body_of(request)
    check(given, DATA_FIELDS, "datasetId")
    if model.at_versions:
        raise Refused(422, "Training data of this model is assigned at the versions.")
    if model.training_data is not None and model.deployments:
        raise Refused(409, "The model has training data already and is deployed.")
    data = training_data(world, given)
    work = world.begin("Dataset", "", location=f"/customModels/{model_id}/")

    def finish() -> None:
        model.training_data = {**data, "partitionColumn": given.get("partitionColumn")}

    work.finish, model.assigning = finish, work
    world.starts[f"assign_training_data:{model_id}"] += 1
    answer = accepted(request, work)
    return Answer(answer.status, headers={**answer.headers, **_DEPRECATED})


def assign_to_version(world: World, request: Request, model_id: str) -> Answer:
    model = model_of(world, model_id)
    given = body_of(request)
    if not isinstance(given.get("trainingData"), dict):
        raise Refused(422, "Invalid field data", errors={"trainingData": "is required"})
    check(given["trainingData"], DATA_FIELDS, "datasetId")
    check(given.get("holdoutData") or {}, DATA_FIELDS)
    if not model.at_versions or not model.versions:
        raise Refused(422, "Training data at the versions is not enabled for this model.")
    data = training_data(world, given["trainingData"])
    version = add_version(world, model, False, dict(model.versions[-1].files))
    version.training_data, version.holdout_data = data, given.get("holdoutData")
    path = f"/customModels/{model_id}/versions/{version.id}/"
    version.assigning = world.begin("Dataset", "", location=path)
    world.starts[f"assign_training_data:{model_id}"] += 1
    answer = accepted(request, version.assigning, **version_shown(world, version))
    return Answer(202, answer.body, headers={**answer.headers, **_DEPRECATED})


def import_version(world: World, request: Request, model_id: str) -> Answer:
    return _import(world, request, model_id, from_latest=False)


def import_onto_latest(world: World, request: Request, model_id: str) -> Answer:
    return _import(world, request, model_id, from_latest=True)


def _import(world: World, request: Request, model_id: str, *, from_latest: bool) -> Answer:
    """The version is made once the work has ended; only then does its status lead anywhere."""
    model = model_of(world, model_id)
    given = body_of(request)
    rules = {
        "repositoryId": text(least=1),
        "ref": text(),
        "baseEnvironmentId": text(),
        "isMajorUpdate": boolean,
    }
    check(given, rules, "repositoryId")
    if given["repositoryId"] != REPOSITORY:
        raise Refused(422, "No such repository.")
    work = world.begin(None, "")

    def finish() -> None:
        basis = dict(model.versions[-1].files) if from_latest and model.versions else {}
        files = {**basis, **_pulled(world, given)}
        version = add_version(world, model, bool(given.get("isMajorUpdate")), files)
        if given.get("baseEnvironmentId"):
            version.given["baseEnvironmentId"] = given["baseEnvironmentId"]
        work.location = f"/customModels/{model_id}/versions/{version.id}/"
        _inherit(model, given)

    work.finish = finish
    world.starts[f"import_version:{model_id}"] += 1
    return accepted(request, work)


def _inherit(model: Model, given: dict[str, Any]) -> None:
    if len(model.versions) > 1 and given.get("keepTrainingHoldoutData", True) is not False:
        before, version = model.versions[-2], model.versions[-1]
        version.training_data, version.holdout_data = before.training_data, before.holdout_data


def _pulled(world: World, given: dict[str, Any]) -> dict[str, File]:
    source = given.get("sourcePath") or "custom.py"
    now = world.clock.now()
    files = {}
    for path in [source] if isinstance(source, str) else source:
        whole = f"{path.rstrip('/*')}/custom.py" if path.endswith(("/", "*")) else path
        origin = {
            "fileSource": "github",
            "ref": given.get("ref") or "master",
            "commitSha": "0123456789abcdef0123456789abcdef01234567",
            "repositoryFilePath": whole.lstrip("/"),
            "repositoryName": "churn-model",
            "repositoryLocation": "https://github.com/example/churn-model",
        }
        name = whole.rpartition("/")[2]
        files[name] = File(path=name, content=b"# pulled\n", created_at=now, origin=origin)
    return files
