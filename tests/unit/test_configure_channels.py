"""Channels as people set them up: checked whole, no secret in the open, tried for real."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.builders import FakeClock, OneSecret
from tests.toy_service import ToyService, a_trainbell
from trainbell.channels.catalog import FoundChannels
from trainbell.channels.cloud_event import cloud_event
from trainbell.channels.eventbridge.message import bus_entry
from trainbell.channels.sns.message import sns_message
from trainbell.domain.events import EventType
from trainbell.domain.settings import ChannelConfig
from trainbell.errors import Conflict, InputInvalid, NotFound, NotifyRejected
from trainbell.ports import Notice
from trainbell.simulators.slack import SlackAnswer, SlackReceiver
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.settings import configure_channels
from trainbell.use_cases.settings.configure_channels import delete_channel, put_channel

TOPIC = "arn:aws:sns:eu-central-1:123456789012:ends"
SLACK = {"kind": "slack", "secret": "env:SLACK_URL"}


@pytest.fixture
def slack() -> Iterator[SlackReceiver]:
    with SlackReceiver() as receiver:
        yield receiver


@pytest.fixture
def services(tmp_path: Path, slack: SlackReceiver) -> Iterator[Services]:
    clock = FakeClock()
    secrets = OneSecret(slack.url)
    channels: Any = FoundChannels(secrets, clock, topic_arn=TOPIC, allow_loopback=True)
    store = SqliteStore(tmp_path / "jobs.sqlite3")
    yield a_trainbell(store, ToyService(clock), channels=channels)
    channels.close()
    store.close()


def problems(services: Services, name: str, body: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InputInvalid) as refusal:
        put_channel(services, name, body)
    assert services.store.list_config(ChannelConfig).items == ()
    return {problem.path: problem.message for problem in refusal.value.problems}


def test_a_channel_is_made_and_replaced(services: Services) -> None:
    made, is_new = put_channel(services, "team", SLACK)
    assert is_new
    assert made.events == (EventType.JOB_FINISHED,)
    changed, is_new = put_channel(services, "team", {**SLACK, "project": "vision"})
    assert not is_new
    assert changed.created_at == made.created_at
    assert services.store.get_config(ChannelConfig, "team") == changed


def test_all_problems_are_told_at_once(services: Services) -> None:
    body = {
        "kind": "sns",
        "target": "not an arn",
        "secret": "env:X",
        "events": ["JobFinished", "PollFailed", "Rang"],
        "options": {"colour": "red"},
        "colour": "red",
    }
    assert set(problems(services, "Bad Name", body)) == {
        "name",
        "target",
        "secret",
        "events.2",
        "options.colour",
        "colour",
    }
    assert set(problems(services, "team", {**SLACK, "events": ["PollFailed"]})) == {"events.0"}


def test_a_webhook_in_the_open_is_refused_and_not_repeated(services: Services) -> None:
    url = "https://hooks.slack.com/services/T0/B0/the-secret-part"
    for field in ("secret", "target"):
        found = problems(services, "team", {**SLACK, field: url})
        assert set(found) == {field}
        assert "secret-part" not in found[field]


def test_an_unknown_kind_names_those_that_exist(services: Services) -> None:
    assert "eventbridge, slack, sns" in problems(services, "team", {"kind": "pigeon"})["kind"]


@pytest.mark.parametrize("body", [{}, {"kind": 3}, {"kind": "slack", "events": []}])
def test_a_body_of_any_form_is_refused(services: Services, body: dict[str, Any]) -> None:
    assert problems(services, "team", body)


def test_a_test_message_is_really_sent(services: Services, slack: SlackReceiver) -> None:
    put_channel(services, "team", SLACK)
    assert "took the test message" in configure_channels.try_channel(services, "team")
    (message,) = slack.messages
    assert message["text"] == "🔔 A test message from Trainbell"


def test_a_test_is_an_event_of_its_own(tmp_path: Path) -> None:
    """A receiver that acts on `JobFinished` must not act on a test."""
    heard: list[Notice] = []

    class Ear:
        def send(self, notice: Notice) -> None:
            heard.append(notice)

    class Ears(FoundChannels):
        @contextmanager
        def lease(self, config: ChannelConfig) -> Iterator[Any]:
            yield Ear()

    clock = FakeClock()
    store = SqliteStore(tmp_path / "more.sqlite3")
    ears: Any = Ears(OneSecret("x"), clock)
    services = a_trainbell(store, ToyService(clock), channels=ears)
    put_channel(services, "topic", {"kind": "sns", "target": TOPIC})
    configure_channels.try_channel(services, "topic")
    store.close()
    (notice,) = heard
    event = cloud_event(notice)
    assert event["type"] == "ChannelTested"
    assert event["data"]["summary"] == "A test message from Trainbell"
    sent = sns_message(notice, TOPIC)
    assert sent["MessageAttributes"]["type"]["StringValue"] == "ChannelTested"
    assert bus_entry(notice, "jobs")["DetailType"] == "ChannelTested"


def test_nobody_asks_for_test_messages(services: Services) -> None:
    assert set(problems(services, "team", {**SLACK, "events": ["ChannelTested"]})) == {"events.0"}


def test_a_test_shows_what_the_receiver_says(services: Services, slack: SlackReceiver) -> None:
    put_channel(services, "team", SLACK)
    slack.fail_next(SlackAnswer(410, "channel_is_archived"))
    with pytest.raises(NotifyRejected, match="channel_is_archived"):
        configure_channels.try_channel(services, "team")


def test_deleting(services: Services) -> None:
    put_channel(services, "team", SLACK)
    delete_channel(services, "team")
    with pytest.raises(NotFound, match="these exist: trainbell-topic"):
        delete_channel(services, "team")


def test_what_the_installation_brings_cannot_be_changed(services: Services) -> None:
    with pytest.raises(Conflict, match="built in"):
        put_channel(services, "trainbell-topic", SLACK)
    with pytest.raises(Conflict, match="built in"):
        delete_channel(services, "trainbell-topic")
