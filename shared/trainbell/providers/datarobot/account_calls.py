"""DataRobot beside its jobs: the table of what may be asked. What each does is in `account`."""

from __future__ import annotations

from pydantic import BaseModel

from trainbell.ports.account_calls import AccountCall, from_module, table
from trainbell.providers.datarobot import account_parameters as given
from trainbell.providers.datarobot.parameters import OfModel, OfVersion
from trainbell.providers.pages import Page


def _call(
    name: str,
    title: str,
    parameters: type[BaseModel],
    *,
    changes: bool = False,
    deprecated: bool = False,
) -> AccountCall:
    return AccountCall(
        name=name,
        title=title,
        parameters=parameters,
        run=from_module(f"trainbell.providers.datarobot.account:{name}"),
        changes=changes,
        deprecated=deprecated,
    )


CALLS = table(
    _call("list_models", "List the custom models", given.ModelsPage),
    _call("create_model", "Make a custom model", given.CreateModel, changes=True),
    _call("copy_model", "Copy a model with its versions and files", OfModel, changes=True),
    _call("get_model", "Show a model", OfModel),
    _call("update_model", "Change fields of a model", given.UpdateModel, changes=True),
    _call("delete_model", "Delete a model that is not in use", OfModel, changes=True),
    _call("download_model", "Download the files of the latest version", given.DownloadModel),
    _call("limits", "Show how large and how many models may be", given.Nothing),
    _call("list_roles", "List who has which role on a model", given.ModelPage),
    _call("set_roles", "Set up to 100 roles on a model", given.SetRoles, changes=True),
    _call("list_versions", "List the versions of a model", given.VersionsPage),
    _call("create_version", "Make a version from files", given.CreateVersion, changes=True),
    _call(
        "create_version_from_latest",
        "Make a version from the latest one's files",
        given.CreateVersionFromLatest,
        changes=True,
    ),
    _call("get_version", "Show a version with its files", OfVersion),
    _call("update_version", "Change a version's texts", given.UpdateVersion, changes=True),
    _call("download_version", "Download the files of a version", given.DownloadVersion),
    _call("list_tests", "List the tests of a model", given.ModelPage),
    _call("test_log", "Read the whole log of a test, in pieces", given.LogPiece),
    _call("list_conversions", "List the conversions of a version", given.ConversionsPage),
    _call("get_feature_impact", "Show the feature impact of a version", OfVersion),
    _call(
        "get_image_feature_impact",
        "Show the feature impact of an image",
        given.OfImage,
        deprecated=True,
    ),
    _call(
        "start_image_feature_impact",
        "Start a feature impact of an image",
        given.ImageImpact,
        changes=True,
        deprecated=True,
    ),
    _call("list_statuses", "List the asynchronous statuses", Page),
    _call("drop_status", "Drop the record of a status", given.OfStatus, changes=True),
)
