"""The file of an export: JSON lines that prove that they are whole.

    {"trainbell_export": {"format": 1, "version": …, "made_at": …, "has_moved": …}}
    {"kind": …, "of": …, "body": {…}}          a record a line
    {"unreadable": "job 01…"}                   what the export had to leave out
    {"end": {"lines": …, "sha256": …}}          of all lines before, each byte of them

Read and written as a stream: memory is bounded by the longest line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from trainbell.errors import InputInvalid, Problem

LINE_BYTES_AT_MOST = 8 * 1024 * 1024

_HEAD = "trainbell_export"


class ArchiveWriter:
    """Writes head and lines as they come; `close` writes the end, without which it is no export."""

    def __init__(self, file: BinaryIO, head: Mapping[str, Any]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._lines = 0
        self._write({_HEAD: head})

    def record(self, record: Mapping[str, Any]) -> None:
        self._write(record)

    def unreadable(self, name: str) -> None:
        self._write({"unreadable": name})

    def close(self) -> None:
        self._file.write(_end(self._lines, self._digest.hexdigest()))
        self._file.flush()

    def _write(self, document: Mapping[str, Any]) -> None:
        line = _line(document)
        self._digest.update(line)
        self._lines += 1
        self._file.write(line)


@dataclass(frozen=True, slots=True)
class ArchiveHead:
    """`has_moved`: who made it has let go of its jobs."""

    format: int
    version: str
    made_at: str
    has_moved: bool


@dataclass(frozen=True, slots=True)
class Archive:
    """A file that is known to be whole. `connections` are those that it brings."""

    head: ArchiveHead
    records: int
    connections: frozenset[str]
    unreadable: tuple[str, ...]
    file: BinaryIO

    def each(self) -> Iterator[Mapping[str, Any]]:
        """The records, read anew."""
        self.file.seek(0)
        for line in self.file:
            document = json.loads(line)
            if "kind" in document:
                yield document


def open_archive(file: BinaryIO) -> Archive:
    """Read all of it, and nothing of it counts before its end has proved it whole.

    Raises:
        InputInvalid: no export, cut off, changed, or with more behind its end.
    """
    digest, lines, records = hashlib.sha256(), 0, 0
    head: ArchiveHead | None = None
    connections: set[str] = set()
    unreadable: list[str] = []
    file.seek(0)
    while True:
        line = file.readline(LINE_BYTES_AT_MOST + 1)
        document = _document(line, lines + 1)
        if head is None:
            head = _head(document)
        elif "end" in document:
            if line != _end(lines, digest.hexdigest()) or file.read(1):
                raise _broken("it is not as it was written")
            return Archive(head, records, frozenset(connections), tuple(unreadable), file)
        elif "unreadable" in document:
            unreadable.append(str(document["unreadable"]))
        elif isinstance(document.get("kind"), str):
            records += 1
            if document["kind"] == "connection":
                connections.add(str(document.get("of")))
        else:
            raise _broken(f"line {lines + 1} is no record")
        digest.update(line)
        lines += 1


def _document(line: bytes, number: int) -> Mapping[str, Any]:
    if not line.endswith(b"\n"):
        raise _broken(f"it is cut off in line {number}" if line else "its end is missing")
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _broken(f"line {number} is no JSON") from error
    if not isinstance(document, dict):
        raise _broken(f"line {number} is no JSON object")
    return document


def _head(document: Mapping[str, Any]) -> ArchiveHead:
    head = document.get(_HEAD)
    if not isinstance(head, dict) or not isinstance(head.get("format"), int):
        raise InputInvalid([Problem("file", "is no export of Trainbell")])
    return ArchiveHead(
        format=head["format"],
        version=str(head.get("version", "")),
        made_at=str(head.get("made_at", "")),
        has_moved=head.get("has_moved") is True,
    )


def _end(lines: int, sha256: str) -> bytes:
    return _line({"end": {"lines": lines, "sha256": sha256}})


def _line(document: Mapping[str, Any]) -> bytes:
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"


def _broken(why: str) -> InputInvalid:
    return InputInvalid(
        [Problem("file", f"this export cannot be used, and nothing was done: {why}")]
    )
