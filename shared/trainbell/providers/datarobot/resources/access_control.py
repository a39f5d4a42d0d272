"""`…/accessControl/`: who may do what with a model."""

from __future__ import annotations

from collections.abc import Sequence

from trainbell.errors import InputInvalid, Problem
from trainbell.providers.datarobot.listing import ListCall, Listing
from trainbell.providers.datarobot.resources.fields import Grant
from trainbell.providers.datarobot.vendor_models import AccessRole
from trainbell.providers.http import ServiceHttp, path_segment
from trainbell.providers.service_call import Call, Effect

MAX_ROLES = 100


class AccessControl:
    def __init__(self, http: ServiceHttp) -> None:
        self._http = http

    def list(self, model_id: str) -> Listing[AccessRole]:
        return self.listing(model_id).all(self._http)

    def listing(self, model_id: str) -> ListCall[AccessRole]:
        return ListCall(
            "list roles", _path(model_id), AccessRole, identity="username", missing_is_job=True
        )

    def update(self, model_id: str, grants: Sequence[Grant]) -> None:
        """Set up to 100 roles in one request.

        Raises:
            InputInvalid: none, or more than 100; nothing is sent.
            ProviderRejected: 409 where the model would be left without an owner, 422 for a user
                that does not exist.
        """
        if not 0 < len(grants) <= MAX_ROLES:
            raise InputInvalid([Problem("data", f"1 to {MAX_ROLES} roles, not {len(grants)}")])
        call = Call(
            operation="set roles",
            method="PATCH",
            path=_path(model_id),
            json={"data": [grant.body() for grant in grants]},
            effect=Effect.CHANGE,
            missing_is_job=True,
        )
        self._http.send(call)


def _path(model_id: str) -> str:
    return f"/customModels/{path_segment(model_id)}/accessControl/"
