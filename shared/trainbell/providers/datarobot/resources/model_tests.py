"""`/customModelTests/`: tests of a version against a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainbell.providers.datarobot.listing import ListCall, Listing
from trainbell.providers.datarobot.vendor_models import ModelTest, Started, VendorModel
from trainbell.providers.http import ServiceHttp, path_segment
from trainbell.providers.service_call import Call, Effect

PATH = "/customModelTests/"
MAX_TAIL_LINES = 1000


class _Tail(VendorModel):
    log: str


class ModelTests:
    def __init__(self, http: ServiceHttp) -> None:
        self._http = http

    def start(self, body: Mapping[str, Any]) -> str:
        """Returns the id of its asynchronous status; the test's own id is only in the list."""
        call = Call(
            operation="start a test",
            method="POST",
            path=PATH,
            json=dict(body),
            effect=Effect.START,
        )
        return self._http.send(call).model(Started).status_id

    def list(self, model_id: str) -> Listing[ModelTest]:
        return self.listing(model_id).all(self._http)

    def listing(self, model_id: str) -> ListCall[ModelTest]:
        return ListCall("list tests", PATH, ModelTest, {"customModelId": model_id})

    def get(self, test_id: str) -> ModelTest:
        call = Call(operation="get a test", path=_path(test_id), missing_is_job=True)
        return self._http.send(call).model(ModelTest)

    def cancel(self, test_id: str) -> None:
        """Raises ProviderRejected: 409 once it has ended."""
        call = Call(
            operation="cancel a test",
            method="DELETE",
            path=_path(test_id),
            effect=Effect.CHANGE,
            missing_is_job=True,
        )
        self._http.send(call)

    def tail(self, test_id: str, lines: int = 100) -> Sequence[str]:
        """The last 1 to 1000 lines of its log."""
        call = Call(
            operation="read a test's log",
            path=f"{_path(test_id)}tail/",
            query={"lines": min(max(lines, 1), MAX_TAIL_LINES)},
            missing_is_job=True,
        )
        return self._http.send(call).model(_Tail).log.splitlines()

    def log(self, test_id: str) -> str:
        """Its whole log, up to 10 MB."""
        call = Call(
            operation="read a test's log",
            path=f"{_path(test_id)}log/",
            headers={"Accept": "text/plain"},
            missing_is_job=True,
        )
        return self._http.send(call).body.decode("utf-8", errors="replace")


def _path(test_id: str) -> str:
    return f"{PATH}{path_segment(test_id)}/"
