"""`explain`: prediction explanations are made ready for a version."""

from __future__ import annotations

from trainbell.ports import Handle, StartOrder
from trainbell.providers.datarobot.kinds.asynchronous import AsynchronousKind
from trainbell.providers.datarobot.kinds.kind import parameters_of
from trainbell.providers.datarobot.locations import Named
from trainbell.providers.datarobot.parameters import ExplainParameters
from trainbell.providers.datarobot.resources.statuses import start_call
from trainbell.providers.datarobot.resources.versions import version_path

_ROUTE = "predictionExplanationsInitialization/"


class ExplainKind(AsynchronousKind):
    title = "prediction explanations initialization"

    def start(self, order: StartOrder) -> Handle:
        given = parameters_of(order, ExplainParameters)
        path = f"{version_path(given.custom_model_id, given.custom_model_version_id)}{_ROUTE}"
        body = None
        if given.environment_id or given.environment_version_id:
            path, body = f"/customModels/{_ROUTE}", given.wire()
        call = start_call("start prediction explanations", "POST", path, body)
        return self.handle(order, self.client.statuses.accepted(call))

    def is_of(self, order: StartOrder, made: Named) -> bool | None:
        given = parameters_of(order, ExplainParameters)
        if made.model != given.custom_model_id:
            return False
        return None if made.version is None else made.version == given.custom_model_version_id

    def handle(self, order: StartOrder, status: str) -> Handle:
        given = parameters_of(order, ExplainParameters)
        return {"kind": "explain", "model": given.custom_model_id, "status": status}
