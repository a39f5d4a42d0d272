"""Connections, channels and schedules in the store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import NOON, a_connection
from tests.contract.store_builders import at_once, patiently
from trainbell.domain.events import EventType
from trainbell.domain.settings import ChannelConfig, Connection, Schedule
from trainbell.errors import InputInvalid, SettingChanged
from trainbell.ports import NOT_STORED, Store

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


def put_all(store: Store) -> None:
    assert store.put_config(CONNECTION)[1]
    assert store.put_config(CHANNEL)[1]
    assert store.put_config(SCHEDULE)[1]


def test_records_come_back_as_they_were(store: Store) -> None:
    put_all(store)
    assert store.get_config(Connection, "team") == CONNECTION
    assert store.get_config(ChannelConfig, "team") == CHANNEL
    assert store.get_config(Schedule, "team") == SCHEDULE
    assert store.get_config(Schedule, "none") is None


def test_put_replaces(store: Store) -> None:
    assert store.put_config(CONNECTION)[1]
    changed = replace(CONNECTION, base_url="https://example.com", updated_at=NOON)
    assert not store.put_config(changed)[1]
    assert store.get_config(Connection, "team") == changed
    assert store.list_config(Connection).items == (changed,)


def test_kinds_do_not_meet(store: Store) -> None:
    put_all(store)
    assert store.delete_config(ChannelConfig, "team")
    assert store.get_config(ChannelConfig, "team") is None
    assert store.get_config(Schedule, "team") == SCHEDULE
    assert store.list_config(Connection).items == (CONNECTION,)


def test_delete_says_whether_there_was_one(store: Store) -> None:
    store.put_config(CONNECTION)
    assert store.delete_config(Connection, "team")
    assert not store.delete_config(Connection, "team")
    assert store.put_config(CONNECTION)[1]


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


# ---------------------------------------------------------------- nobody's change is lost


def test_each_change_gives_another_revision_and_reading_tells_it(store: Store) -> None:
    first, _ = store.put_config(SCHEDULE)
    second, _ = store.put_config(replace(SCHEDULE, enabled=False))
    assert NOT_STORED not in (first.revision, second.revision)
    assert first.revision != second.revision
    read = store.get_config(Schedule, "team")
    assert read is not None
    assert read.revision == second.revision
    assert store.list_config(Schedule).items[0].revision == second.revision


def test_a_write_that_expects_another_revision_changes_nothing(store: Store) -> None:
    old, _ = store.put_config(SCHEDULE)
    new, _ = store.put_config(replace(SCHEDULE, enabled=False), expected=old.revision)
    for expected in (old.revision, NOT_STORED):
        with pytest.raises(SettingChanged, match="team"):
            store.put_config(replace(SCHEDULE, last_error="late"), expected=expected)
    with pytest.raises(SettingChanged):
        store.delete_config(Schedule, "team", expected=old.revision)
    assert store.get_config(Schedule, "team") == new
    assert store.delete_config(Schedule, "team", expected=new.revision)


def test_what_was_deleted_is_not_brought_back(store: Store) -> None:
    read, _ = store.put_config(SCHEDULE)
    store.delete_config(Schedule, "team")
    with pytest.raises(SettingChanged):
        store.put_config(read, expected=read.revision)
    assert store.get_config(Schedule, "team") is None
    store.put_config(replace(read, expression="rate(1 day)"), expected=NOT_STORED)
    with pytest.raises(SettingChanged):
        store.put_config(read, expected=read.revision)


def test_of_many_who_read_the_same_one_writes(store: Store) -> None:
    read, _ = store.put_config(SCHEDULE)

    def write(number: int) -> bool:
        changed = replace(SCHEDULE, last_error=str(number))
        try:
            patiently(lambda: store.put_config(changed, expected=read.revision))
        except SettingChanged:
            return False
        return True

    assert at_once(8, write).count(True) == 1
