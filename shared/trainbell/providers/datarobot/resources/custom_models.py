"""`/customModels/`: what every job is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from trainbell.providers.datarobot.file_transfer import FileTransfer
from trainbell.providers.datarobot.listing import ListCall, Listing
from trainbell.providers.datarobot.resources.fields import ModelChanges, NewModel
from trainbell.providers.datarobot.vendor_models import CustomModel, Limits
from trainbell.providers.http import path_segment
from trainbell.providers.service_call import Call, Effect

Order = Literal["created", "-created", "updated", "-updated"]
PATH = "/customModels/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFilter:
    """Which models to list. `search`: in description, language and name, in any case."""

    order: Order | None = None
    search: str | None = None
    kind: Literal["training", "inference"] | None = None
    deployed: bool | None = None

    def query(self) -> dict[str, str]:
        deployed = None if self.deployed is None else str(self.deployed).lower()
        query = {
            "orderBy": self.order,
            "searchFor": self.search,
            "customModelType": self.kind,
            "isDeployed": deployed,
        }
        return {key: value for key, value in query.items() if value is not None}


class CustomModels:
    def __init__(self, http: FileTransfer) -> None:
        self._http = http

    def list(self, wanted: ModelFilter = ModelFilter()) -> Listing[CustomModel]:
        return self.listing(wanted).all(self._http)

    def count(self) -> int:
        """How many there are."""
        page, _ = self.listing(ModelFilter()).page(self._http, limit=1)
        return len(page.data) if page.total_count is None else page.total_count

    def create(self, new: NewModel) -> CustomModel:
        """Raises ProviderRejected: 403 where this account may not, 422 for what does not fit."""
        call = Call(
            operation="create a custom model",
            method="POST",
            path=PATH,
            json=new.wire(),
            effect=Effect.START,
        )
        return self._http.send(call).model(CustomModel)

    def copy(self, model_id: str) -> CustomModel:
        """A copy with its versions and files."""
        call = Call(
            operation="copy a custom model",
            method="POST",
            path=f"{PATH}fromCustomModel/",
            json={"customModelId": model_id},
            effect=Effect.START,
        )
        return self._http.send(call).model(CustomModel)

    def get(self, model_id: str) -> CustomModel:
        call = Call(operation="get a custom model", path=_path(model_id), missing_is_job=True)
        return self._http.send(call).model(CustomModel)

    def update(self, model_id: str, changes: ModelChanges) -> CustomModel:
        """Raises ProviderRejected: 409 while it is validated, deployed or has training data."""
        call = Call(
            operation="update a custom model",
            method="PATCH",
            path=_path(model_id),
            json=changes.changes(),
            effect=Effect.CHANGE,
            missing_is_job=True,
        )
        return self._http.send(call).model(CustomModel)

    def delete(self, model_id: str) -> None:
        """Raises ProviderRejected: 409 while it is deployed."""
        call = Call(
            operation="delete a custom model",
            method="DELETE",
            path=_path(model_id),
            effect=Effect.CHANGE,
            missing_is_job=True,
        )
        self._http.send(call)

    def download(
        self, model_id: str, write: Callable[[bytes], object], *, install_script: bool = False
    ) -> int:
        """The latest version's files as a zip, piece by piece. Returns its size in bytes; what
        `write` raises ends it."""
        return self._http.download(download_call(_path(model_id), install_script), write)

    def limits(self) -> Limits:
        call = Call(operation="get the limits", path="/customModelLimits/")
        return self._http.send(call).model(Limits)

    def listing(self, wanted: ModelFilter) -> ListCall[CustomModel]:
        return ListCall("list custom models", PATH, CustomModel, wanted.query())


def download_call(path: str, install_script: bool) -> Call:
    return Call(
        operation="download files",
        path=f"{path}download/",
        query={"pps": "true"} if install_script else None,
        headers={"Accept": "application/zip"},
        missing_is_job=True,
    )


def _path(model_id: str) -> str:
    return f"{PATH}{path_segment(model_id)}/"
