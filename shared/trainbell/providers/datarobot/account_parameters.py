"""What the calls on an account take, by the service's own names."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Base64Bytes, ConfigDict, Field, model_validator

from trainbell.providers.datarobot.handed_files import HandedName
from trainbell.providers.datarobot.parameters import Id, OfModel, OfVersion, Parameters
from trainbell.providers.datarobot.resources.fields import (
    Grant,
    ModelChanges,
    NewModel,
    NewVersion,
    Sha,
    VersionChanges,
)
from trainbell.providers.pages import Page

MAX_FILES = 1000
PIECE_AT_MOST = 1_000_000


class Nothing(Parameters):
    """A call that takes nothing."""


class _Page(Page, Parameters):
    """A page of a list, with fields in the service's spelling."""


class ModelsPage(_Page):
    order_by: Literal["created", "-created", "updated", "-updated"] | None = None
    search_for: Annotated[str, Field(max_length=1000)] | None = Field(
        default=None, description="In name, description and language, in any case."
    )
    custom_model_type: Literal["training", "inference"] | None = None
    is_deployed: bool | None = None


class ModelPage(_Page, OfModel):
    pass


class VersionsPage(ModelPage):
    main_branch_commit_sha: Sha | None = None


class ConversionsPage(_Page, OfVersion):
    is_latest: bool = False


class CreateModel(NewModel):
    pass


class UpdateModel(OfModel):
    changes: ModelChanges


class SetRoles(OfModel):
    roles: Annotated[list[Grant], Field(min_length=1, max_length=100)]


class UpdateVersion(OfVersion):
    changes: VersionChanges


class File(Parameters):
    """A file of a new version: where it lies there, and what is in it, in Base64; or (on one
    machine) the name by which it was handed over on disk."""

    # The whole document is strict; bytes come as text.
    model_config = ConfigDict(strict=False)

    path: Annotated[str, Field(min_length=1, max_length=4096)]
    content: Base64Bytes | None = None
    handed: HandedName | None = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.content is None) == (self.handed is None):
            raise ValueError("needs either content or handed")
        return self


class _Files(OfModel):
    version: NewVersion = Field(default_factory=NewVersion)
    files: Annotated[list[File], Field(max_length=MAX_FILES)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _no_path_twice(self) -> Self:
        refuse_twice([each.path for each in self.files])
        return self


class CreateVersion(_Files):
    pass


class CreateVersionFromLatest(_Files):
    files_to_delete: Annotated[list[Id], Field(max_length=MAX_FILES)] = Field(
        default_factory=list, description="Ids of files to leave out."
    )


class DownloadModel(OfModel):
    pps: bool = Field(default=False, description="With the script that installs dependencies.")
    handed: HandedName | None = Field(
        default=None,
        description="On one machine: the name by which the files are handed over.",
    )


class DownloadVersion(OfVersion):
    pps: bool = Field(default=False, description="With the script that installs dependencies.")
    handed: HandedName | None = Field(
        default=None,
        description="On one machine: the name by which the files are handed over.",
    )


class LogPiece(Parameters):
    custom_model_test_id: Id
    offset: Annotated[int, Field(ge=0)] = 0
    length: Annotated[int, Field(ge=1, le=PIECE_AT_MOST)] = PIECE_AT_MOST


class OfImage(Parameters):
    image_id: Id


class ImageImpact(OfImage):
    row_count: Annotated[int, Field(ge=10, le=100_000)] | None = None


class OfStatus(Parameters):
    status_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")]


def refuse_twice(paths: list[str]) -> None:
    """Raises ValueError where two files would have one path in the version: one would be lost."""
    twice = sorted({path for path in paths if paths.count(path) > 1})
    if twice:
        raise ValueError(f"two files have the path {', '.join(twice)}: say LOCAL=PATH for each")
