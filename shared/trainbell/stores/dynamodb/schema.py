"""The version of what a table holds, and how an older table becomes a current one.

One item carries it: a table without that item is of version 1, from before versions were counted.
A migration may run in several processes at once and again after it broke off; each of its writes
must do no harm when it is repeated. It is never edited after its release: a change is a new one at
the end, and what it does must leave a table that the version before can still work with, because a
deployment has functions of both for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from trainbell.domain.order import DEFAULT_PROJECT
from trainbell.domain.settings import ChannelConfig, Schedule
from trainbell.errors import RecordUnreadable, StoreTooNew
from trainbell.stores.codec import load_config
from trainbell.stores.dynamodb.calls import Table, condition, number, placeholders
from trainbell.stores.dynamodb.due import all_items
from trainbell.stores.dynamodb.errors import ConditionFailed
from trainbell.stores.dynamodb.table import (
    JOB_SHARDS,
    PK,
    SK,
    config_key,
    project_key,
    schema_key,
)

FIRST = 1


def migrate(table: Table) -> None:
    """Bring the table to the current version.

    Raises:
        StoreTooNew: it has seen migrations that this Trainbell does not know.
        StoreUnavailable, StoreFull: call again.
    """
    item = table.get(schema_key())
    version = FIRST if item is None else int(item["version"]["N"])
    if version > VERSION:
        raise StoreTooNew(
            f"the table has version {version}, written by a newer Trainbell; this one knows "
            f"{VERSION}: deploy the newer one again"
        )
    for number_before in range(version, VERSION):
        MIGRATIONS[number_before - FIRST](table)
    if version < VERSION:
        _note(table, VERSION)


def _note(table: Table, version: int) -> None:
    """Never downwards: another process may be newer."""
    older = condition("attribute_not_exists(#pk) OR #version < :version", version=number(version))
    try:
        table.put({**schema_key(), "version": number(version)}, older)
    except ConditionFailed:
        return


def _list_projects(table: Table) -> None:
    """An export goes through all projects. Found are those of active jobs, of schedules and of
    channels; one that has only ended jobs is listed with its next job, or named to the export."""
    for name in {DEFAULT_PROJECT, *_projects_of_jobs(table), *_projects_of_settings(table)}:
        table.exchange(project_key(name))


def _projects_of_jobs(table: Table) -> Iterator[str]:
    for item in all_items(table, JOB_SHARDS):
        if "project" in item:
            yield item["project"]["S"]


def _projects_of_settings(table: Table) -> Iterator[str]:
    for kind in (Schedule, ChannelConfig):
        where = "#pk = :pk"
        key = config_key(kind.__name__.lower(), "")
        found = table.query_all(
            KeyConditionExpression=where, **placeholders(where, {"pk": key[PK]})
        )
        for item in found:
            try:
                setting = load_config(kind, item["body"]["S"], item[SK]["S"])
            except RecordUnreadable:
                continue  # Whoever reads it next sets it aside and says so.
            project = getattr(setting, "project", None)
            if project is not None:
                yield str(project)


MIGRATIONS: tuple[Callable[[Table], None], ...] = (_list_projects,)
"""From each version to the next one."""

VERSION = FIRST + len(MIGRATIONS)
