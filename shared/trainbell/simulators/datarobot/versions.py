"""Calls on `/customModels/{id}/versions/`, but for the work that a version can be given."""

from __future__ import annotations

import json
from typing import Any

from trainbell.simulators.datarobot import archives
from trainbell.simulators.datarobot.answers import Refused, body_of, flag, page
from trainbell.simulators.datarobot.checks import MAX_MEMORY, MIN_MEMORY, check, text
from trainbell.simulators.datarobot.multipart import Part, parts
from trainbell.simulators.datarobot.records import File, Model, Version
from trainbell.simulators.datarobot.requirements import Unparsable, dependencies
from trainbell.simulators.datarobot.world import World, assignment, next_number
from trainbell.simulators.service import Answer, Request

MAX_FILES = 1000
_WHOLE = ("desiredMemory", "maximumMemory", "replicas")
_BOUNDS = {"replicas": (1, 8)}
_PLAIN = ("baseEnvironmentId", "baseEnvironmentVersionId", "networkEgressPolicy")


def version_of(world: World, model_id: str, version_id: str) -> Version:
    version = world.version(model_id, version_id)
    if version is None:
        raise Refused(404, f"Custom model version {version_id} not found.")
    return version


def list_versions(world: World, request: Request, model_id: str) -> Answer:
    sha = request.query.get("mainBranchCommitSha")
    if sha is not None and len(sha) != 40:
        raise Refused(422, "Invalid field data", errors={"mainBranchCommitSha": "40 characters"})
    found = [
        version
        for version in reversed(_model(world, model_id).versions)
        if sha in (None, version.given.get("gitModelVersion", {}).get("mainBranchCommitSha"))
    ]
    return page(request, found, lambda version: version_shown(world, version))


def create_version(world: World, request: Request, model_id: str) -> Answer:
    return _create(world, request, model_id, from_latest=False)


def create_from_latest(world: World, request: Request, model_id: str) -> Answer:
    return _create(world, request, model_id, from_latest=True)


def get_version(world: World, _: Request, model_id: str, version_id: str) -> Answer:
    return Answer.json(version_shown(world, version_of(world, model_id, version_id)))


def update_version(world: World, request: Request, model_id: str, version_id: str) -> Answer:
    version = version_of(world, model_id, version_id)
    given = body_of(request)
    check(given, {"description": text(10_000)})
    for name in ("description", "requiredMetadata", "requiredMetadataValues", "gitModelVersion"):
        if given.get(name) is not None:
            version.given[name] = given[name]
    return Answer.json(version_shown(world, version))


def download_version(world: World, request: Request, model_id: str, version_id: str) -> Answer:
    version = version_of(world, model_id, version_id)
    return archives.download(version, flag(request, "pps") or False)


def add_version(world: World, model: Model, is_major: bool, files: dict[str, File]) -> Version:
    """The next version of a model, which inherits what a new one does not say."""
    major, minor = next_number(model, is_major)
    before = model.versions[-1] if model.versions else None
    version = Version(
        model_id=model.id,
        major=major,
        minor=minor,
        created_at=world.clock.now(),
        files=files,
        given={k: v for k, v in (before.given if before else {}).items() if k != "description"},
    )
    model.versions.append(version)
    model.updated_at = version.created_at
    return version


def version_shown(world: World, version: Version) -> dict[str, Any]:
    now = world.clock.now()
    data = version.training_data
    model = world.models.get(version.model_id)
    frozen = model is not None and (model.deployments > 0 or model.versions[-1] is not version)
    return {
        "id": version.id,
        "customModelId": version.model_id,
        "created": world.time(version.created_at),
        "description": None,
        "label": version.label,
        "versionMajor": version.major,
        "versionMinor": version.minor,
        "isFrozen": frozen,
        "items": [_item_shown(world, version, file) for file in version.files.values()],
        "dependencies": dependencies(version.files),
        "baseEnvironmentId": None,
        "baseEnvironmentVersionId": None,
        "trainingData": None if data is None else {**data, **assignment(version.assigning, now)},
        "holdoutData": version.holdout_data,
        "requiredMetadata": {},
        "requiredMetadataValues": [],
        **version.given,
    }


