"""Whatever an import is given, it says what is wrong, or stores what can be worked with."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import FakeClock, a_caller
from tests.toy_service import ToyService, a_trainbell
from trainbell.domain.settings import Connection, Retention, Schedule
from trainbell.ports import JobQuery
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.care.export_records import export_records
from trainbell.use_cases.care.import_records import (
    Arrival,
    ImportOrder,
    ImportReport,
    import_records,
)
from trainbell.use_cases.care.records import Record
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.telling.publish_changes import publish_changes

MEMORY = Path("/dev/shm")
LEAVES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 10**30, 1.5, "", "x", "\0", "2026-03-02T12:00:00", [], {}, "lost", "queued"]
)


def fresh(directory: str, name: str) -> Services:
    store = SqliteStore(Path(directory) / name)
    return a_trainbell(store, ToyService(FakeClock()))


def exported() -> list[Record]:
    with tempfile.TemporaryDirectory() as directory:
        services = fresh(directory, "a")
        services.store.put_config(Connection(name="lab", provider="toy", secret="env:KEY"))
        services.store.put_config(Schedule(name="nightly", expression="rate(1 days)", job={}))
        services.store.put_config(Retention(name="default", days=3))
        body = {"provider": "toy", "parameters": {"epochs": 3}, "name": "n", "when_busy": "wait"}
        job, _ = request_job(services, body, by=a_caller(), idempotency_key="k")
        advance_job(services, job.id)
        page = export_records(services)
        services.store.close()
    return page.records


RECORDS = exported()


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from leaves(value[key], (*path, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from leaves(each, (*path, number))


@st.composite
def spoilt(draw: Callable[[Any], Any]) -> list[Record]:
    records = [record.model_dump() for record in RECORDS]
    for _ in range(draw(st.integers(1, 3))):
        number = draw(st.integers(0, len(records) - 1))
        body = json.loads(json.dumps(records[number]["body"]))
        path = draw(st.sampled_from(sorted(leaves(body), key=str)))
        inside = body
        for step in path[:-1]:
            inside = inside[step] if isinstance(inside, (dict, list)) else {}
        inside[path[-1]] = draw(LEAVES)
        records[number]["body"] = body
    return [Record.model_validate(record) for record in records]


def take_in(services: Services, records: list[Record]) -> ImportReport:
    return import_records(services, ImportOrder(records=records, arrival=Arrival.MOVED))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records=spoilt())
def test_spoilt_records_are_refused_or_can_be_worked_with(records: list[Record]) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as directory:
        services = fresh(directory, "b")
        report = take_in(services, records)
        if report.problems:
            assert not services.store.projects()
        else:
            for project in services.store.projects():
                for job in services.store.list(JobQuery(project=project)).items:
                    advance_job(services, job.id)
            publish_changes(services)
            assert services.store.unreadable() == {}
        services.store.close()


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("retention", {"days": 0}, "days"),
        ("schedule", {"expression": "now and then"}, "expression"),
        ("job", {"state": "succeeded"}, "contradict"),
        ("job", {"created_at": "2026-03-02T12:00:00"}, "zone"),
        ("job", {"id": "../../etc"}, "the record is of"),
        ("event", {"job_id": "another"}, "the record is of"),
    ],
)
def test_each_is_told_what_is_wrong(kind: str, fields: dict[str, Any], words: str) -> None:
    records = [
        each.model_copy(update={"body": {**each.body, **fields}}) if each.kind == kind else each
        for each in RECORDS
    ]
    with tempfile.TemporaryDirectory() as directory:
        services = fresh(directory, "c")
        found = take_in(services, records).problems
        told = " ".join(f"{each.path}: {each.message}" for each in found)
        assert words in told
        assert not services.store.projects()
        services.store.close()


def test_a_kind_that_nobody_knows_is_refused() -> None:
    with tempfile.TemporaryDirectory() as directory:
        services = fresh(directory, "d")
        report = take_in(services, [Record(kind="member", of="ada", body={})])
        assert "no records of the kind 'member'" in report.problems[0].message
        services.store.close()
