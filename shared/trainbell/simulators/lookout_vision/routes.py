"""Which operation a method and a path ask for, and its success status (botocore 1.40.60)."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PROJECT = "projects/{projectName}"
_MODEL = f"{_PROJECT}/models/{{modelVersion}}"
_DATASET = f"{_PROJECT}/datasets/{{datasetType}}"

_ROUTES: tuple[tuple[str, str, str, int], ...] = (
    ("GET", _MODEL, "DescribeModel", 200),
    ("GET", f"{_PROJECT}/models", "ListModels", 200),
    ("GET", "projects", "ListProjects", 200),
    ("GET", _PROJECT, "DescribeProject", 200),
    ("GET", _DATASET, "DescribeDataset", 200),
    ("GET", "tags/{resourceArn}", "ListTagsForResource", 200),
    ("POST", f"{_PROJECT}/models", "CreateModel", 202),
    ("POST", "projects", "CreateProject", 200),
    ("POST", f"{_PROJECT}/datasets", "CreateDataset", 202),
    ("POST", f"{_MODEL}/start", "StartModel", 202),
    ("POST", f"{_MODEL}/stop", "StopModel", 202),
    ("POST", f"{_MODEL}/detect", "DetectAnomalies", 200),
    ("POST", "tags/{resourceArn}", "TagResource", 200),
    ("DELETE", _MODEL, "DeleteModel", 202),
    ("DELETE", _PROJECT, "DeleteProject", 200),
    ("DELETE", _DATASET, "DeleteDataset", 202),
    ("DELETE", "tags/{resourceArn}", "UntagResource", 200),
)


def _compiled(template: str) -> re.Pattern[str]:
    # An ARN holds slashes; it comes quoted, and the path is unquoted when it gets here.
    pattern = template.replace("{resourceArn}", "(?P<resourceArn>.+)")
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]*)", pattern)
    return re.compile(f"/2020-11-20/{pattern}")


_COMPILED = tuple((m, _compiled(template), name, code) for m, template, name, code in _ROUTES)

OPERATIONS = frozenset(name for _, _, name, _ in _ROUTES)


def route(method: str, path: str) -> tuple[str, Mapping[str, str], int] | None:
    """The operation, the names in its path, and the status of its success."""
    for wanted, pattern, operation, status in _COMPILED:
        if wanted == method and (found := pattern.fullmatch(path)):
            return operation, found.groupdict(), status
    return None
