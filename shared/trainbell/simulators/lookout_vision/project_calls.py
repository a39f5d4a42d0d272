"""What the simulated service does with projects, their datasets, and tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from trainbell.simulators.lookout_vision.account import Account, Project
from trainbell.simulators.lookout_vision.incoming import Incoming, checked, page, project_of
from trainbell.simulators.lookout_vision.refusals import MAX_TAGS, Checks, missing, over_quota


def create_project(account: Account, incoming: Incoming) -> dict[str, Any]:
    checks = checked(incoming)
    name = incoming.body.get("ProjectName")
    checks.text(name, "projectName", required=True)
    checks.done()

    def create() -> dict[str, Any]:
        return {"ProjectMetadata": _project_metadata(account, account.add_project(str(name)))}

    return account.once(incoming.operation, incoming.token, name, create)


def describe_project(account: Account, incoming: Incoming) -> dict[str, Any]:
    project = project_of(account, incoming)
    datasets = [_dataset_metadata(account, project, kind) for kind in project.datasets]
    return {"ProjectDescription": {**_project_metadata(account, project), "Datasets": datasets}}


def list_projects(account: Account, incoming: Incoming) -> dict[str, Any]:
    by_name = sorted(account.projects.items())
    return page(incoming, "Projects", by_name, lambda p: _project_metadata(account, p))


def delete_project(account: Account, incoming: Incoming) -> dict[str, Any]:
    checked(incoming).done()
    return {"ProjectArn": account.delete_project(incoming.names["projectName"]).arn}


def create_dataset(account: Account, incoming: Incoming) -> dict[str, Any]:
    checks = checked(incoming)
    kind = incoming.body.get("DatasetType")
    checks.text(kind, "datasetType", required=True)
    checks.done()

    def create() -> dict[str, Any]:
        project = account.project(incoming.names["projectName"])
        account.add_dataset(project, str(kind))
        return {"DatasetMetadata": _dataset_metadata(account, project, str(kind))}

    given = [dict(incoming.names), dict(incoming.body)]
    return account.once(incoming.operation, incoming.token, given, create)


def describe_dataset(account: Account, incoming: Incoming) -> dict[str, Any]:
    project = project_of(account, incoming)
    kind = incoming.names["datasetType"]
    shown = _dataset_metadata(account, project, kind)
    images = {"Total": 40, "Labeled": 40, "Normal": 20, "Anomaly": 20}
    return {"DatasetDescription": {"ProjectName": project.name, **shown, "ImageStats": images}}


def delete_dataset(account: Account, incoming: Incoming) -> dict[str, Any]:
    project = project_of(account, incoming)
    account.dataset(project, incoming.names["datasetType"])
    del project.datasets[incoming.names["datasetType"]]
    return {}


def _project_metadata(account: Account, project: Project) -> dict[str, Any]:
    created_at = account.clock.shown(project.created_at).timestamp()
    return {
        "ProjectArn": project.arn,
        "ProjectName": project.name,
        "CreationTimestamp": created_at,
    }


def _dataset_metadata(account: Account, project: Project, kind: str) -> dict[str, Any]:
    dataset = account.dataset(project, kind)
    return {
        "DatasetType": kind,
        "CreationTimestamp": account.clock.shown(dataset.created_at).timestamp(),
        "Status": dataset.status(account.clock.now()),
        "StatusMessage": "",
    }


def _tags(account: Account, incoming: Incoming) -> dict[str, str]:
    arn = incoming.names["resourceArn"]
    if arn not in account.tags:
        raise missing("MODEL", arn)
    return account.tags[arn]


def list_tags(account: Account, incoming: Incoming) -> dict[str, Any]:
    tags = _tags(account, incoming)
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def tag_resource(account: Account, incoming: Incoming) -> dict[str, Any]:
    given = incoming.body.get("Tags") or []
    checks = Checks()
    checks.tags(given)
    checks.done()
    tags = _tags(account, incoming)
    added = {tag["Key"]: tag["Value"] for tag in given}
    if len(tags | added) > MAX_TAGS:
        raise over_quota("MODEL", incoming.names["resourceArn"], "Too many tags.", "L-TAGS")
    tags.update(added)
    return {}


def untag_resource(account: Account, incoming: Incoming) -> dict[str, Any]:
    tags = _tags(account, incoming)
    for name, key in parse_qsl(incoming.raw_query):
        if name == "tagKeys":
            tags.pop(key, None)
    return {}


PROJECT_CALLS: Mapping[str, Callable[[Account, Incoming], dict[str, Any]]] = {
    "CreateProject": create_project,
    "DescribeProject": describe_project,
    "ListProjects": list_projects,
    "DeleteProject": delete_project,
    "CreateDataset": create_dataset,
    "DescribeDataset": describe_dataset,
    "DeleteDataset": delete_dataset,
    "ListTagsForResource": list_tags,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
}