def _create(world: World, request: Request, model_id: str, *, from_latest: bool) -> Answer:
    model = _model(world, model_id)
    form = parts(request.headers.get("content-type", ""), request.body)
    fields = {part.name: part.text for part in form if part.file_name is None}
    if str(fields.get("isMajorUpdate")).lower() not in ("true", "false"):
        raise Refused(422, "Invalid field data", errors={"isMajorUpdate": "true or false"})
    given = _given(fields)
    files = _files(world, model, form, from_latest)
    if not (given.get("baseEnvironmentId") or given.get("baseEnvironmentVersionId")) and not (
        model.versions
    ):
        raise Refused(422, "One of baseEnvironmentId and baseEnvironmentVersionId is required.")
    data = _data(world, model, fields)
    before = model.versions[-1] if model.versions else None
    version = add_version(world, model, fields["isMajorUpdate"].lower() == "true", files)
    version.given |= given
    if data is not None:
        version.training_data, version.holdout_data = data, _json(fields, "holdoutData")
        version.assigning = world.begin("Dataset", "training data of a version")
        world.starts[f"assign_training_data:{model.id}"] += 1
    elif before is not None and fields.get("keepTrainingHoldoutData", "true").lower() == "true":
        version.training_data, version.holdout_data = before.training_data, before.holdout_data
    return Answer.json(version_shown(world, version), 201)


def _given(fields: dict[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {name: fields[name] for name in _PLAIN if fields.get(name)}
    errors = {}
    for name in _WHOLE:
        if fields.get(name):
            least, most = _BOUNDS.get(name, (MIN_MEMORY, MAX_MEMORY))
            if not fields[name].isdigit() or not least <= int(fields[name]) <= most:
                errors[name] = f"value is not from {least} to {most}"
            else:
                given[name] = int(fields[name])
    if given.get("networkEgressPolicy") not in (None, "NONE", "PUBLIC"):
        errors["networkEgressPolicy"] = "value is none of ['NONE', 'PUBLIC']"
    if fields.get("resourceBundleId") and (fields.keys() & {"desiredMemory", "maximumMemory"}):
        errors["resourceBundleId"] = "is incompatible with memory settings"
    if errors:
        raise Refused(422, "Invalid field data", errors=errors)
    for name in ("requiredMetadata", "requiredMetadataValues"):
        if fields.get(name):
            given[name] = _json(fields, name)
    return given


def _files(world: World, model: Model, form: list[Part], from_latest: bool) -> dict[str, File]:
    uploads = [part for part in form if part.name == "file" and part.file_name is not None]
    paths = [part.text for part in form if part.name == "filePath"]
    if len(uploads) != len(paths):
        raise Refused(422, "Each file needs a filePath, and each filePath a file.")
    if len(paths) > MAX_FILES:
        raise Refused(422, "Invalid field data", errors={"filePath": "more than 1000"})
    deleted = {part.text for part in form if part.name == "filesToDelete"}
    basis = model.versions[-1].files if from_latest and model.versions else {}
    if unknown := deleted - {file.id for file in basis.values()}:
        raise Refused(422, f"No such files: {sorted(unknown)}")
    files = {path: file for path, file in basis.items() if file.id not in deleted}
    now = world.clock.now()
    for part, path in zip(uploads, paths, strict=True):
        if path.startswith("/") or ".." in path.split("/"):
            raise Refused(422, f"The path {path} is not within the version.")
        files[path] = File(path=path, content=part.content, created_at=now)
    try:
        dependencies(files)
    except Unparsable as exc:
        raise Refused(
            422,
            "requirements.txt cannot be read.",
            errors=[str(exc)],
            dependencies=[],
            invalidDependencies=exc.lines,
        ) from exc
    return files


def _data(world: World, model: Model, fields: dict[str, str]) -> dict[str, Any] | None:
    given = _json(fields, "trainingData")
    if given is None:
        return None
    if not model.at_versions:
        raise Refused(422, "Training data at the versions is not enabled for this model.")
    return training_data(world, given)


def training_data(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """A reference to a dataset as it is shown. Raises Refused for one that cannot be used."""
    dataset = world.datasets.get(str(given.get("datasetId")))
    if dataset is None:
        raise Refused(404, "Dataset not found.")
    if dataset.is_deleted:
        raise Refused(410, "The requested Dataset has been deleted.")
    return {
        "datasetId": given["datasetId"],
        "datasetVersionId": given.get("datasetVersionId"),
        "datasetName": given.get("datasetName") or dataset.name,
    }


def _json(fields: dict[str, str], name: str) -> dict[str, Any] | None:
    if not fields.get(name):
        return None
    try:
        value: dict[str, Any] = json.loads(fields[name])
    except ValueError:
        raise Refused(422, "Invalid field data", errors={name: "value is no JSON"}) from None
    return value


def _item_shown(world: World, version: Version, file: File) -> dict[str, Any]:
    return {
        "id": file.id,
        "fileName": file.path.rpartition("/")[2],
        "filePath": file.path,
        "fileSource": "local",
        "created": world.time(file.created_at),
        "storagePath": f"{version.model_id}/{file.id}",
        "workspaceId": version.id,
        "commitSha": None,
        "ref": None,
        "repositoryFilePath": None,
        "repositoryLocation": None,
        "repositoryName": None,
        **file.origin,
    }


def _model(world: World, model_id: str) -> Model:
    model = world.models.get(model_id)
    if model is None:
        raise Refused(404, "Either custom model not found or user does not have permissions.")
    return model
