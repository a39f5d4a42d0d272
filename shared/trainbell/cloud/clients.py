"""AWS clients of one process: made when first used, with limits that fit inside a function's time.

Made by botocore itself: importing boto3, with the file transfers and resources that nobody here
uses, would make a cold start some 20 ms longer. The retries here are botocore's own few, for a
connection that broke; what takes longer is the watcher's to repeat. Each exchange ends in time,
whatever the network does (`extensions.aws_network`).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

from trainbell.extensions.aws_network import bound

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient

ATTEMPTS = 3
EXCHANGE_SECONDS = 4.0
PAUSES_SECONDS = 3.0
"""What botocore's standard mode waits at most between three attempts: 1 s, and 2 s."""

CALL_SECONDS = ATTEMPTS * EXCHANGE_SECONDS + PAUSES_SECONDS
"""Of one call at worst, whatever the network does; tests/infra holds each function's time to it."""

CONFIG = Config(retries={"mode": "standard", "total_max_attempts": ATTEMPTS})


class AwsClients:
    """All from one session, so that credentials and models are loaded once."""

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        client: DynamoDBClient = self._client("dynamodb")
        return client

    @cached_property
    def stepfunctions(self) -> SFNClient:
        client: SFNClient = self._client("stepfunctions")
        return client

    @cached_property
    def scheduler(self) -> EventBridgeSchedulerClient:
        client: EventBridgeSchedulerClient = self._client("scheduler")
        return client

    @cached_property
    def secretsmanager(self) -> SecretsManagerClient:
        client: SecretsManagerClient = self._client("secretsmanager")
        return client

    @cached_property
    def ssm(self) -> SSMClient:
        client: SSMClient = self._client("ssm")
        return client

    @cached_property
    def s3(self) -> Any:
        # Its checksum beside the signature would make a body of pieces of each document.
        return self._client("s3", request_checksum_calculation="when_required")

    @cached_property
    def _session(self) -> botocore.session.Session:
        return botocore.session.get_session()

    def _client(self, service: str, **settings: Any) -> Any:
        config = CONFIG.merge(Config(**settings))
        client = self._session.create_client(service, config=config)
        bound(client, connect=2.0, read=EXCHANGE_SECONDS, whole=EXCHANGE_SECONDS)
        return client
