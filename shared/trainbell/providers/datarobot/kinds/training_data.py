"""`assign_training_data`: a dataset becomes the training data of a new version, or of a model.

By the current route the answer is the version itself, whose flags say how far the assignment is.
The two deprecated routes answer with an asynchronous status.
"""

from __future__ import annotations

from datetime import datetime

from trainbell.domain.job import Performance
from trainbell.domain.observation import Observation
from trainbell.errors import ProviderJobMissing
from trainbell.ports import Handle, StartOrder
from trainbell.providers.datarobot.kinds.asynchronous import AsynchronousKind
from trainbell.providers.datarobot.kinds.kind import id_of, parameters_of
from trainbell.providers.datarobot.locations import Named
from trainbell.providers.datarobot.parameters import AssignParameters
from trainbell.providers.datarobot.resources.fields import NewVersion
from trainbell.providers.datarobot.resources.statuses import start_call
from trainbell.providers.datarobot.resources.versions import VersionContents
from trainbell.providers.datarobot.sameness import sent
from trainbell.providers.datarobot.status_map import ASSIGNMENT_STATUSES
from trainbell.providers.datarobot.vendor_models import ModelVersion
from trainbell.providers.http import path_segment


class AssignKind(AsynchronousKind):
    title = "an assignment of training data"

    def start(self, order: StartOrder) -> Handle:
        given = parameters_of(order, AssignParameters)
        if given.route == "versions":
            made = self.client.versions.create_from_latest(
                given.custom_model_id, VersionContents(fields=_fields(given))
            )
            return _version_handle(given, made.id)
        path = f"/customModels/{path_segment(given.custom_model_id)}/"
        if given.route == "training_data":
            path += "trainingData/"
            body = given.wire("customModelId", "route")
        else:
            path += "versions/withTrainingData/"
            holdout = given.holdout_data.wire() if given.holdout_data else None
            body = {"trainingData": given.training_data()}
            body |= {"holdoutData": holdout} if holdout else {}
        call = start_call("assign training data", "PATCH", path, body)
        return self.handle(order, self.client.statuses.accepted(call))

    def find(self, order: StartOrder) -> Handle | None:
        given = parameters_of(order, AssignParameters)
        if given.route != "versions":
            return super().find(order)
        try:
            listing = self.client.versions.list(given.custom_model_id)
        except ProviderJobMissing:
            return None  # The model itself is not there.
        when = sent(order, self.clock, listing.service_time)
        ours = [v for v in listing.items if when.made(v.created) and _has_data(v, given)]
        if not ours:
            return None
        # A later version inherits the data: the oldest is the one that was made for it.
        oldest = min(ours, key=lambda v: (v.created is None, v.created))
        return _version_handle(given, oldest.id)

    def poll(self, handle: Handle, seen_at: datetime) -> Observation:
        if "version" not in handle:
            return super().poll(handle, seen_at)
        model = id_of(handle, "model")
        version = self.client.versions.get(model, id_of(handle, "version"))
        word, why = _assignment(version)
        return Observation(
            seen_at=seen_at,
            vendor_status=word,
            state=ASSIGNMENT_STATUSES.get(word),
            message=self.message(why),
            performance=Performance(
                artifacts={"version": f"datarobot:customModels/{model}/versions/{version.id}"}
            ),
            started_at=version.created,
        )

    def is_of(self, order: StartOrder, made: Named) -> bool | None:
        given = parameters_of(order, AssignParameters)
        if made.model != given.custom_model_id:
            return False
        try:
            if given.route == "training_data":
                return self.client.models.get(made.model).training_dataset_id == given.dataset_id
            if made.version is None:
                return None
            return _has_data(self.client.versions.get(made.model, made.version), given)
        except ProviderJobMissing:
            return False

    def handle(self, order: StartOrder, status: str) -> Handle:
        given = parameters_of(order, AssignParameters)
        return {"kind": "assign_training_data", "model": given.custom_model_id, "status": status}


def _version_handle(given: AssignParameters, version_id: str) -> Handle:
    return {
        "kind": "assign_training_data",
        "model": given.custom_model_id,
        "version": version_id,
    }


def _fields(given: AssignParameters) -> NewVersion:
    data = {
        "isMajorUpdate": given.is_major_update,
        "keepTrainingHoldoutData": False,
        "trainingData": given.training_data(),
    }
    if given.holdout_data is not None:
        data["holdoutData"] = given.holdout_data.wire()
    if given.base_environment_id is not None:
        data["baseEnvironmentId"] = given.base_environment_id
    return NewVersion.model_validate(data)


def _has_data(version: ModelVersion, given: AssignParameters) -> bool:
    data = version.training_data
    if data is None or data.dataset_id != given.dataset_id:
        return False
    return given.dataset_version_id is None or data.dataset_version_id in (
        None,
        given.dataset_version_id,
    )


def _assignment(version: ModelVersion) -> tuple[str, str | None]:
    data = version.training_data
    if data is None:
        return "no training data", None
    message = (data.assignment_error or {}).get("message")
    if isinstance(message, str) and message:
        return "assignment error", message
    return ("assignment in progress" if data.assignment_in_progress else "assigned"), None
