"""`…/conversions/`: a version's files made into a JAR."""

from __future__ import annotations

from trainbell.providers.datarobot.listing import ListCall, Listing
from trainbell.providers.datarobot.resources.versions import version_path
from trainbell.providers.datarobot.vendor_models import Conversion, ConversionStarted
from trainbell.providers.http import ServiceHttp, path_segment
from trainbell.providers.service_call import Call, Effect


class Conversions:
    def __init__(self, http: ServiceHttp) -> None:
        self._http = http

    def start(self, model_id: str, version_id: str, main_program_item_id: str) -> str:
        """Returns the conversion's id."""
        call = Call(
            operation="start a conversion",
            method="POST",
            path=_path(model_id, version_id),
            json={"mainProgramItemId": main_program_item_id},
            effect=Effect.START,
        )
        return self._http.send(call).model(ConversionStarted).conversion_id

    def list(
        self, model_id: str, version_id: str, *, latest_only: bool = False
    ) -> Listing[Conversion]:
        return self.listing(model_id, version_id, latest_only=latest_only).all(self._http)

    def listing(
        self, model_id: str, version_id: str, *, latest_only: bool = False
    ) -> ListCall[Conversion]:
        return ListCall(
            "list conversions",
            _path(model_id, version_id),
            Conversion,
            {"isLatest": "true"} if latest_only else None,
            missing_is_job=True,
        )

    def get(self, model_id: str, version_id: str, conversion_id: str) -> Conversion:
        call = Call(
            operation="get a conversion",
            path=_path(model_id, version_id, conversion_id),
            missing_is_job=True,
        )
        return self._http.send(call).model(Conversion)

    def stop(self, model_id: str, version_id: str, conversion_id: str) -> None:
        """Raises ProviderRejected: 422 where it is not active."""
        call = Call(
            operation="stop a conversion",
            method="DELETE",
            path=_path(model_id, version_id, conversion_id),
            effect=Effect.CHANGE,
            missing_is_job=True,
        )
        self._http.send(call)


def _path(model_id: str, version_id: str, conversion_id: str | None = None) -> str:
    path = f"{version_path(model_id, version_id)}conversions/"
    return path if conversion_id is None else f"{path}{path_segment(conversion_id)}/"
