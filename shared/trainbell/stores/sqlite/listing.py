"""A `JobQuery` as SQL: filters, order and where the page begins."""

from __future__ import annotations

from typing import Any

from trainbell.ports import JobQuery
from trainbell.stores.cursors import read_cursor, write_cursor
from trainbell.stores.sqlite.database import micros


def select_page(query: JobQuery) -> tuple[str, list[Any]]:
    """The statement for one page and one row more, newest first, as (created_at, id, body).

    Raises:
        InputInvalid: the cursor is not of this query.
    """
    conditions: list[str] = ["project = ?"]
    values: list[Any] = [query.project]
    for condition, value in _filters(query):
        conditions.append(condition)
        values.extend(value)
    if query.cursor is not None:
        conditions.append("(created_at, id) < (?, ?)")
        values.extend(read_cursor(query.cursor, _scope(query), (int, str)))
    statement = (
        "SELECT created_at, id, body FROM jobs"  # noqa: S608 - the conditions are constants
        f" WHERE {' AND '.join(conditions)} ORDER BY created_at DESC, id DESC LIMIT ?"
    )
    return statement, [*values, query.limit + 1]


def cursor_after(query: JobQuery, created_at: int, job_id: str) -> str:
    return write_cursor(_scope(query), (created_at, job_id))


def _filters(query: JobQuery) -> list[tuple[str, list[Any]]]:
    found: list[tuple[str, list[Any]]] = []
    if query.states:
        states = sorted(state.value for state in query.states)
        found.append((f"state IN ({', '.join('?' * len(states))})", [*states]))
    for column in ("provider", "kind", "model", "dataset"):
        value = getattr(query, column)
        if value is not None:
            found.append((f"{column} = ?", [value]))
    if query.tag is not None:
        key, tag_value = query.tag
        matches, values = ("key = ?", [key])
        if tag_value is not None:
            matches, values = ("key = ? AND value = ?", [key, tag_value])
        found.append((f"seq IN (SELECT seq FROM job_tags WHERE {matches})", values))  # noqa: S608
    if query.created_after is not None:
        found.append(("created_at > ?", [micros(query.created_after)]))
    if query.created_before is not None:
        found.append(("created_at < ?", [micros(query.created_before)]))
    return found


def _scope(query: JobQuery) -> str:
    return repr([query.project, *_filters(query)])
