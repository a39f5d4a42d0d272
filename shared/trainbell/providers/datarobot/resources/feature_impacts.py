"""`…/featureImpact/`: how much each feature matters to a version. A version has one at most."""

from __future__ import annotations

from typing import Any

from trainbell.errors import ProviderRejected
from trainbell.providers.datarobot.resources.versions import version_path
from trainbell.providers.datarobot.vendor_models import FeatureImpact, Started
from trainbell.providers.http import ServiceHttp, path_segment
from trainbell.providers.service_call import Call, Effect

NOT_FOUND = 404


class FeatureImpacts:
    def __init__(self, http: ServiceHttp) -> None:
        self._http = http

    def start(self, model_id: str, version_id: str, row_count: int | None = None) -> str:
        """Returns the id of its status: of a new job, or of the one that is under way already.

        That one is told by a 404 with `jobId`; a 404 without it is ProviderRejected.
        """
        return self._start(_path(model_id, version_id), row_count)

    def get(self, model_id: str, version_id: str) -> FeatureImpact:
        """Raises ProviderJobMissing where there is none, ProviderRejected (422) while it runs or
        where the version cannot have one."""
        return self._get(_path(model_id, version_id))

    def start_of_image(self, image_id: str, row_count: int | None = None) -> str:
        """By the deprecated route of an image, which a test made. As `start`."""
        return self._start(_image_path(image_id), row_count)

    def get_of_image(self, image_id: str) -> FeatureImpact:
        """By the deprecated route of an image. Raises as `get` does."""
        return self._get(_image_path(image_id))

    def _start(self, path: str, row_count: int | None) -> str:
        body: dict[str, Any] = {} if row_count is None else {"rowCount": row_count}
        call = Call(
            operation="start a feature impact",
            method="POST",
            path=path,
            json=body,
            effect=Effect.START,
        )
        try:
            return self._http.send(call).model(Started).status_id
        except ProviderRejected as exc:
            running = _running(exc)
            if running is None:
                raise
            return running

    def _get(self, path: str) -> FeatureImpact:
        call = Call(operation="get a feature impact", path=path, missing_is_job=True)
        return self._http.send(call).model(FeatureImpact)


def _running(error: ProviderRejected) -> str | None:
    details = error.details if isinstance(error.details, dict) else {}
    job_id = details.get("jobId")
    return str(job_id) if error.http_status == NOT_FOUND and job_id else None


def _image_path(image_id: str) -> str:
    return f"/customInferenceImages/{path_segment(image_id)}/featureImpact/"


def _path(model_id: str, version_id: str) -> str:
    return f"{version_path(model_id, version_id)}featureImpact/"
