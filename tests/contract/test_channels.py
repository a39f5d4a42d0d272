"""What every channel promises, on each of them: Slack at a local receiver, AWS's two on moto."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.hooks import HierarchicalEmitter
from moto import mock_aws

from tests.builders import NOON, FakeClock, a_running_job, changed
from tests.open_secrets import OpenSecrets
from trainbell.channels.catalog import FoundChannels
from trainbell.channels.slack.channel import slack_url
from trainbell.conformance import ChannelConformance, ChannelSubject
from trainbell.domain.events import EventType, JobEvent
from trainbell.domain.job import EndReason, Performance, State
from trainbell.domain.settings import ChannelConfig
from trainbell.errors import ConfigInvalid, NotifyRejected, NotifyUnavailable
from trainbell.ports import Channel, ChannelContext, Notice
from trainbell.simulators.slack import SlackAnswer, SlackReceiver

REGION = "eu-central-1"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI-bPxRfiCYEXAMPLEKEY"
SECRET = "hunter2-in-a-parameter"


@pytest.fixture(autouse=True)
def _aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)


@dataclass
class Secrets(OpenSecrets):
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
    """A channel set up for real: `received` are its messages as text; the rest scripts failures."""

    channel: Channel
    another: Callable[[], Channel]
    received: Callable[[], list[str]]
    down: Callable[[], None]
    refuse: Callable[[], None]
    secrets: tuple[str, ...]
    throttle: Callable[[int], None] | None = None


def built(config: ChannelConfig, secret: str = "", **fields: Any) -> Channel:
    given = {"secrets": Secrets(secret), "clock": FakeClock(), **fields}
    return FOUND.spec(config.kind).build(ChannelContext(config=config, **given))


FOUND = FoundChannels(Secrets(), FakeClock())


@contextmanager
def slack() -> Iterator[Receiver]:
    config = ChannelConfig(name="team", kind="slack", secret="env:SLACK")
    made: list[Channel] = []
    with SlackReceiver() as server:

        def another() -> Channel:
            made.append(channel := built(config, server.url, allow_loopback=True))
            return channel

        def received() -> list[str]:
            texts = [json.dumps(message, ensure_ascii=False) for message in server.messages]
            server.messages.clear()
            return texts

        def throttle(seconds: int) -> None:
            server.fail_next(SlackAnswer(429, "rate_limited", {"Retry-After": str(seconds)}))

        yield Receiver(
            another(),
            another,
            received,
            lambda: server.fail_next(SlackAnswer(503, "<html>down</html>")),
            lambda: server.fail_next(SlackAnswer(404, "no_service")),
            (server.url, server.url.rpartition("/")[2]),
            throttle,
        )
        for channel in made:
            channel.close()


def failing(client: Any, error: Exception) -> None:
    """The client's next call fails, before anything is sent."""
    emitter: HierarchicalEmitter = client.meta.events

    def refuse(**_: Any) -> None:
        emitter.unregister("before-call", refuse)
        raise error

    emitter.register("before-call", refuse)


def refusal(code: str, status: int) -> ClientError:
    details: Any = {"Error": {"Code": code, "Message": f"no; your key is {ACCESS_KEY}"}}
    details["ResponseMetadata"] = {"HTTPStatusCode": status}
    return ClientError(details, "Publish")


@contextmanager
def on_aws(make: Callable[[Any], str], kind: str, client: str) -> Iterator[Receiver]:
    with mock_aws():
        sqs = boto3.client("sqs", region_name=REGION)
        queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        target = make(f"arn:aws:sqs:{REGION}:123456789012:inbox")
        made: list[Channel] = []

        def another() -> Channel:
            made.append(channel := built(ChannelConfig(name="team", kind=kind, target=target)))
            return channel

        def received() -> list[str]:
            answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
            return [message["Body"] for message in answer.get("Messages", [])]

        aws = getattr(another(), client)
        yield Receiver(
            made[0],
            another,
            received,
            lambda: failing(aws, ConnectTimeoutError(endpoint_url="https://x.example")),
            lambda: failing(aws, refusal("AuthorizationError", 403)),
            (SECRET_KEY,),
        )
        for channel in made:
            channel.close()
        sqs.close()


def a_topic(queue_arn: str) -> str:
    sns = boto3.client("sns", region_name=REGION)
    topic: str = sns.create_topic(Name="ends")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    return topic


def a_bus(queue_arn: str) -> str:
    events = boto3.client("events", region_name=REGION)
    events.create_event_bus(Name="trainbell")
    pattern = json.dumps({"source": ["trainbell"]})
    events.put_rule(Name="all", EventBusName="trainbell", EventPattern=pattern)
    targets: Any = [{"Id": "1", "Arn": queue_arn}]
    events.put_targets(Rule="all", EventBusName="trainbell", Targets=targets)
    return "trainbell"


RECEIVERS: dict[str, Callable[[], AbstractContextManager[Receiver]]] = {
    "slack": slack,
    "sns": lambda: on_aws(a_topic, "sns", "_sns"),
    "eventbridge": lambda: on_aws(a_bus, "eventbridge", "_events"),
}


# ---------------------------------------------------------------- every channel


@contextmanager
def a_subject(kind: str, **fields: Any) -> Iterator[ChannelSubject]:
    with RECEIVERS[kind]() as receiver:
        yield ChannelSubject(
            spec=FOUND.spec(kind), package=f"trainbell.channels.{kind}", **vars(receiver), **fields
        )


class TestSlack(ChannelConformance):
    @pytest.fixture
    def subject(self) -> Iterator[ChannelSubject]:
        with a_subject("slack", bytes_at_most=50_000) as subject:
            yield subject


class TestSns(ChannelConformance):
    @pytest.fixture
    def subject(self) -> Iterator[ChannelSubject]:
        with a_subject("sns", id_in=lambda text: cloud_event_in("sns", text)["id"]) as subject:
            yield subject


class TestEventBridge(ChannelConformance):
    @pytest.fixture
    def subject(self) -> Iterator[ChannelSubject]:
        def id_in(text: str) -> str:
            return str(cloud_event_in("eventbridge", text)["id"])

        with a_subject("eventbridge", id_in=id_in) as subject:
            yield subject


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
    config = ChannelConfig(name="team", kind="slack", secret="env:SLACK")
    return built(config, url, transport=transport)


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
        slack_url(secret, allow_loopback=False)
    assert "secret-part" not in str(caught.value)


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "example.com", "127.0.0.1.nip.io"])
def test_allowing_loopback_allows_nothing_else(host: str) -> None:
    with pytest.raises(ConfigInvalid):
        slack_url(f"http://{host}/hook", allow_loopback=True)
    assert slack_url("http://127.0.0.1:8000/hook", allow_loopback=True).port == 8000


def test_no_proxy_of_the_environment_sees_a_webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # Where nobody listens.
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    with slack() as receiver:
        receiver.channel.send(a_notice())
        assert len(receiver.received()) == 1
