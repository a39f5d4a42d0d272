"""Puts events on one EventBridge bus."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from trainbell.channels.aws_clients import aws_client
from trainbell.channels.aws_errors import error_of_code, notify_error
from trainbell.channels.eventbridge.message import bus_entry
from trainbell.errors import ConfigInvalid
from trainbell.ports import ChannelContext, Notice


class EventBridgeChannel:
    """The bus by name (in the process's own region) or by ARN (wherever that is)."""

    def __init__(self, context: ChannelContext) -> None:
        if not context.config.target:
            raise ConfigInvalid(f"channel {context.config.name} names no bus")
        self._bus = context.config.target

    def send(self, notice: Notice) -> None:
        """Raises NotifyUnavailable or NotifyRejected."""
        try:
            answer = self._events.put_events(Entries=[bus_entry(notice, self._bus)])
        except (ClientError, BotoCoreError) as exc:
            raise notify_error(exc, "EventBridge") from exc
        # The call succeeds even where its only entry was refused.
        if answer.get("FailedEntryCount"):
            entry = answer["Entries"][0]
            code, message = entry.get("ErrorCode", ""), entry.get("ErrorMessage", "")
            raise error_of_code(code, message, "EventBridge")

    def close(self) -> None:
        if "_events" in self.__dict__:
            self._events.close()

    @cached_property
    def _events(self) -> Any:
        region = self._bus.split(":")[3] if self._bus.startswith("arn:") else None
        return aws_client("events", region)
