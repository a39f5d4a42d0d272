"""What the simulated service does with models: train, show, host, delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trainbell.simulators.lookout_vision.account import Account
from trainbell.simulators.lookout_vision.incoming import Incoming, checked, page, project_of
from trainbell.simulators.lookout_vision.models import Model
from trainbell.simulators.lookout_vision.refusals import Checks, conflict, denied, invalid


def create_model(account: Account, incoming: Incoming) -> dict[str, Any]:
    body = incoming.body
    checks = checked(incoming)
    checks.text(body.get("Description"), "description", required=False)
    checks.text(body.get("KmsKeyId"), "kmsKeyId", required=False)
    _check_output(checks, body)
    checks.tags(body.get("Tags") or [])
    checks.done()
    if body.get("Tags") and not incoming.may_tag:
        raise denied("TagResource")

    def create() -> dict[str, Any]:
        model = account.train(account.project(incoming.names["projectName"]), dict(body))
        incoming.started(incoming.token or model.arn)
        return {"ModelMetadata": model.metadata(account.clock.now(), account.clock)}

    given = [dict(incoming.names), dict(body)]
    return account.once(incoming.operation, incoming.token, given, create)


def _check_output(checks: Checks, body: Mapping[str, Any]) -> None:
    path = "outputConfig"
    output = checks.members(body.get("OutputConfig"), path)
    place = (
        None if output is None else checks.members(output.get("S3Location"), f"{path}.s3Location")
    )
    if place is not None:
        checks.text(place.get("Bucket"), "bucket", f"{path}.s3Location.bucket", required=True)
        checks.text(place.get("Prefix"), "prefix", f"{path}.s3Location.prefix", required=False)


def describe_model(account: Account, incoming: Incoming) -> dict[str, Any]:
    model, _ = _model(account, incoming)
    return {"ModelDescription": model.description(account.clock.now(), account.clock)}


def list_models(account: Account, incoming: Incoming) -> dict[str, Any]:
    project = project_of(account, incoming)
    now = account.clock.now()
    newest_first = [
        model
        for model in reversed(project.models.values())
        if model.created_at <= incoming.listed_until
    ]
    return page(
        incoming,
        "Models",
        [(str(model.version), model) for model in newest_first],
        lambda model: model.metadata(now, account.clock),
    )


def delete_model(account: Account, incoming: Incoming) -> dict[str, Any]:
    if incoming.names["modelVersion"] == "latest":
        raise invalid("Value 'latest' at 'modelVersion' must be a number.")
    model, status = _model(account, incoming)
    if status not in ("TRAINED", "TRAINING_FAILED", "HOSTING_FAILED", "DELETING"):
        raise conflict("MODEL", str(model.version), f"The model is {status}.")
    if status != "DELETING":
        model.change("DELETING", "GONE", account.clock.now())
        account.projects[model.project].going.add(model.version)
    return {"ModelArn": model.arn}


def start_model(account: Account, incoming: Incoming) -> dict[str, Any]:
    units = incoming.body.get("MinInferenceUnits")
    most = incoming.body.get("MaxInferenceUnits")
    if not isinstance(units, int) or units < 1:
        raise invalid("Value at 'minInferenceUnits' must be at least 1")
    if most is not None and (not isinstance(most, int) or most < units):
        raise invalid("Value at 'maxInferenceUnits' must not be less than the minimum")

    def start() -> dict[str, Any]:
        model, status = _model(account, incoming)
        if status not in ("TRAINED", "HOSTING_FAILED"):
            raise conflict("MODEL", str(model.version), f"The model is {status}.")
        model.inference_units = (units, most)
        model.change("STARTING_HOSTING", "HOSTED", account.clock.now())
        return {"Status": "STARTING_HOSTING"}

    given = [dict(incoming.names), units, most]
    return account.once(incoming.operation, incoming.token, given, start)


def stop_model(account: Account, incoming: Incoming) -> dict[str, Any]:
    def stop() -> dict[str, Any]:
        model, status = _model(account, incoming)
        if status != "HOSTED":
            raise conflict("MODEL", str(model.version), f"The model is {status}.")
        model.inference_units = None
        model.change("STOPPING_HOSTING", "TRAINED", account.clock.now())
        return {"Status": "STOPPING_HOSTING"}

    return account.once(incoming.operation, incoming.token, dict(incoming.names), stop)


def detect_anomalies(account: Account, incoming: Incoming) -> dict[str, Any]:
    model, status = _model(account, incoming)
    if status != "HOSTED":
        raise conflict("MODEL", str(model.version), f"The model is {status}.")
    result = {"Source": {"Type": "direct"}, "IsAnomalous": False, "Confidence": 0.99}
    return {"DetectAnomalyResult": result}


def _model(account: Account, incoming: Incoming) -> tuple[Model, str]:
    """The model and its status now."""
    project = project_of(account, incoming)
    model = account.model(project, incoming.names["modelVersion"])
    return model, model.status(account.clock.now())


MODEL_CALLS: Mapping[str, Callable[[Account, Incoming], dict[str, Any]]] = {
    "CreateModel": create_model,
    "DescribeModel": describe_model,
    "ListModels": list_models,
    "DeleteModel": delete_model,
    "StartModel": start_model,
    "StopModel": stop_model,
    "DetectAnomalies": detect_anomalies,
}
