"""Files that go between a command and the Trainbell of its machine."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.builders import FakeClock
from trainbell.errors import Conflict
from trainbell.providers.datarobot.handed_files import FOLDER, KEPT_FOR, HandedFiles

NAME = "0123456789abcdef" * 2
Write = Callable[[bytes], object]


@pytest.fixture
def clock() -> FakeClock:
    """Files have the machine's own times."""
    return FakeClock(datetime.now(UTC))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / FOLDER).mkdir()
    return tmp_path / FOLDER


@pytest.fixture
def handed(tmp_path: Path, folder: Path, clock: FakeClock) -> HandedFiles:
    return HandedFiles(str(tmp_path), clock)


def two_pieces(write: Write) -> int:
    write(b"one")
    write(b"two")
    return 6


def test_both_ways(handed: HandedFiles, folder: Path) -> None:
    (folder / NAME).write_bytes(b"given")
    assert handed.given(NAME).read_bytes() == b"given"
    (folder / NAME).unlink()
    assert handed.receive(NAME, two_pieces) == 6
    assert (folder / NAME).read_bytes() == b"onetwo"
    assert (folder / NAME).stat().st_mode & 0o777 == 0o600


def test_in_the_cloud_there_is_no_disk_that_both_know(clock: FakeClock) -> None:
    handed = HandedFiles(None, clock)
    with pytest.raises(Conflict, match="own machine: send them in the call, or with --direct"):
        handed.given(NAME)
    with pytest.raises(Conflict, match="one's own machine"):
        handed.receive(NAME, two_pieces)


@pytest.mark.parametrize("name", ["../trainbell.sqlite3", "/etc/passwd", "x", NAME + "\n", ""])
def test_no_other_name_is_one(handed: HandedFiles, name: str) -> None:
    with pytest.raises(Conflict, match="no name"):
        handed.given(name)


def test_a_link_and_what_is_not_there_are_no_file(handed: HandedFiles, folder: Path) -> None:
    with pytest.raises(Conflict, match="no file"):
        handed.given(NAME)
    (folder / NAME).symlink_to("/etc/hostname")
    with pytest.raises(Conflict, match="no file"):
        handed.given(NAME)


def test_nothing_is_written_over(handed: HandedFiles, folder: Path) -> None:
    (folder / NAME).symlink_to(folder / "elsewhere")
    with pytest.raises(Conflict, match="cannot be kept"):
        handed.receive(NAME, two_pieces)
    assert not (folder / "elsewhere").exists()
    assert (folder / NAME).is_symlink()


def test_half_a_download_is_none(handed: HandedFiles, folder: Path) -> None:
    def breaks_off(write: Write) -> int:
        write(b"half")
        raise OSError(28, os.strerror(28))

    with pytest.raises(Conflict, match="No space left"):
        handed.receive(NAME, breaks_off)
    assert list(folder.iterdir()) == []


def test_the_disk_of_the_jobs_is_never_filled(
    handed: HandedFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**30, 2**30 - 2**20, 2**20))
    with pytest.raises(Conflict, match="fill the disk"):
        handed.receive(NAME, two_pieces)
    assert list(folder.iterdir()) == []


def test_what_a_killed_command_left_behind_goes_after_a_day(
    handed: HandedFiles, folder: Path, clock: FakeClock
) -> None:
    (folder / NAME).write_bytes(b"left")
    assert handed.given(NAME)
    clock.advance(KEPT_FOR.total_seconds() + 60)
    with pytest.raises(Conflict, match="no file"):
        handed.given(NAME)
    assert list(folder.iterdir()) == []
