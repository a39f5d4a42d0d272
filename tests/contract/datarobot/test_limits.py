"""Limits of what DataRobot is asked for, each at its edge and one past it: the ranges and
lengths of its API documentation. Lengths that it does not give are Trainbell's own."""

from __future__ import annotations

import pytest

from tests.contract.datarobot.service import PARAMETERS
from tests.contract.limits import ALNUM, Case, Count, Items, Text, Values
from trainbell.providers.datarobot import account_parameters as account
from trainbell.providers.datarobot import locations
from trainbell.providers.datarobot import parameters as jobs
from trainbell.providers.datarobot.resources import fields

ID = Text(1, 64, ALNUM + "_-")
MEMORY = Count(134_217_728, 15_032_385_536)
REPLICAS = Count(1, 8)
ROWS = Count(10, 100_000)
SHA = Text(40, 40)
MODEL = {"customModelId": "m"}
TEST, IMPORT, ASSIGN = (
    PARAMETERS[kind] for kind in ("test", "import_version", "assign_training_data")
)
VALUES = {**IMPORT, "requiredMetadataValues": [{"fieldName": "f", "value": "v"}]}
NEW = {"name": "n", "customModelType": "inference"}
COMMIT = {
    "commitUrl": "u",
    "mainBranchCommitSha": "s" * 40,
    "pullRequestCommitSha": None,
    "refName": "main",
}
CHANGES = {"gitModelVersion": COMMIT}
LABELS = {"positiveClassLabel": "yes", "negativeClassLabel": "no"}
FILE = {"path": "a", "content": ""}
LIMITS = [
    Case(jobs.ModelTestParameters, TEST, "customModelId", ID),
    Case(jobs.ModelTestParameters, TEST, "desiredMemory", MEMORY),
    Case(jobs.ModelTestParameters, TEST, "maximumMemory", MEMORY),
    Case(jobs.ModelTestParameters, TEST, "replicas", REPLICAS),
    Case(jobs.FeatureImpactParameters, PARAMETERS["feature_impact"], "rowCount", ROWS),
    Case(jobs.AssignParameters, ASSIGN, "datasetName", Text(0, 255)),
    Case(jobs.AssignParameters, ASSIGN, "partitionColumn", Text(0, 500)),
    Case(jobs.ImportParameters, IMPORT, "ref", Text(1, 1000)),
    Case(jobs.ImportParameters, IMPORT, "sourcePath", Text(1, 4096)),
    Case(jobs.ImportParameters, IMPORT, "sourcePath", Items(0, 1000, str)),
    Case(jobs.ImportParameters, {**IMPORT, "sourcePath": [""]}, "sourcePath.0", Text(1, 4096)),
    Case(jobs.ImportParameters, VALUES, "requiredMetadataValues.0.fieldName", Text(1, None)),
    Case(jobs.ImportParameters, VALUES, "requiredMetadataValues.0.value", Text(0, 100)),
    Case(fields.ModelChanges, CHANGES, "gitModelVersion.mainBranchCommitSha", SHA),
    Case(fields.ModelChanges, CHANGES, "gitModelVersion.pullRequestCommitSha", SHA),
    Case(fields.ModelChanges, {}, "name", Text(1, 255)),
    Case(fields.ModelChanges, {}, "description", Text(0, 10_000)),
    Case(fields.ModelChanges, {}, "language", Text(0, 500)),
    Case(fields.ModelChanges, {}, "classLabels", Items(0, 100, str)),
    Case(fields.ModelChanges, LABELS, "positiveClassLabel", Text(0, 500)),
    Case(fields.ModelChanges, {}, "targetName", Text(0, 500)),
    Case(
        fields.ModelChanges,
        {},
        "predictionThreshold",
        Values([0, 0.0, 0.5, 1, 1.0], [-0.001, 1.001, -1, 2]),
    ),
    Case(fields.NewModel, NEW, "name", Text(1, 255)),
    Case(fields.NewModel, NEW, "userProvidedId", Text(0, 100)),
    Case(fields.VersionChanges, {}, "description", Text(0, 10_000)),
    Case(
        fields.NewVersion,
        {"trainingData": {"datasetId": "d"}},
        "trainingData.datasetName",
        Text(0, 255),
    ),
    Case(fields.Grant, {"role": "OWNER"}, "username", Text(1, None)),
    Case(account.ModelsPage, {}, "searchFor", Text(0, 1000)),
    Case(
        account.SetRoles,
        MODEL,
        "roles",
        Items(1, 100, lambda n: {"username": f"u{n}", "role": "OWNER"}),
    ),
    Case(account.CreateVersion, {**MODEL, "files": [FILE]}, "files.0.path", Text(1, 4096)),
    Case(
        account.CreateVersion,
        MODEL,
        "files",
        Items(0, 1000, lambda n: {"path": f"f{n}", "content": ""}),
    ),
    Case(
        account.CreateVersionFromLatest, MODEL, "filesToDelete", Items(0, 1000, lambda n: f"f{n}")
    ),
    Case(account.LogPiece, {"customModelTestId": "t"}, "offset", Count(0, None)),
    Case(account.LogPiece, {"customModelTestId": "t"}, "length", Count(1, 1_000_000)),
    Case(account.ImageImpact, {"imageId": "i"}, "rowCount", ROWS),
    Case(account.OfStatus, {}, "statusId", Text(1, 128, ALNUM + "_-")),
]


@pytest.mark.parametrize("case", LIMITS, ids=str)
def test_what_is_within_the_limits_is_taken_and_nothing_else(case: Case) -> None:
    assert case.breaches() == []


HOST = "https://app.datarobot.com/api/v2"
WORD = ALNUM + "_-"


@pytest.mark.parametrize("id_", [*WORD, "x" * 128])
@pytest.mark.parametrize("end", ["", "/"])
def test_links_name_what_they_are_about(id_: str, end: str) -> None:
    assert locations.status_id(f"{HOST}/status/{id_}{end}") == id_
    model = f"{HOST}/customModels/{id_}"
    assert locations.named(model + end) == locations.Named(id_, None)
    assert locations.named(f"{model}/versions/{id_}{end}") == locations.Named(id_, id_)
    assert locations.named(f"{model}/featureImpact{end}") == locations.Named(id_, None)
    assert locations.named(f"{model}/versions/{id_}/featureImpact") == locations.Named(id_, id_)


@pytest.mark.parametrize("id_", ["", "~", "a~", "~a", "a.b", "x" * 129])
def test_links_that_name_no_id_name_nothing(id_: str) -> None:
    assert locations.status_id(f"{HOST}/status/{id_}/") is None
    assert locations.named(f"{HOST}/customModels/{id_}/") is None
    named = locations.named(f"{HOST}/customModels/m/versions/{id_}/")
    assert named == locations.Named("m", None)


def test_a_link_behind_a_status_is_of_no_status() -> None:
    assert locations.status_id(f"{HOST}/status/a/b") is None
    assert locations.status_id(f"{HOST}/status/a//") is None
