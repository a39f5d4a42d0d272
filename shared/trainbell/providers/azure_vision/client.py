"""Azure AI Vision's HTTP calls, one method each. No retries, no sleeping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trainbell.errors import ProviderJobMissing, ProviderReplyInvalid
from trainbell.providers.azure_vision.parameters import Target
from trainbell.providers.azure_vision.vendor_models import ModelPage, Run
from trainbell.providers.http import ServiceHttp, path_segment
from trainbell.providers.service_call import Call, Effect, Reply

TITLE = "Azure AI Vision"
API_VERSION = "2023-04-01-preview"
PAGE_SIZE = 30
"""The most that the service gives at once."""
MAX_PAGES = 1000
MAX_RUN_BYTES = 2_000_000


class AzureVisionClient:
    """Errors are those of `providers.http_errors`."""

    def __init__(self, http: ServiceHttp) -> None:
        self.http = http

    def create(self, target: Target, body: Mapping[str, Any]) -> Run:
        """Start what the target names. A name that is in use is ProviderRejected (409)."""
        call = Call(
            operation=f"create {target}",
            method="PUT",
            path=_path(target),
            query=_VERSION,
            json=body,
            effect=Effect.START,
            max_bytes=MAX_RUN_BYTES,
        )
        return self.http.send(call).model(Run)

    def get(self, target: Target) -> Run:
        """Raises ProviderJobMissing."""
        call = Call(
            operation=f"get {target}",
            path=_path(target),
            query=_VERSION,
            missing_is_job=True,
            max_bytes=MAX_RUN_BYTES,
        )
        return self._send(call).model(Run)

    def cancel(self, model: str) -> None:
        """Ask for the end of a training. Evaluations have no such call.

        Raises:
            ProviderJobMissing: there is no such model.
            ProviderRejected: it has ended meanwhile.
        """
        target = Target(model)
        call = Call(
            operation=f"cancel {target}",
            method="POST",
            path=f"{_path(target)}:cancel",
            query=_VERSION,
            effect=Effect.CHANGE,
            missing_is_job=True,
        )
        self._send(call)

    def delete(self, target: Target) -> None:
        """Delete it for good. The service does so in an end state only.

        Raises:
            ProviderJobMissing: it is gone already.
            ProviderRejected: it has not ended; cancel it first and wait.
        """
        call = Call(
            operation=f"delete {target}",
            method="DELETE",
            path=_path(target),
            query=_VERSION,
            effect=Effect.CHANGE,
            missing_is_job=True,
        )
        self._send(call)

    def models(self, *, skip: int = 0, top: int = PAGE_SIZE) -> ModelPage:
        """One page of all models, in the service's own order. `top` is 1 to 30."""
        query = {**_VERSION, "skip": skip, "top": top}
        call = Call(operation="list models", path="/models", query=query)
        return self.http.send(call).model(ModelPage)

    def every_model(self) -> Iterator[Run]:
        """All models, page after page; a short page is no proof of the end, an empty one is. A list
        that changes meanwhile may repeat or miss some.

        Raises:
            ProviderReplyInvalid: the list does not end.
        """
        skip = 0
        for _ in range(MAX_PAGES):
            page = self.models(skip=skip).value
            if not page:
                return
            yield from page
            skip += len(page)
        raise ProviderReplyInvalid(
            f"{TITLE} lists more than {skip} models, and no end is in sight",
            provider=TITLE,
            operation="list models",
        )

    def close(self) -> None:
        self.http.close()

    def _send(self, call: Call) -> Reply:
        """A 404 counts as "no such model" only where it is the service's own: a proxy's or a
        wrong base URL's must never make a running training look lost."""
        try:
            return self.http.send(call)
        except ProviderJobMissing as exc:
            if _is_the_services_own(exc.details):
                raise
            raise ProviderReplyInvalid(
                f"{exc}; this 404 is not {TITLE}'s own: is the base URL right?",
                provider=exc.provider,
                operation=exc.operation,
                http_status=exc.http_status,
                vendor_code=exc.vendor_code,
                request_id=exc.request_id,
                details=exc.details,
            ) from exc


_VERSION: Mapping[str, str | int] = {"api-version": API_VERSION}


def _path(target: Target) -> str:
    path = f"/models/{path_segment(target.model)}"
    if target.evaluation is None:
        return path
    return f"{path}/evaluations/{path_segment(target.evaluation)}"


def _is_the_services_own(details: Any) -> bool:
    """Azure's gateway answers for paths that it does not know, with the number for a code."""
    error = details.get("error") if isinstance(details, Mapping) else None
    return isinstance(error, Mapping) and error.get("code") not in (None, "", "404")
