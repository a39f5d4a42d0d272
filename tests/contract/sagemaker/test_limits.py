"""Limits of what SageMaker is asked for: those of CreateTrainingJob in AWS's own service
model, field by field; and the connection's options, each at its edge and one past it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.aws_models import service_model
from tests.contract.limits import Case, Text, Values
from tests.contract.sagemaker.service import ARN, HANDLE, recorded
from trainbell.providers.sagemaker.account import AccessKeys
from trainbell.providers.sagemaker.options import SageMakerOptions
from trainbell.providers.sagemaker.parameters import TrainParameters
from trainbell.providers.sagemaker.vendor_models import Created

PATTERNS = {
    r"(arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:[a-z\-]*\/)?"
    r"([a-zA-Z0-9]([a-zA-Z0-9-]){0,62})(?<!-)": (
        # The same without looking back, which our validator cannot.
        r"^(arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:[a-z-]*/)?"
        r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$"
    ),
    r"arn:[\p{Alnum}\-]+:lambda:[\p{Alnum}\-]+:[0-9]{12}:function:.*": (
        r"^arn:[A-Za-z0-9-]+:lambda:[A-Za-z0-9-]+:[0-9]{12}:function:.*$"
    ),
    r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+": (
        r"^arn:aws[a-z-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@_/-]+$"
    ),
    r"(https|s3)://([^/]+)/?(.*)": r"^(https|s3)://[^/]+/?.*$",
    r"[a-zA-Z0-9:/_-]*": r"^[a-zA-Z0-9:/_-]*$",
    r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:training-plan/.*": (
        r"^arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:training-plan/.*$"
    ),
    r"[A-Za-z0-9\.\-_]+": r"^[A-Za-z0-9._-]+$",
    r"(fs-[0-9a-f]{8,})": r"^fs-[0-9a-f]{8,}$",
    r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)": r"^[\w \t.:/=+\-@]*$",
    r"[-0-9a-zA-Z]+": r"^[-0-9a-zA-Z]+$",
    # The length is a limit of its own.
    r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}": r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$",
    r".+": r"^.+$",
    r".*": None,
}
"""AWS's patterns, and how they are written for the validator: from the beginning to the end."""

OWN: Mapping[str, Mapping[str, Any]] = {
    # The service model has none of these: its API reference says them in words.
    "AlgorithmImage": {"least": 1},
    "TrainingInstanceCount": {"least": 1},
    "InstanceGroups": {"least": 1},
    "MaxRuntimeInSeconds": {"most": 28 * 24 * 3600},
    "Seed": {"least": -(2**63), "most": 2**63 - 1},
    # New types appear every month, so only their form is checked.
    "TrainingInstanceType": {"most": 64, "pattern": r"^ml\.[a-z0-9-]+\.[a-z0-9-]+$"},
    # One of the hundred is Trainbell's own. AWS gives the names' pattern to the key alone.
    "TrainingEnvironmentMap": {"most": 99},
}
SCHEMA = TrainParameters.model_json_schema()
LOWER = ("minLength", "minItems", "minimum")
UPPER = ("maxLength", "maxItems", "maxProperties", "maximum")


