"""What the calls on an account do. Each gives a JSON object; files go both ways in Base64."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel

from trainbell.errors import Conflict
from trainbell.providers.datarobot import account_parameters as given_as
from trainbell.providers.datarobot.listing import ListCall
from trainbell.providers.datarobot.parameters import OfModel, OfVersion
from trainbell.providers.datarobot.provider import DataRobot
from trainbell.providers.datarobot.resources.custom_models import ModelFilter
from trainbell.providers.datarobot.resources.versions import VersionContents
from trainbell.providers.pages import Page, page_of

Answer = Mapping[str, Any]
FILES_AT_MOST = 3_000_000
"""Bytes of a download through the API: an answer of the cloud has 6 MB at most, in Base64."""


# ---------------------------------------------------------------- models


def list_models(datarobot: DataRobot, given: given_as.ModelsPage) -> Answer:
    wanted = ModelFilter(
        order=given.order_by,
        search=given.search_for,
        kind=given.custom_model_type,
        deployed=given.is_deployed,
    )
    return _page(datarobot, datarobot.client.models.listing(wanted), given)


def create_model(datarobot: DataRobot, given: given_as.CreateModel) -> Answer:
    return _shown(datarobot.client.models.create(given))


def copy_model(datarobot: DataRobot, given: OfModel) -> Answer:
    return _shown(datarobot.client.models.copy(given.custom_model_id))


def get_model(datarobot: DataRobot, given: OfModel) -> Answer:
    return _shown(datarobot.client.models.get(given.custom_model_id))


def update_model(datarobot: DataRobot, given: given_as.UpdateModel) -> Answer:
    return _shown(datarobot.client.models.update(given.custom_model_id, given.changes))


def delete_model(datarobot: DataRobot, given: OfModel) -> Answer:
    datarobot.client.models.delete(given.custom_model_id)
    return {"id": given.custom_model_id, "deleted": True}


def download_model(datarobot: DataRobot, given: given_as.DownloadModel) -> Answer:
    def download(write: Callable[[bytes], object]) -> int:
        models = datarobot.client.models
        return models.download(given.custom_model_id, write, install_script=given.pps)

    return _downloaded(datarobot, download, given.handed)


def limits(datarobot: DataRobot, given: given_as.Nothing) -> Answer:
    del given
    return _shown(datarobot.client.models.limits())


def list_roles(datarobot: DataRobot, given: given_as.ModelPage) -> Answer:
    return _page(datarobot, datarobot.client.access.listing(given.custom_model_id), given)


def set_roles(datarobot: DataRobot, given: given_as.SetRoles) -> Answer:
    datarobot.client.access.update(given.custom_model_id, given.roles)
    return {"id": given.custom_model_id, "roles": len(given.roles)}


# ---------------------------------------------------------------- versions


def list_versions(datarobot: DataRobot, given: given_as.VersionsPage) -> Answer:
    versions = datarobot.client.versions
    listing = versions.listing(given.custom_model_id, given.main_branch_commit_sha)
    return _page(datarobot, listing, given)


def create_version(datarobot: DataRobot, given: given_as.CreateVersion) -> Answer:
    with TemporaryDirectory(prefix="trainbell-") as folder:
        files = _written(datarobot, given.files, Path(folder))
        contents = VersionContents(fields=given.version, files=files)
        return _shown(datarobot.client.versions.create(given.custom_model_id, contents))


def create_version_from_latest(
    datarobot: DataRobot, given: given_as.CreateVersionFromLatest
) -> Answer:
    with TemporaryDirectory(prefix="trainbell-") as folder:
        contents = VersionContents(
            fields=given.version,
            files=_written(datarobot, given.files, Path(folder)),
            delete=given.files_to_delete,
        )
        versions = datarobot.client.versions
        return _shown(versions.create_from_latest(given.custom_model_id, contents))


def get_version(datarobot: DataRobot, given: OfVersion) -> Answer:
    versions = datarobot.client.versions
    return _shown(versions.get(given.custom_model_id, given.custom_model_version_id))


def update_version(datarobot: DataRobot, given: given_as.UpdateVersion) -> Answer:
    ids = given.custom_model_id, given.custom_model_version_id
    return _shown(datarobot.client.versions.update(*ids, given.changes))


def download_version(datarobot: DataRobot, given: given_as.DownloadVersion) -> Answer:
    ids = given.custom_model_id, given.custom_model_version_id

    def download(write: Callable[[bytes], object]) -> int:
        return datarobot.client.versions.download(*ids, write, install_script=given.pps)

    return _downloaded(datarobot, download, given.handed)


# ---------------------------------------------------------------- tests, conversions, impacts


def list_tests(datarobot: DataRobot, given: given_as.ModelPage) -> Answer:
    return _page(datarobot, datarobot.client.tests.listing(given.custom_model_id), given)


def test_log(datarobot: DataRobot, given: given_as.LogPiece) -> Answer:
    """A piece of the whole log, which the service gives up to 10 MB of."""
    log = datarobot.client.tests.log(given.custom_model_test_id)
    end = given.offset + given.length
    following = {"customModelTestId": given.custom_model_test_id, "offset": end}
    return {
        "text": log[given.offset : end],
        "characters": len(log),
        "next": following if end < len(log) else None,
    }


def list_conversions(datarobot: DataRobot, given: given_as.ConversionsPage) -> Answer:
    listing = datarobot.client.conversions.listing(
        given.custom_model_id, given.custom_model_version_id, latest_only=given.is_latest
    )
    return _page(datarobot, listing, given)


def get_feature_impact(datarobot: DataRobot, given: OfVersion) -> Answer:
    ids = given.custom_model_id, given.custom_model_version_id
    return _shown(datarobot.client.impacts.get(*ids))


def get_image_feature_impact(datarobot: DataRobot, given: given_as.OfImage) -> Answer:
    return _shown(datarobot.client.impacts.get_of_image(given.image_id))


def start_image_feature_impact(datarobot: DataRobot, given: given_as.ImageImpact) -> Answer:
    status = datarobot.client.impacts.start_of_image(given.image_id, given.row_count)
    return {"statusId": status}


def list_statuses(datarobot: DataRobot, given: Page) -> Answer:
    return _page(datarobot, datarobot.client.statuses.listing(), given)


def drop_status(datarobot: DataRobot, given: given_as.OfStatus) -> Answer:
    datarobot.client.statuses.forget(given.status_id)
    return {"statusId": given.status_id, "dropped": True}


# ---------------------------------------------------------------- what they share


def _shown(thing: BaseModel) -> Answer:
    return thing.model_dump(mode="json", by_alias=True)


def _page(datarobot: DataRobot, listing: ListCall[Any], given: Page) -> Answer:
    page, _ = listing.page(datarobot.client.http, given.offset, given.limit)
    return page_of(page.data, given, ended=page.next is None)


def _written(
    datarobot: DataRobot, files: list[given_as.File], folder: Path
) -> list[tuple[Path, str]]:
    """The files as the upload reads them, with their paths in the version. They are numbered here:
    a path of somebody else's never becomes one of this machine's."""
    written = []
    for number, file in enumerate(files):
        if file.handed is not None:
            local = datarobot.handed_files.given(file.handed)
        else:
            local = folder / str(number)
            local.write_bytes(file.content or b"")
        written.append((local, file.path))
    return written


def _downloaded(
    datarobot: DataRobot,
    download: Callable[[Callable[[bytes], object]], int],
    handed: str | None,
) -> Answer:
    if handed is not None:
        return {"bytes": datarobot.handed_files.receive(handed, download), "handed": handed}
    pieces: list[bytes] = []
    room = FILES_AT_MOST

    def write(piece: bytes) -> None:
        nonlocal room
        room -= len(piece)
        if room < 0:
            raise Conflict(
                f"the files have more than {FILES_AT_MOST:,} bytes, too many for an answer of the "
                "API: download them with --direct, from a machine that may read the secret"
            )
        pieces.append(piece)

    size = download(write)
    return {"bytes": size, "content": base64.b64encode(b"".join(pieces)).decode()}
