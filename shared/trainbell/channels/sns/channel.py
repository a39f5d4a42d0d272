"""Publishes to one SNS topic."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from trainbell.channels.aws_clients import aws_client
from trainbell.channels.aws_errors import notify_error
from trainbell.channels.sns.message import sns_message
from trainbell.errors import ConfigInvalid
from trainbell.ports import ChannelContext, Notice


class SnsChannel:
    """The topic's region is read from its ARN; the credentials are the process's own."""

    def __init__(self, context: ChannelContext) -> None:
        if not context.config.target:
            raise ConfigInvalid(f"channel {context.config.name} names no topic")
        self._topic_arn = context.config.target

    def send(self, notice: Notice) -> None:
        """Raises NotifyUnavailable or NotifyRejected."""
        try:
            self._sns.publish(**sns_message(notice, self._topic_arn))
        except (ClientError, BotoCoreError) as exc:
            raise notify_error(exc, "SNS") from exc

    def close(self) -> None:
        if "_sns" in self.__dict__:
            self._sns.close()

    @cached_property
    def _sns(self) -> Any:
        region = self._topic_arn.split(":")[3]
        return aws_client("sns", region)
