"""What every channel promises, on each of them: Slack at a local receiver, AWS's two on moto."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.hooks import HierarchicalEmitter
from moto import mock_aws

from tests.builders import NOON, FakeClock, a_running_job, changed
from trainbell.channels.catalog import FoundChannels
from trainbell.channels.slack.channel import webhook_url
from trainbell.domain.events import EventType, JobEvent
from trainbell.domain.job import EndReason, Performance, State
from trainbell.domain.settings import ChannelConfig
from trainbell.errors import ConfigInvalid, NotFound, NotifyRejected, NotifyUnavailable
from trainbell.ports import Channel, Notice
from trainbell.simulators.slack import Answer, SlackReceiver

REGION = "eu-central-1"
SECRET = "hunter2-in-a-parameter"


@pytest.fixture(autouse=True)
def _aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@dataclass
class Secrets:
    url: str = ""

    def read(self, reference: str) -> str:
        return self.url


def a_notice(**fields: Any) -> Notice:
    job = changed(
        a_running_job(parameters={"api_key": SECRET, "epochs": 3}),
        **{"state": State.SUCCEEDED, "end_reason": EndReason.COMPLETED, "ended_at": NOON, **fields},
    )
    event = JobEvent(
        job_id=job.id, sequence=7, type=EventType.JOB_FINISHED, at=NOON, state=job.state
    )
    return Notice(id=f"{event.id}:team", event=event, job=job, url="https://trainbell.example/j")


@dataclass
class Receiver:
    """A channel set up for real: `received` are its messages as text; `fail` scripts failures."""

    channel: Channel
    received: Callable[[], list[str]]
    fail_for_now: Callable[[], None]
    fail_for_good: Callable[[], None]


@contextmanager
def slack() -> Iterator[Receiver]:
    with SlackReceiver() as server:
        channels = FoundChannels(Secrets(server.url), FakeClock(), allow_loopback=True)
        config = ChannelConfig(name="team", kind="slack", secret="env:SLACK")
        yield Receiver(
            channels.client(config),
            lambda: [json.dumps(message) for message in server.messages],
            lambda: server.fail_next(Answer(503, "<html>down</html>")),
            lambda: server.fail_next(Answer(404, "no_service")),
        )
        channels.close()


def failing(client: Any, error: Exception) -> None:
    """The client's next call fails, before anything is sent."""
    emitter: HierarchicalEmitter = client.meta.events

    def refuse(**_: Any) -> None:
        emitter.unregister("before-call", refuse)
        raise error

    emitter.register("before-call", refuse)


def refusal(code: str, status: int) -> ClientError:
    details: Any = {"Error": {"Code": code, "Message": "no"}}
    details["ResponseMetadata"] = {"HTTPStatusCode": status}
    return ClientError(details, "Publish")


@contextmanager
def on_aws(make: Callable[[Any], str], kind: str, client: str) -> Iterator[Receiver]:
    with mock_aws():
        sqs = boto3.client("sqs", region_name=REGION)
        queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        target = make(f"arn:aws:sqs:{REGION}:123456789012:inbox")
        channels = FoundChannels(Secrets(), FakeClock())
        channel = channels.client(ChannelConfig(name="team", kind=kind, target=target))

        def received() -> list[str]:
            answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
            return [message["Body"] for message in answer.get("Messages", [])]

        aws = getattr(channel, client)
        yield Receiver(
            channel,
            received,
            lambda: failing(aws, ConnectTimeoutError(endpoint_url="https://x.example")),
            lambda: failing(aws, refusal("AuthorizationError", 403)),
        )
        channels.close()
        sqs.close()


def a_topic(queue_arn: str) -> str:
    sns = boto3.client("sns", region_name=REGION)
    topic: str = sns.create_topic(Name="ends")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    return topic


def a_bus(queue_arn: str) -> str:
    events = boto3.client("events", region_name=REGION)
    events.create_event_bus(Name="trainbell")
    pattern = json.dumps({"source": ["trainbell"], "detail-type": ["JobFinished"]})
    events.put_rule(Name="all", EventBusName="trainbell", EventPattern=pattern)
    targets: Any = [{"Id": "1", "Arn": queue_arn}]
    events.put_targets(Rule="all", EventBusName="trainbell", Targets=targets)
    return "trainbell"


RECEIVERS: dict[str, Callable[[], AbstractContextManager[Receiver]]] = {
    "slack": slack,
    "sns": lambda: on_aws(a_topic, "sns", "_sns"),
    "eventbridge": lambda: on_aws(a_bus, "eventbridge", "_events"),
}


@pytest.fixture(params=RECEIVERS)
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    with RECEIVERS[request.param]() as made:
        yield made


# ---------------------------------------------------------------- every channel


def test_it_tells(receiver: Receiver) -> None:
    receiver.channel.send(a_notice())
    (message,) = receiver.received()
    assert "succeeded" in message


def test_no_secret_of_a_job_goes_out(receiver: Receiver) -> None:
    receiver.channel.send(a_notice(message=f"used token={SECRET}", state=State.FAILED))
    (message,) = receiver.received()
    assert SECRET not in message


