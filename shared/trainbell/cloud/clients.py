"""AWS clients of one process: made when first used, with limits that fit inside a function's time.

The retries here are botocore's own few, for a connection that broke; what takes longer is the
watcher's to repeat.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient

CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
)
"""At worst 3 x (2 + 5) seconds and two short pauses: one call fits into every function's time."""


class AwsClients:
    """All from one session, so that credentials and models are loaded once."""

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session()

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self._session.client("dynamodb", config=CONFIG)

    @cached_property
    def stepfunctions(self) -> SFNClient:
        return self._session.client("stepfunctions", config=CONFIG)

    @cached_property
    def scheduler(self) -> EventBridgeSchedulerClient:
        return self._session.client("scheduler", config=CONFIG)

    @cached_property
    def secretsmanager(self) -> SecretsManagerClient:
        return self._session.client("secretsmanager", config=CONFIG)

    @cached_property
    def ssm(self) -> SSMClient:
        return self._session.client("ssm", config=CONFIG)
