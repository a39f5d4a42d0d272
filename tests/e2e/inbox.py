"""What the stack's topic or bus tells a subscriber, kept in a queue of the cloud."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from tests.e2e.cloud_stack import Stack

PATIENCE_SECONDS = 20.0

Event = Mapping[str, Any]


class Inbox:
    """Holds every CloudEvent that came in, repeats too, in arrival order."""

    def __init__(self, stack: Stack, queue: str) -> None:
        self._cloud = stack.cloud
        self._queue = queue
        self._received: list[Event] = []
        sqs = self._cloud.client("sqs")
        url = sqs.create_queue(QueueName=queue)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        self._arn: str = attributes["Attributes"]["QueueArn"]

    @classmethod
    def of_topic(cls, stack: Stack) -> Inbox:
        inbox = cls(stack, "topic-messages")
        topic = stack.outputs["TopicArn"]
        sns = stack.cloud.client("sns")
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=inbox._arn)
        return inbox

    @classmethod
    def of_bus(cls, stack: Stack) -> Inbox:
        inbox = cls(stack, "bus-messages")
        events, bus = stack.cloud.client("events"), stack.outputs["BusName"]
        pattern = json.dumps({"source": [{"prefix": ""}]})
        events.put_rule(Name="all", EventBusName=bus, EventPattern=pattern)
        target = {"Id": "queue", "Arn": inbox._arn}
        events.put_targets(Rule="all", EventBusName=bus, Targets=[target])
        return inbox

    def about(self, job_id: str, wanted: set[str]) -> list[Event]:
        """What was told of a job so far; waits until these types are there."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = [event for event in self._received if event["subject"] == job_id]
            types = {event["type"] for event in found}
            if wanted <= types:
                return found
            assert time.monotonic() < deadline, types
            self._receive()

    def everything(self) -> list[Event]:
        """All that came in, once a second has passed in which nothing more did."""
        while self._receive():
            pass
        return list(self._received)

    def _receive(self) -> bool:
        sqs = self._cloud.client("sqs")
        url = sqs.get_queue_url(QueueName=self._queue)["QueueUrl"]
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        messages = answer.get("Messages", ())
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            self._received.append(_cloud_event(json.loads(message["Body"])))
        return bool(messages)


def _cloud_event(body: Mapping[str, Any]) -> Event:
    """The CloudEvent inside what SNS or EventBridge put around it."""
    event: Event = json.loads(body["Message"]) if "Message" in body else body["detail"]
    return event
