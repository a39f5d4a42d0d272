"""Drives a simulated Lookout for Vision with Amazon's own client, and prints what it saw as JSON.

Runs in the environment of requirements/vendor-lookout_vision.txt, where Trainbell is not installed:

    python tests/vendor/lookout_vision_session.py URL ACCESS_KEY_ID SECRET_ACCESS_KEY
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

SERVICE: Any = "lookoutvision"  # Type stubs of today's boto3 do not know it.
OUTPUT = {"S3Location": {"Bucket": "lookout-results", "Prefix": "circuits/"}}
PROJECT = "bottles"
ERRORS = (
    "AccessDeniedException",
    "ConflictException",
    "InternalServerException",
    "ResourceNotFoundException",
    "ServiceQuotaExceededException",
    "ThrottlingException",
    "ValidationException",
)


class Session:
    def __init__(self, url: str, key: str, secret: str) -> None:
        self.url = url
        self.key = key
        self.secret = secret
        self.lookout = self.client(secret)
        self.seen: dict[str, Any] = {}

    def client(self, secret: str, region: str = "us-east-1") -> Any:
        return boto3.client(
            SERVICE,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=self.key,
            aws_secret_access_key=secret,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def control(self, what: str, **wish: Any) -> None:
        body = json.dumps(wish).encode()
        urlopen(Request(f"{self.url}/_simulator/{what}", body, method="POST")).close()

    def call(self, step: str, operation: str, client: Any = None, **given: Any) -> dict[str, Any]:
        """Call it, and note the answer, or the error as the client understands it."""
        client = client or self.lookout
        try:
            answer = getattr(client, operation)(**given)
        except ClientError as error:
            seen = {
                "error": type(error).__name__,
                "code": error.response["Error"]["Code"],
                "status": error.response["ResponseMetadata"]["HTTPStatusCode"],
                "message": error.response["Error"].get("Message"),
                **{k: v for k, v in error.response.items() if k not in ("Error", "message")},
            }
        else:
            seen = {**answer, "status": answer["ResponseMetadata"]["HTTPStatusCode"]}
        del seen["ResponseMetadata"]
        self.seen[step] = seen
        return seen

    def prepare(self) -> None:
        model = {"ProjectName": PROJECT, "OutputConfig": OUTPUT}
        self.call("project", "create_project", ProjectName=PROJECT)
        self.call("project again", "create_project", ProjectName=PROJECT)
        self.call("no dataset", "create_model", **model)
        dataset = {"ProjectName": PROJECT, "DatasetType": "train"}
        self.call("dataset", "create_dataset", **dataset)
        self.call("dataset in the making", "create_model", **model)
        self.control("clock", advance=1)
        self.call("dataset made", "describe_dataset", **dataset)

    def train(self) -> None:
        model = {"ProjectName": PROJECT, "OutputConfig": OUTPUT}
        full = {
            **model,
            "Description": "first-run",
            "KmsKeyId": "alias/lookout",
            "Tags": [{"Key": "team", "Value": "quality"}],
            "ClientToken": "token-1",
        }
        self.call("start", "create_model", **full)
        self.call("start again", "create_model", **full)
        self.call("token misused", "create_model", **{**full, "Description": "other"})
        self.call("own token", "create_model", **model)
        self.call("another own token", "create_model", **model)
        self.call("bad description", "create_model", **{**model, "Description": "two words"})
        self.call("no project", "create_model", **{**model, "ProjectName": "nope"})
        first = {"ProjectName": PROJECT, "ModelVersion": "1"}
        self.call("training", "describe_model", **first)
        self.call("delete while training", "delete_model", **first)
        self.control("clock", advance=20)
        self.call("trained", "describe_model", **first)
        self.call("latest", "describe_model", **{**first, "ModelVersion": "latest"})
        pages = self.lookout.get_paginator("list_models").paginate(
            ProjectName=PROJECT, PaginationConfig={"PageSize": 1}
        )
        self.seen["pages"] = [[m["ModelVersion"] for m in page["Models"]] for page in pages]
        self.call("bad page", "list_models", ProjectName=PROJECT, NextToken="AAAA")

    def tag(self) -> None:
        arn = self.seen["start"]["ModelMetadata"]["ModelArn"]
        self.call("tags", "list_tags_for_resource", ResourceArn=arn)
        more = [{"Key": "größe", "Value": "1"}, {"Key": "b c", "Value": ""}]
        self.call("tagged", "tag_resource", ResourceArn=arn, Tags=more)
        self.call("untagged", "untag_resource", ResourceArn=arn, TagKeys=["team", "b c"])
        self.call("tags left", "list_tags_for_resource", ResourceArn=arn)

    def host(self) -> None:
        first = {"ProjectName": PROJECT, "ModelVersion": "1"}
        self.call("hosting", "start_model", MinInferenceUnits=1, **first)
        self.control("clock", advance=5)
        self.call("hosted", "describe_model", **first)
        image = {"Body": b"\xff\xd8\xff", "ContentType": "image/jpeg"}
        self.call("detected", "detect_anomalies", **first, **image)
        self.call("delete while hosted", "delete_model", **first)
        self.call("stopping", "stop_model", **first)
        self.control("clock", advance=5)
        self.call("stopped", "describe_model", **first)

    def clear(self) -> None:
        self.call("project in use", "delete_project", ProjectName=PROJECT)
        for version in ("1", "2", "3"):
            model = {"ProjectName": PROJECT, "ModelVersion": version}
            self.call(f"delete {version}", "delete_model", **model)
        self.call("deleting", "describe_model", **model)
        self.control("clock", advance=5)
        self.call("deleted", "describe_model", **model)
        self.call("delete dataset", "delete_dataset", ProjectName=PROJECT, DatasetType="train")
        self.call("delete project", "delete_project", ProjectName=PROJECT)
        self.call("project gone", "describe_project", ProjectName=PROJECT)

    def fail(self) -> None:
        for code in ERRORS:
            self.control("settings", errors=[{"error": code, "retry_after": "7"}])
            self.call(code, "list_projects")
        self.call("wrong secret", "list_projects", client=self.client("wrong"))
        self.call("wrong region", "list_projects", client=self.client(self.secret, "eu-west-1"))
        self.key = "AKIANOBODY0000000000"
        self.call("unknown key", "list_projects", client=self.client(self.secret))


def main() -> None:
    session = Session(*sys.argv[1:4])
    for act in (
        session.prepare,
        session.train,
        session.tag,
        session.host,
        session.clear,
        session.fail,
    ):
        act()
    json.dump(session.seen, sys.stdout, default=_told)


def _told(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


if __name__ == "__main__":
    main()
