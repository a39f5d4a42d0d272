"""template.yaml as plain CloudFormation, made without AWS by the translator that SAM uses."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from samtranslator.parser import parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
REGION = "eu-west-1"

# What SAM may add to roles that a function has no role of its own for; ours all have one.
_MANAGED_POLICIES: Mapping[str, str] = {}


def source() -> dict[str, Any]:
    """The template as written, with intrinsic functions in their long form."""
    template: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return template


@cache
def nested(name: str) -> Mapping[str, Any]:
    template: dict[str, Any] = yaml_parse((ROOT / "infra" / name).read_text())
    return template


@cache
def resources() -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = translate(source())["Resources"]
    return found


def translate(template: dict[str, Any]) -> dict[str, Any]:
    """Plain CloudFormation. Local paths become `s3://local/<path>`; the state machine's definition
    is put in as it stands in its file."""
    for resource in template["Resources"].values():
        _localise(resource)
    where = {"AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}
    with mock.patch.dict(os.environ, where):
        translator = Translator(_MANAGED_POLICIES, parser.Parser())
        plain: dict[str, Any] = translator.translate(template, {})
    return plain


def of_type(kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, resource in resources().items():
        if resource["Type"] == kind:
            yield name, resource["Properties"]


def _localise(resource: dict[str, Any]) -> None:
    properties = resource.get("Properties", {})
    match resource["Type"]:
        case "AWS::Serverless::Function":
            properties["CodeUri"] = "s3://local/functions.zip"
        case "AWS::Serverless::LayerVersion":
            properties["ContentUri"] = "s3://local/layer.zip"
        case "AWS::Serverless::StateMachine":
            path = ROOT / properties.pop("DefinitionUri")
            properties["Definition"] = json.loads(path.read_text())
        case "AWS::Serverless::Application":
            properties["Location"] = f"https://local.example/{properties['Location']}"