def test_what_passes_by_itself_is_unavailable_and_then_works(receiver: Receiver) -> None:
    receiver.fail_for_now()
    with pytest.raises(NotifyUnavailable):
        receiver.channel.send(a_notice())
    assert receiver.received() == []
    receiver.channel.send(a_notice())
    assert len(receiver.received()) == 1


def test_what_asks_for_a_person_is_rejected(receiver: Receiver) -> None:
    receiver.fail_for_good()
    with pytest.raises(NotifyRejected):
        receiver.channel.send(a_notice())
    assert receiver.received() == []


def test_the_largest_job_is_told_within_the_receivers_bounds(receiver: Receiver) -> None:
    curve = tuple({"epoch": float(n), "loss": 1 / (n + 1)} for n in range(20_000))
    tags = {f"tag-{n}": {"accuracy": 0.5} for n in range(5000)}
    big = a_notice(
        message="ü" * 100_000,
        parameters={"text": "x" * 200_000},
        performance=Performance(metrics={"accuracy": 0.9}, curve=curve, per_tag=tags),
    )
    receiver.channel.send(big)
    (message,) = receiver.received()
    assert len(message.encode()) < 256 * 1024
    assert "accuracy" in message


# ---------------------------------------------------------------- machines: the CloudEvent


@pytest.mark.parametrize("kind", ["sns", "eventbridge"])
def test_a_repeat_has_the_same_id(kind: str) -> None:
    with RECEIVERS[kind]() as receiver:
        receiver.channel.send(a_notice())
        receiver.channel.send(a_notice())
        first, second = (cloud_event_in(kind, text) for text in receiver.received())
    assert first == second
    assert {name: first[name] for name in ("specversion", "id", "source", "type", "subject")} == {
        "specversion": "1.0",
        "id": a_notice().event.id,
        "source": "trainbell",
        "type": "JobFinished",
        "subject": a_notice().job.id,
    }
    assert first["time"] == "2026-03-02T12:00:00Z"
    assert first["data"]["job"]["state"] == "succeeded"
    assert first["data"]["job"]["parameters"] == {"api_key": "***", "epochs": 3}


@pytest.mark.parametrize("kind", ["sns", "eventbridge"])
def test_what_does_not_fit_is_named(kind: str) -> None:
    curve = tuple({"epoch": float(n), "loss": 0.25} for n in range(20_000))
    performance = Performance(metrics={"accuracy": 0.9}, curve=curve)
    with RECEIVERS[kind]() as receiver:
        receiver.channel.send(a_notice(performance=performance))
        (message,) = receiver.received()
    data = cloud_event_in(kind, message)["data"]
    assert data["trimmed"] == ["job.performance.curve"]
    assert data["job"]["performance"]["metrics"] == {"accuracy": 0.9}


def cloud_event_in(kind: str, body: str) -> dict[str, Any]:
    envelope = json.loads(body)
    event = json.loads(envelope["Message"]) if kind == "sns" else envelope["detail"]
    assert isinstance(event, dict)
    return event


def test_sns_subscribers_can_filter_and_read() -> None:
    with RECEIVERS["sns"]() as receiver:
        receiver.channel.send(a_notice(name="Größe"))
        envelope = json.loads(receiver.received()[0])
    assert envelope["Subject"] == "Trainbell: Gr??e succeeded after 0 s"
    values = {name: each["Value"] for name, each in envelope["MessageAttributes"].items()}
    assert values == {
        "type": "JobFinished",
        "project": "default",
        "provider": "deepva",
        "kind": "train",
        "state": "succeeded",
        "end_reason": "completed",
    }


def test_a_fifo_topic_drops_the_repeat() -> None:
    def a_fifo_topic(_: str) -> str:
        sqs = boto3.client("sqs", region_name=REGION)
        sqs.create_queue(QueueName="inbox.fifo", Attributes={"FifoQueue": "true"})
        sns = boto3.client("sns", region_name=REGION)
        topic: str = sns.create_topic(Name="ends.fifo", Attributes={"FifoTopic": "true"})[
            "TopicArn"
        ]
        arn = f"arn:aws:sqs:{REGION}:123456789012:inbox.fifo"
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return topic

    with on_aws(a_fifo_topic, "sns", "_sns") as receiver:
        receiver.channel.send(a_notice())
        receiver.channel.send(a_notice())
        sqs = boto3.client("sqs", region_name=REGION)
        queue = sqs.get_queue_url(QueueName="inbox.fifo")["QueueUrl"]
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    assert len(answer["Messages"]) == 1


def test_an_entry_that_the_bus_refuses_is_an_error_though_the_call_succeeds() -> None:
    answers = [
        {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]},
        {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "NotAuthorizedForSourceException"}]},
    ]
    with RECEIVERS["eventbridge"]() as receiver:
        emitter = vars(receiver.channel)["_events"].meta.events

        def answer(**_: Any) -> tuple[Any, Any]:
            class Ok:
                status_code = 200

            return Ok(), answers.pop(0)

        emitter.register("before-call.events.PutEvents", answer)
        with pytest.raises(NotifyUnavailable):
            receiver.channel.send(a_notice())
        with pytest.raises(NotifyRejected):
            receiver.channel.send(a_notice())


