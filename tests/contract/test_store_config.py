"""Connections, channels and schedules in the store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import NOON, a_connection
from trainbell.domain.events import EventType
from trainbell.domain.settings import ChannelConfig, Connection, Schedule
from trainbell.errors import InputInvalid
from trainbell.ports import Store

CHANNEL = ChannelConfig(
    name="team", kind="slack", secret="env:HOOK", events=(EventType.JOB_STARTED,), created_at=NOON
)
SCHEDULE = Schedule(
    name="team",
    expression="cron(0 9 * * 1-5)",
    time_zone="Europe/Berlin",
    job={"provider": "deepva", "tags": {"größe": "訓練"}, "parameters": {"x": [1, 2.5, None]}},
    next_due_at=NOON,
)
CONNECTION = a_connection(name="team", calls_per_minute=12.5, options={"region": "eu"})


def test_records_come_back_as_they_were(store: Store) -> None:
    for record in (CONNECTION, CHANNEL, SCHEDULE):
        assert store.put_config(record)
    assert store.get_config(Connection, "team") == CONNECTION
    assert store.get_config(ChannelConfig, "team") == CHANNEL
    assert store.get_config(Schedule, "team") == SCHEDULE
    assert store.get_config(Schedule, "none") is None


def test_put_replaces(store: Store) -> None:
    assert store.put_config(CONNECTION)
    changed = replace(CONNECTION, base_url="https://example.com", updated_at=NOON)
    assert not store.put_config(changed)
    assert store.get_config(Connection, "team") == changed
    assert store.list_config(Connection).items == (changed,)


def test_kinds_do_not_meet(store: Store) -> None:
    for record in (CONNECTION, CHANNEL, SCHEDULE):
        assert store.put_config(record)
    assert store.delete_config(ChannelConfig, "team")
    assert store.get_config(ChannelConfig, "team") is None
    assert store.get_config(Schedule, "team") == SCHEDULE
    assert store.list_config(Connection).items == (CONNECTION,)


def test_delete_says_whether_there_was_one(store: Store) -> None:
    store.put_config(CONNECTION)
    assert store.delete_config(Connection, "team")
    assert not store.delete_config(Connection, "team")
    assert store.put_config(CONNECTION)


def test_records_come_by_name_in_pages(store: Store) -> None:
    names = [f"team-{number:02d}" for number in range(25)]
    for name in reversed(names):
        store.put_config(a_connection(name=name))
    first = store.list_config(Connection, limit=10)
    store.put_config(a_connection(name="team-00-new"))
    second = store.list_config(Connection, limit=10, cursor=first.next_cursor)
    third = store.list_config(Connection, limit=10, cursor=second.next_cursor)
    found = [record.name for page in (first, second, third) for record in page.items]
    assert found == names
    assert third.next_cursor is None
    assert store.list_config(Connection, limit=26).next_cursor is None
    assert store.list_config(Schedule).items == ()


def test_cursor_of_another_list_is_refused(store: Store) -> None:
    for name in ("a", "b"):
        store.put_config(a_connection(name=name))
    cursor = store.list_config(Connection, limit=1).next_cursor
    assert cursor is not None
    with pytest.raises(InputInvalid) as refusal:
        store.list_config(Schedule, cursor=cursor)
    assert refusal.value.problems[0].path == "cursor"
    with pytest.raises(InputInvalid):
        store.list_config(Connection, cursor="nonsense")
