"""`trainbell export | import`: everything into a file, and out of it into another Trainbell."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from trainbell.archive_file import Archive, ArchiveWriter, open_archive
from trainbell.cli.connecting import find_trainbell
from trainbell.cli.options import UrlOption
from trainbell.cli.output import errors
from trainbell.client import ApiProblem, NotReached, Trainbell
from trainbell.errors import InputInvalid, Problem

FileArgument = Annotated[str, typer.Argument(metavar="FILE|-", help="A file; - is the terminal's.")]

_BATCH_BYTES, _BATCH_BYTES_AT_MOST = 400_000, 900_000
_BATCH_RECORDS, _BATCH_RECORDS_AT_MOST = 250, 500
_PROBLEMS_SHOWN = 100
_TRIES, _WAIT_AT_MOST_SECONDS = 10, 5.0


def export(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE|-", help="A new file; - is standard output.")
    ] = None,
    move: Annotated[
        bool, typer.Option("--move", help="Let go of all jobs: the importer watches them.")
    ] = False,
    take_back: Annotated[
        bool,
        typer.Option("--take-back", help="Undo --move, where nobody has imported the file."),
    ] = False,
    project: Annotated[
        list[str] | None, typer.Option(help="One that is not known to have jobs; repeatable.")
    ] = None,
    url: UrlOption = None,
) -> None:
    """Write everything that is stored into a file: no secrets, only where they are."""
    if take_back == (file is not None) or (take_back and move):
        raise typer.BadParameter("give a FILE, or --take-back alone")
    with find_trainbell(url) as client:
        if take_back:
            errors.print(f"jobs watched here again: {_take_back(client)}", markup=False)
            return
        with _output(str(file)) as output:
            if move:
                client.call("POST", "/v1/departure")
            records, unreadable = _write(client, output, project or [])
    errors.print(f"{records} records", markup=False)
    for name in unreadable:
        errors.print(f"left out, because it cannot be read: {name}", style="red", markup=False)
    if move:
        errors.print(
            "nothing is watched, started or told here any more; import the file elsewhere, or take "
            "everything back with:  trainbell export --take-back",
            markup=False,
        )


def import_(
    file: FileArgument,
    take_over: Annotated[
        bool,
        typer.Option("--take-over", help="Watch its jobs: the Trainbell it is from is gone."),
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep settings that differ here.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace settings that differ here.")
    ] = False,
    url: UrlOption = None,
) -> None:
    """Store all of an export, or nothing. A repeat changes nothing."""
    if keep and replace:
        raise typer.BadParameter("--keep and --replace exclude each other")
    with _input(file) as opened, ExitStack() as stack:
        archive = open_archive(opened)
        client = stack.enter_context(find_trainbell(url))
        arrival = "moved" if archive.head.has_moved else "take_over" if take_over else "copy"
        order = {
            "format": archive.head.format,
            "arrival": arrival,
            "on_difference": "keep" if keep else "replace" if replace else "refuse",
            "connections": sorted(archive.connections),
        }
        _check(client, archive, order)
        stored = sum(_send(client, order, batch)["stored"] for batch in batches(archive.each()))
    errors.print(f"{stored} records stored, {archive.records - stored} were here", markup=False)
    if arrival == "copy":
        errors.print(
            "jobs that have not ended are kept and not watched: the Trainbell that they come from "
            "watches them. Move them with `export --move`; if it is gone: `import --take-over`",
            markup=False,
        )


def batches(records: Iterator[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """As many as one call takes; a job and what is told of it in one of them, if they fit."""
    batch: list[Mapping[str, Any]] = []
    size = 0
    for record in records:
        length = len(json.dumps(record))
        if batch and (size + length > _BATCH_BYTES_AT_MOST or len(batch) >= _BATCH_RECORDS_AT_MOST):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += length
        is_whole = record["kind"] not in ("event", "entry", "token")
        if is_whole and (size >= _BATCH_BYTES or len(batch) >= _BATCH_RECORDS):
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _write(
    client: Trainbell, output: BinaryIO, projects: Sequence[str]
) -> tuple[int, Sequence[str]]:
    writer, position, records = None, None, 0
    unreadable: list[str] = []
    while True:
        asked = {"position": position, "projects": list(projects)}
        page = _patiently(client, "POST", "/v1/export", json=asked)
        if writer is None:
            writer = ArchiveWriter(output, _head(page))
        for record in page["records"]:
            writer.record(record)
        records += len(page["records"])
        for name in page["unreadable"]:
            writer.unreadable(name)
        unreadable += page["unreadable"]
        position = page["next"]
        if position is None:
            writer.close()
            return records, unreadable


def _head(page: Mapping[str, Any]) -> Mapping[str, Any]:
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    return {**{name: page[name] for name in ("format", "version", "has_moved")}, "made_at": made_at}


def _check(client: Trainbell, archive: Archive, order: Mapping[str, Any]) -> None:
    """Every batch, before the first is stored. Raises InputInvalid with the problems of all."""
    problems: list[Problem] = []
    for batch in batches(archive.each()):
        try:
            _send(client, {**order, "check_only": True}, batch)
        except ApiProblem as problem:
            if not problem.errors:
                raise
            problems += [Problem(each["path"], each["message"]) for each in problem.errors]
        if len(problems) >= _PROBLEMS_SHOWN:
            break
    if problems:
        raise InputInvalid(problems[:_PROBLEMS_SHOWN])


def _send(
    client: Trainbell, order: Mapping[str, Any], batch: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    return _patiently(client, "POST", "/v1/import", json={**order, "records": list(batch)})


def _patiently(client: Trainbell, method: str, path: str, **more: Any) -> Mapping[str, Any]:
    """A call that does no harm when it is repeated. Each batch of jobs sets so many watchers going
    that an account may have no function left for the next, for a moment."""
    for attempt in range(_TRIES):
        try:
            return client.call(method, path, **more)
        except (ApiProblem, NotReached) as error:
            if attempt == _TRIES - 1 or not getattr(error, "passes", True):
                raise
        time.sleep(min(_WAIT_AT_MOST_SECONDS, 0.25 * 2.0**attempt))
    raise AssertionError("unreachable: the last try returns or raises")


def _take_back(client: Trainbell) -> int:
    count = 0
    query: dict[str, Any] = {}
    while True:
        back = _patiently(client, "DELETE", "/v1/departure", params=query)
        count += int(back["taken_back"])
        if back["next_project"] is None:
            return count
        query = {"project": back["next_project"], "cursor": back["next_cursor"]}


@contextmanager
def _output(file: str) -> Iterator[BinaryIO]:
    """A private file that stands under its name when it is whole. Never over another one."""
    if file == "-":
        yield sys.stdout.buffer
        return
    path = Path(file)
    if path.exists():
        raise typer.BadParameter(f"{path} is there already", param_hint="FILE")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        os.link(unfinished, path)
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _input(file: str) -> Iterator[BinaryIO]:
    """Standard input is kept in a private file first: it is read more than once."""
    try:
        if file == "-":
            with tempfile.TemporaryFile() as staged:
                shutil.copyfileobj(sys.stdin.buffer, staged)
                yield staged
            return
        with Path(file).open("rb") as opened:
            yield opened
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from error