def plain(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without references, and without the null that a field which may be left out takes."""
    while "$ref" in schema or "anyOf" in schema:
        if "$ref" in schema:
            inner = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
        else:
            inner = next(each for each in schema["anyOf"] if each.get("type") != "null")
        schema = {**inner, **{k: v for k, v in schema.items() if k not in ("$ref", "anyOf")}}
    return schema


def ours(schema: Mapping[str, Any]) -> dict[str, Any]:
    least = next((schema[name] for name in LOWER if name in schema), None)
    most = next((schema[name] for name in UPPER if name in schema), None)
    if "exclusiveMaximum" in schema:
        most = schema["exclusiveMaximum"] - 1
    if "exclusiveMinimum" in schema:
        least = schema["exclusiveMinimum"] + 1
    return {"least": least or 0, "most": most, "pattern": schema.get("pattern")}


def documented(shape: Any, pattern: str | None) -> dict[str, Any]:
    """A pattern that takes no empty text says as much as a least length of 1."""
    said = shape.metadata
    least = said.get("min") or 0
    if least == 1 and pattern is not None and re.fullmatch(pattern, "") is None:
        least = None
    limits = {
        "least": least,
        "most": said.get("max"),
        "pattern": PATTERNS[said["pattern"]] if "pattern" in said else None,
    }
    return {**limits, **OWN.get(shape.name, {})}


def fields(path: str, schema: Mapping[str, Any], shape: Any) -> Iterator[tuple[str, Any, Any]]:
    """Each field of the schema beside its shape in AWS's model."""
    schema = plain(schema)
    yield path, schema, shape
    for name, inner in schema.get("properties", {}).items():
        yield from fields(f"{path}.{name}".lstrip("."), inner, shape.members[name])
    if schema.get("type") == "array":
        yield from fields(f"{path}[]", schema["items"], shape.member)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from fields(f"{path}{{}}", schema["additionalProperties"], shape.value)
        yield from fields(f"{path} keys", schema["propertyNames"], shape.key)


def test_every_field_has_the_limits_of_aws_own_service_model() -> None:
    model = service_model("sagemaker")
    compared = {}
    for path, schema, shape in fields("", SCHEMA, model.shape_for("CreateTrainingJobRequest")):
        told, limits = documented(shape, schema.get("pattern")), ours(schema)
        if told["least"] is None:
            told["least"] = limits["least"] if limits["least"] in (0, 1) else 1
        compared[path] = (limits, told)
    assert len(compared) > 80
    assert {path: pair for path, pair in compared.items() if pair[0] != pair[1]} == {}


KEYS = {"access_key_id": "AKIA", "secret_access_key": "s" * 8}
REGIONS = Values(
    ["us-east-1", "eu-west-12", "abcd-ab-1", "us-gov-west-1", "us-aa-bb-cc-1", f"us-{'a' * 12}-1"],
    [
        "u-east-1",
        "abcde-east-1",
        "us-e-1",
        f"us-{'a' * 13}-1",
        "us-1",
        "us-aa-bb-cc-dd-1",
        "us-east-",
        "us-east-123",
        "~us-east-1",
        "us-~east-1",
        "us-east-1~",
        "us-east-1\n",
        "",
    ],
)
PREFIXES = Values(
    ["", "a-", "Z-", "0-", "ab-", "aZ-", "a0-", "a-b-", "a--b-", "a" * 36 + "-"],
    ["-", "-a-", "a", "~-", "a~-", "~a-", "a-~", "a-\n", "ü-", "a" * 37 + "-"],
)
URLS = Values(
    ["http://a", "https://a", "https://~", "https://a/", "https://a/b?c", "https://" + "a" * 2040],
    [
        "https://",
        "https:///a",
        "https://a b",
        "https://a@b",
        "xhttps://a",
        "httpss://a",
        "https://a/b c",
        "https://a/ ",
        "https://a\n",
        "ftp://a",
        "https://" + "a" * 2041,
    ],
)
ARNS = Values(
    [ARN, "arn:aws:sagemaker:~", "arn:az:sagemaker:x", "arn:09:sagemaker:x", "arn:-:sagemaker:x"],
    [
        "arn::sagemaker:x",
        "arn:AWS:sagemaker:x",
        "arn:~:sagemaker:x",
        "arn:aws:sagemaker:",
        "xarn:aws:sagemaker:x",
        "arn:aws:sagemaker:a b",
        "arn:aws:sagemaker:a\n",
    ],
)
KEY_IDS = Values(
    ["AKIA", "a" * 128, "az_09"], ["aaa", "a" * 129, "~aaaa", "aaaa~", "aa~aa", "aa aa"]
)
LIMITS = [
    Case(SageMakerOptions, {}, "region", REGIONS),
    Case(SageMakerOptions, {}, "name_prefix", PREFIXES),
    Case(SageMakerOptions, {}, "logs_url", URLS),
    Case(Created, {}, "TrainingJobArn", ARNS),
    Case(AccessKeys, KEYS, "access_key_id", KEY_IDS),
    Case(AccessKeys, KEYS, "secret_access_key", Text(8, 512)),
    Case(AccessKeys, KEYS, "session_token", Text(1, 8192)),
]


@pytest.mark.parametrize("case", LIMITS, ids=str)
def test_what_is_within_the_limits_is_taken_and_nothing_else(case: Case) -> None:
    assert case.breaches() == []


@pytest.mark.parametrize(
    ("reason", "code", "exit_code"),
    [
        ("AlgorithmError: , exit code: 137", "AlgorithmError", 137),
        ("E: exit code: 7", "E", 7),
        ("E" * 64 + ": no", "E" * 64, None),
        ("E" * 65 + ": no", None, None),
        (": exit code: ", None, None),
        ("of its own: exit code: 1370", None, None),
        ("exit code: 42.", None, 42),
    ],
)
def test_a_reason_begins_with_its_kind_and_may_name_an_exit_code(
    answering: Any, reason: str, code: str | None, exit_code: int | None
) -> None:
    failed = {"TrainingJobStatus": "Failed", "SecondaryStatus": "Failed", "FailureReason": reason}
    seen = answering(recorded("training_job_completed", **failed)).poll(HANDLE)
    assert (seen.vendor_code, seen.exit_code) == (code, exit_code)
