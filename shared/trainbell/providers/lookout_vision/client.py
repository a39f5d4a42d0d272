"""Lookout's HTTP calls, one method each. No retries, no sleeping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainbell.errors import (
    ProviderError,
    ProviderJobMissing,
    ProviderReplyInvalid,
    ProviderThrottled,
    StartOutcomeUnknown,
)
from trainbell.providers.http import ServiceHttp, path_segment
from trainbell.providers.lookout_vision.vendor_models import (
    CreatedModel,
    DescribedModel,
    Model,
    ModelPage,
    ProjectPage,
    TagList,
)
from trainbell.providers.service_call import Call, Effect, Reply

PROVIDER_NAME = "Amazon Lookout for Vision"
ROOT = "/2020-11-20"
PAGE_SIZE = 100
MAX_MODEL_BYTES = 1_000_000
NOT_FOUND = "ResourceNotFoundException"

QUOTA_EXCEEDED = "ServiceQuotaExceededException"
THROTTLING = "ThrottlingException"


class LookoutVisionClient:
    """Errors are those of `providers.http_errors`, but for two that AWS's own code decides.

    Throttling is ProviderThrottled under any status: AWS's page of common errors gives it 400. A
    404 without AWS's code comes from somebody in between: ProviderReplyInvalid, no missing job.
    """

    def __init__(self, http: ServiceHttp) -> None:
        self.http = http

    def create_model(self, project: str, body: Mapping[str, Any], token: str) -> Model:
        """Start a training. The same token and body give the same model for 8 hours.

        Raises ProviderRejected with QUOTA_EXCEEDED (402) where a quota is used up.
        """
        call = Call(
            operation="create a model",
            method="POST",
            path=f"{_project(project)}/models",
            json=body,
            headers={"X-Amzn-Client-Token": token},
            effect=Effect.START,
            max_bytes=MAX_MODEL_BYTES,
        )
        return self._send(call).model(CreatedModel).model_metadata

    def model(self, project: str, version: str) -> Model:
        """Raises ProviderJobMissing."""
        call = Call(
            operation="describe a model",
            path=_model(project, version),
            missing_is_job=True,
            max_bytes=MAX_MODEL_BYTES,
        )
        return self._send(call).model(DescribedModel).model_description

    def models(self, project: str, next_token: str | None = None) -> ModelPage:
        """One page of the project's models. Raises ProviderRejected where there is no project."""
        path = f"{_project(project)}/models"
        call = Call(operation="list models", path=path, query=_page(PAGE_SIZE, next_token))
        return self._send(call).model(ModelPage)

    def delete_model(self, project: str, version: str) -> None:
        """Raises ProviderJobMissing; ProviderRejected (409) while it is hosted."""
        call = Call(
            operation="delete a model",
            method="DELETE",
            path=_model(project, version),
            effect=Effect.CHANGE,
            missing_is_job=True,
        )
        self._send(call)

    def tags(self, arn: str) -> dict[str, str]:
        call = Call(operation="list tags", path=f"{ROOT}/tags/{path_segment(arn)}")
        return {tag.key: tag.value for tag in self._send(call).model(TagList).tags}

    def projects(self, next_token: str | None = None) -> ProjectPage:
        """One page of the projects of this account and region."""
        call = Call(
            operation="list projects", path=f"{ROOT}/projects", query=_page(PAGE_SIZE, next_token)
        )
        return self._send(call).model(ProjectPage)

    def close(self) -> None:
        self.http.close()

    def _send(self, call: Call) -> Reply:
        try:
            return self.http.send(call)
        except ProviderError as error:
            kind = _kind_of(error)
            if kind is type(error):
                raise
            raise same_error(kind, error) from error


def _kind_of(error: ProviderError) -> type[ProviderError]:
    if error.vendor_code == THROTTLING and not isinstance(error, StartOutcomeUnknown):
        return ProviderThrottled
    if isinstance(error, ProviderJobMissing) and error.vendor_code != NOT_FOUND:
        return ProviderReplyInvalid
    return type(error)


def same_error(kind: type[ProviderError], error: ProviderError) -> ProviderError:
    """The error as another kind, with all that the service said."""
    return kind(
        str(error),
        provider=error.provider,
        operation=error.operation,
        http_status=error.http_status,
        vendor_code=error.vendor_code,
        request_id=error.request_id,
        retry_after_seconds=error.retry_after_seconds,
        details=error.details,
    )


def _project(name: str) -> str:
    return f"{ROOT}/projects/{path_segment(name)}"


def _model(project: str, version: str) -> str:
    return f"{_project(project)}/models/{path_segment(version)}"


def _page(size: int, next_token: str | None) -> dict[str, str | int]:
    return {"maxResults": size} | ({"nextToken": next_token} if next_token else {})
