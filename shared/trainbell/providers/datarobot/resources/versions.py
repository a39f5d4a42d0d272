"""`/customModels/{id}/versions/`: a model's files, with their training data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from trainbell.providers.datarobot.file_transfer import FileTransfer, FormPart
from trainbell.providers.datarobot.listing import ListCall, Listing
from trainbell.providers.datarobot.resources.custom_models import download_call
from trainbell.providers.datarobot.resources.fields import NewVersion, VersionChanges
from trainbell.providers.datarobot.vendor_models import ModelVersion
from trainbell.providers.http import path_segment
from trainbell.providers.service_call import Call, Effect

MAX_FILES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionContents:
    """A new version. `files`: local files with their path in the version. `delete`: ids of files
    to leave out, where it is made from the latest."""

    fields: NewVersion = field(default_factory=NewVersion)
    files: Sequence[tuple[Path, str]] = ()
    delete: Sequence[str] = ()


class Versions:
    def __init__(self, http: FileTransfer) -> None:
        self._http = http

    def list(self, model_id: str, main_branch_commit: str | None = None) -> Listing[ModelVersion]:
        """`main_branch_commit`: only the version of this commit (SHA-1)."""
        return self.listing(model_id, main_branch_commit).all(self._http)

    def listing(
        self, model_id: str, main_branch_commit: str | None = None
    ) -> ListCall[ModelVersion]:
        commit = {"mainBranchCommitSha": main_branch_commit} if main_branch_commit else None
        return ListCall("list versions", _path(model_id), ModelVersion, commit, missing_is_job=True)

    def create(self, model_id: str, contents: VersionContents) -> ModelVersion:
        """A version with these files alone.

        Raises:
            OSError: a file cannot be read; nothing was sent.
            ProviderRejected: 413 too large, 422 with `errors` and `dependencies` in its details.
        """
        return self._create("POST", model_id, contents)

    def create_from_latest(self, model_id: str, contents: VersionContents) -> ModelVersion:
        """A version with the latest one's files, some added, replaced or left out. Raises as
        `create` does."""
        return self._create("PATCH", model_id, contents)

    def get(self, model_id: str, version_id: str) -> ModelVersion:
        call = Call(
            operation="get a version", path=_path(model_id, version_id), missing_is_job=True
        )
        return self._http.send(call).model(ModelVersion)

    def update(self, model_id: str, version_id: str, changes: VersionChanges) -> ModelVersion:
        """Change its description or metadata."""
        call = Call(
            operation="update a version",
            method="PATCH",
            path=_path(model_id, version_id),
            json=changes.wire(),
            effect=Effect.CHANGE,
            missing_is_job=True,
        )
        return self._http.send(call).model(ModelVersion)

    def download(
        self,
        model_id: str,
        version_id: str,
        write: Callable[[bytes], object],
        *,
        install_script: bool = False,
    ) -> int:
        """Its files as a zip, piece by piece. Returns its size in bytes."""
        return self._http.download(
            download_call(_path(model_id, version_id), install_script), write
        )

    def _create(self, method: str, model_id: str, contents: VersionContents) -> ModelVersion:
        call = Call(
            operation="create a version",
            method=method,
            path=_path(model_id),
            # PATCH here makes a version each time it is sent.
            effect=Effect.START,
        )
        with ExitStack() as opened:
            parts: list[FormPart] = [
                (name, (None, value)) for name, value in contents.fields.form().items()
            ]
            parts += [("filesToDelete", (None, each)) for each in contents.delete]
            for local, path in contents.files:
                parts.append(("file", (local.name, opened.enter_context(local.open("rb")))))
                parts.append(("filePath", (None, path)))
            return self._http.upload(call, parts).model(ModelVersion)


def files_below(folder: Path) -> Sequence[tuple[Path, str]]:
    """Every file of a folder, with its path from there.

    Raises:
        ValueError: there are none, or more than the service takes.
    """
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    if not 0 < len(found) <= MAX_FILES:
        raise ValueError(f"{folder} holds {len(found)} files; a version has 1 to {MAX_FILES}")
    return [(path, path.relative_to(folder).as_posix()) for path in found]


def version_path(model_id: str, version_id: str) -> str:
    return f"/customModels/{path_segment(model_id)}/versions/{path_segment(version_id)}/"


def _path(model_id: str, version_id: str | None = None) -> str:
    if version_id is not None:
        return version_path(model_id, version_id)
    return f"/customModels/{path_segment(model_id)}/versions/"
