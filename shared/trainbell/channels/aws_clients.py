"""Clients of AWS for channels: one attempt, with a deadline; when to try again is the outbox's."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from trainbell.extensions.aws_network import bound

WHOLE_SECONDS = 15.0
"""Of one exchange."""

_CONFIG = Config(retries={"total_max_attempts": 1})


def aws_client(service: str, region: str | None) -> Any:
    """With the process's own credentials; in its own region where none is given."""
    client: Any = boto3.session.Session().client(service, region_name=region, config=_CONFIG)  # type: ignore[call-overload]
    bound(client, connect=3.0, read=10.0, whole=WHOLE_SECONDS)
    return client
