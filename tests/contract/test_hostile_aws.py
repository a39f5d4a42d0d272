"""No server keeps a call of an AWS client longer than its exchange may take.

The clients are those that the store, the cloud's adapters and the channels use; botocore's own
session bounds the pause between two pieces only, and waits here as long as the server wishes.
"""

from __future__ import annotations

import time
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.builders import FakeClock
from tests.hostile_servers import HOSTILE, MUCH_LONGER, Act, headers_a_byte_at_a_time, serving
from tests.toy_service import NoSecrets
from trainbell.channels.eventbridge.channel import EventBridgeChannel
from trainbell.channels.sns.channel import SnsChannel
from trainbell.cloud.clients import AwsClients
from trainbell.conformance.notices import a_notice
from trainbell.domain.settings import ChannelConfig
from trainbell.errors import NotifyUnavailable, StoreError, StoreUnavailable
from trainbell.extensions.aws_network import BoundedSession, bound
from trainbell.ports import ChannelContext
from trainbell.stores.dynamodb.store import DynamoDBStore

WHOLE = 0.4
ATTEMPTS = 2


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def a_client(url: str) -> Any:
    config = Config(retries={"mode": "standard", "total_max_attempts": ATTEMPTS})
    client = boto3.session.Session().client("dynamodb", endpoint_url=url, config=config)
    bound(client, connect=WHOLE, read=MUCH_LONGER, whole=WHOLE)
    return client


@pytest.mark.parametrize("act", HOSTILE, ids=lambda act: act.__name__)
def test_a_call_of_the_store_ends_in_time_whatever_the_server_does(act: Act) -> None:
    with serving(act) as url:
        store = DynamoDBStore("trainbell", a_client(url))
        begun = time.monotonic()
        with pytest.raises(StoreError):
            store.find_by_hold("name:a")
        took = time.monotonic() - begun
        store.close()
    # Two attempts, a pause of at most a second, and what a busy machine needs.
    assert took < ATTEMPTS * WHOLE + 1 + 2 < MUCH_LONGER


def test_nobody_listening_is_unavailable() -> None:
    with serving(headers_a_byte_at_a_time) as url:
        pass
    with pytest.raises(StoreUnavailable):
        DynamoDBStore("trainbell", a_client(url)).find_by_hold("name:a")


@pytest.mark.parametrize(
    "name", ["dynamodb", "stepfunctions", "scheduler", "secretsmanager", "ssm"]
)
def test_every_client_of_the_cloud_is_bounded(name: str) -> None:
    client = getattr(AwsClients(), name)
    assert isinstance(client._endpoint.http_session, BoundedSession)
    client.close()


@pytest.mark.parametrize(
    "target",
    ["arn:aws:sns:eu-west-1:123456789012:t", "arn:aws:events:eu-west-1:123456789012:event-bus/b"],
)
def test_a_topic_or_bus_that_hangs_is_told_later(
    monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    kind, maker = ("sns", SnsChannel) if ":sns:" in target else ("eventbridge", EventBridgeChannel)
    with serving(headers_a_byte_at_a_time) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        config = ChannelConfig(name=kind, kind=kind, target=target)
        channel: Any = maker(ChannelContext(config=config, secrets=NoSecrets(), clock=FakeClock()))
        client = channel._sns if kind == "sns" else channel._events
        assert isinstance(client._endpoint.http_session, BoundedSession)
        bound(client, connect=WHOLE, read=MUCH_LONGER, whole=WHOLE)
        begun = time.monotonic()
        with pytest.raises(NotifyUnavailable):
            channel.send(a_notice())
        assert time.monotonic() - begun < MUCH_LONGER / 2
        channel.close()
