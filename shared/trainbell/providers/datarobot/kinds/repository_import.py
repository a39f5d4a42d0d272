"""`import_version`: a version from a remote repository."""

from __future__ import annotations

from trainbell.errors import ProviderJobMissing
from trainbell.ports import Handle, StartOrder
from trainbell.providers.datarobot.kinds.asynchronous import AsynchronousKind, contains
from trainbell.providers.datarobot.kinds.kind import parameters_of
from trainbell.providers.datarobot.locations import Named
from trainbell.providers.datarobot.parameters import ImportParameters
from trainbell.providers.datarobot.resources.statuses import start_call
from trainbell.providers.http import path_segment


class ImportKind(AsynchronousKind):
    title = "an import"

    def start(self, order: StartOrder) -> Handle:
        given = parameters_of(order, ImportParameters)
        path = f"/customModels/{path_segment(given.custom_model_id)}/versions/fromRepository/"
        method = "PATCH" if given.from_latest else "POST"
        body = given.wire("customModelId", "fromLatest")
        call = start_call("import a version", method, path, body)
        return self.handle(order, self.client.statuses.accepted(call))

    def is_of(self, order: StartOrder, made: Named) -> bool | None:
        """A version of this model whose files are of this reference and below these paths."""
        given = parameters_of(order, ImportParameters)
        if made.model != given.custom_model_id:
            return False
        if made.version is None:
            return None
        try:
            version = self.client.versions.get(made.model, made.version)
        except ProviderJobMissing:
            return False
        refs = {item.ref for item in version.items if item.ref}
        paths = [
            path
            for item in version.items
            if isinstance(path := (item.model_extra or {}).get("repositoryFilePath"), str)
        ]
        same_ref = not given.ref or not refs or given.ref in refs
        return same_ref and (not paths or contains(given.source_path, paths))

    def handle(self, order: StartOrder, status: str) -> Handle:
        given = parameters_of(order, ImportParameters)
        return {"kind": "import_version", "model": given.custom_model_id, "status": status}