# ---------------------------------------------------------------- Slack's own answers


def slack_answering(reply: Callable[[httpx.Request], httpx.Response], url: str) -> Channel:
    transport = httpx.MockTransport(reply)
    channels = FoundChannels(Secrets(url), FakeClock(), transport=transport)
    return channels.client(ChannelConfig(name="team", kind="slack", secret="env:SLACK"))


WEBHOOK = "https://hooks.slack.com/services/T0/B0/the-secret-part"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, "invalid_payload", NotifyRejected),
        (403, "action_prohibited", NotifyRejected),
        (404, "channel_not_found", NotifyRejected),
        (410, "channel_is_archived", NotifyRejected),
        (302, "", NotifyRejected),
        (429, "rate_limited", NotifyUnavailable),
        (500, "rollup_error", NotifyUnavailable),
        (503, "<html>", NotifyUnavailable),
    ],
)
def test_each_answer_has_its_permanence_and_no_error_holds_the_webhook(
    status: int, body: str, error: type[Exception]
) -> None:
    headers = {"Location": WEBHOOK, "Retry-After": "30"}
    channel = slack_answering(lambda _: httpx.Response(status, text=body, headers=headers), WEBHOOK)
    with pytest.raises(error) as caught:
        channel.send(a_notice())
    assert "secret-part" not in repr(caught.value)
    if status == 429:
        assert isinstance(caught.value, NotifyUnavailable)
        assert caught.value.retry_after_seconds == 30.0
    channel.close()


@pytest.mark.parametrize(
    "cause", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError]
)
def test_no_answer_is_unavailable_and_keeps_no_trace_of_the_webhook(
    cause: type[httpx.TransportError],
) -> None:
    def lose(request: httpx.Request) -> httpx.Response:
        raise cause(f"lost {request.url}", request=request)

    channel = slack_answering(lose, WEBHOOK)
    with pytest.raises(NotifyUnavailable) as caught:
        channel.send(a_notice())
    assert "secret-part" not in str(caught.value)
    assert caught.value.__cause__ is None
    channel.close()


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    read = []

    def endless() -> Iterator[bytes]:
        for n in range(1000):
            read.append(n)
            yield b"x" * 1024

    channel = slack_answering(lambda _: httpx.Response(500, content=endless()), WEBHOOK)
    with pytest.raises(NotifyUnavailable):
        channel.send(a_notice())
    assert len(read) < 5
    channel.close()


@pytest.mark.parametrize(
    "secret",
    [
        "http://hooks.slack.com/services/T0/B0/the-secret-part",
        "https://hooks.slack.com.evil.example/the-secret-part",
        "https://hooks.slack.com:8443/the-secret-part",
        "https://user@hooks.slack.com/the-secret-part",
        "https://169.254.169.254/latest/the-secret-part",
        "http://127.0.0.1:9001/the-secret-part",
        "http://[::1]/the-secret-part",
        "http://localhost/the-secret-part",
        "file:///the-secret-part",
        "the-secret-part",
        "http://[broken/the-secret-part",
        "",
    ],
)
def test_a_secret_that_is_no_webhook_is_never_called(secret: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        webhook_url(secret, allow_loopback=False)
    assert "secret-part" not in str(caught.value)


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "example.com", "127.0.0.1.nip.io"])
def test_allowing_loopback_allows_nothing_else(host: str) -> None:
    with pytest.raises(ConfigInvalid):
        webhook_url(f"http://{host}/hook", allow_loopback=True)
    assert webhook_url("http://127.0.0.1:8000/hook", allow_loopback=True).port == 8000


# ---------------------------------------------------------------- the catalog


def test_kinds_are_found_by_name() -> None:
    channels = FoundChannels(Secrets(), FakeClock())
    assert {"slack", "sns", "eventbridge"} <= set(channels.names())
    assert all(channels.spec(name).name == name for name in channels.names())
    with pytest.raises(NotFound, match="eventbridge, slack, sns"):
        channels.spec("pigeon")


def test_a_client_is_kept_until_its_settings_change() -> None:
    channels = FoundChannels(Secrets(), FakeClock())
    config = ChannelConfig(name="team", kind="slack", secret="env:A")
    first = channels.client(config)
    assert channels.client(replace(config, updated_at=NOON)) is first
    assert channels.client(replace(config, secret="env:B")) is not first
    channels.close()


def test_the_installation_brings_its_topic_and_bus() -> None:
    topic = f"arn:aws:sns:{REGION}:123456789012:ends"
    brought = FoundChannels(Secrets(), FakeClock(), topic_arn=topic, bus_name="bus").built_in()
    assert [(channel.kind, channel.target) for channel in brought] == [
        ("sns", topic),
        ("eventbridge", "bus"),
    ]
    assert brought[0].events == (EventType.JOB_FINISHED,)
    assert FoundChannels(Secrets(), FakeClock()).built_in() == []
