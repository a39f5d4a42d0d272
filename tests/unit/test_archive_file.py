"""An export proves that it is whole, or counts for nothing."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainbell.archive_file import ArchiveWriter, open_archive
from trainbell.cli.care import batches
from trainbell.errors import InputInvalid

HEAD = {"format": 1, "version": "1.0", "made_at": "2026-03-02T12:00:00Z", "has_moved": True}
RECORDS = [
    {"kind": "connection", "of": "lab", "body": {"name": "lab"}},
    {"kind": "event", "of": "j", "body": {"message": "Größe\u2028"}},
    {"kind": "job", "of": "j", "body": {"x": [1, None, 1.5]}},
]


def written() -> bytes:
    file = io.BytesIO()
    writer = ArchiveWriter(file, HEAD)
    for record in RECORDS:
        writer.record(record)
    writer.unreadable("job 02")
    writer.close()
    return file.getvalue()


WHOLE = written()


def test_what_is_written_is_read() -> None:
    archive = open_archive(io.BytesIO(WHOLE))
    assert list(archive.each()) == RECORDS
    assert (archive.head.format, archive.head.has_moved) == (1, True)
    assert (archive.records, archive.connections) == (3, frozenset({"lab"}))
    assert archive.unreadable == ("job 02",)


@given(at=st.integers(0, len(WHOLE) - 1), byte=st.integers(0, 255))
def test_one_changed_byte_is_found(at: int, byte: int) -> None:
    changed = WHOLE[:at] + bytes([byte]) + WHOLE[at + 1 :]
    if changed != WHOLE:
        with pytest.raises(InputInvalid):
            open_archive(io.BytesIO(changed))


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_a_file_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(InputInvalid):
        open_archive(io.BytesIO(WHOLE[:length]))


@pytest.mark.parametrize("more", [b"\n", b"x", WHOLE])
def test_what_stands_behind_the_end_is_refused(more: bytes) -> None:
    with pytest.raises(InputInvalid):
        open_archive(io.BytesIO(WHOLE + more))


def test_lines_taken_out_are_missed() -> None:
    lines = WHOLE.splitlines(keepends=True)
    for number in range(len(lines)):
        with pytest.raises(InputInvalid):
            open_archive(io.BytesIO(b"".join(lines[:number] + lines[number + 1 :])))


def test_batches_fit_into_a_body_and_keep_a_job_with_what_is_told_of_it() -> None:
    records = []
    for number in range(400):
        of = str(number)
        records += [{"kind": "event", "of": of, "body": {"text": "x" * 700}}] * 5
        records += [{"kind": "entry", "of": of, "body": {}}] * 2
        records += [{"kind": "job", "of": of, "body": {"text": "x" * (number * 50)}}]
    made = list(batches(iter(records)))
    assert [record for batch in made for record in batch] == records
    assert len(made) > 3
    for batch in made:
        assert len(json.dumps(batch)) < 1_000_000
        assert batch[-1]["kind"] == "job"
