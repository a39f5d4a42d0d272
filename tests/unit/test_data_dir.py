"""The data directory: private, held by one process, explained in one line."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from trainbell.embedded.data_dir import (
    DataDirInUse,
    default_data_dir,
    is_in_use,
    open_data_dir,
    running_server,
)
from trainbell.errors import ConfigInvalid


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_private_with_a_token_that_stays(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    with open_data_dir(path) as first:
        assert mode(path) == 0o700
        assert mode(path / "owner-token") == 0o600
        assert len(first.token) >= 32
    with open_data_dir(path) as second:
        assert second.token == first.token
    assert sorted(each.name for each in path.iterdir()) == ["lock", "owner-token"]


def test_a_second_one_is_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "data"
    holder = rf"process {os.getpid()}\)$"
    with open_data_dir(path), pytest.raises(DataDirInUse, match=holder), open_data_dir(path):
        pass
    with open_data_dir(path):
        pass


def test_the_running_server_is_found_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "data"
    assert running_server(path) is None
    with open_data_dir(path) as held:
        held.announce("http://127.0.0.1:1")
        found = running_server(path)
        assert found is not None
        assert (found.url, found.pid, found.token) == (
            "http://127.0.0.1:1",
            os.getpid(),
            held.token,
        )
        assert mode(path / "server.json") == 0o600
        held.withdraw()
        held.withdraw()
    assert running_server(path) is None


@pytest.mark.parametrize(
    "note", ["", "{", "[]", '{"url": "x"}', '{"url": "x", "pid": 99999999999999999999}', "\xff"]
)
def test_a_stale_or_broken_note_is_no_server(tmp_path: Path, note: str) -> None:
    path = tmp_path / "data"
    with open_data_dir(path):
        (path / "server.json").write_text(note, encoding="latin-1")
        assert running_server(path) is None


def test_a_note_of_a_dead_process_is_no_server(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    with open_data_dir(tmp_path / "data"):
        note = {"url": "http://127.0.0.1:1", "pid": child}
        (tmp_path / "data" / "server.json").write_text(json.dumps(note))
        assert running_server(tmp_path / "data") is None


def test_a_directory_that_others_can_read_is_refused_unless_it_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.mkdir()
    path.chmod(0o755)
    with open_data_dir(path):
        assert mode(path) == 0o700
    path.chmod(0o750)
    with pytest.raises(ConfigInvalid, match="chmod 700"), open_data_dir(path):
        pass


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data"
    with open_data_dir(path):
        pass
    (path / "owner-token").chmod(0o644)
    with pytest.raises(ConfigInvalid, match="other people"), open_data_dir(path):
        pass
    (path / "owner-token").chmod(0o600)
    (path / "owner-token").write_text("")
    with pytest.raises(ConfigInvalid, match="holds no token"), open_data_dir(path):
        pass


def test_a_file_in_its_place_is_explained(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(ConfigInvalid, match="cannot be used"), open_data_dir(tmp_path / "data"):
        pass


def test_where_it_is_by_default() -> None:
    assert default_data_dir({"TRAINBELL_DATA_DIR": "/srv/t"}) == Path("/srv/t")
    assert default_data_dir({"XDG_DATA_HOME": "/xdg"}) == Path("/xdg/trainbell")
    assert default_data_dir({"XDG_DATA_HOME": "relative"}).name == "trainbell"
    assert default_data_dir({}) == Path.home() / ".local" / "share" / "trainbell"


def test_a_note_of_one_that_does_not_hold_the_directory_is_not_trusted(tmp_path: Path) -> None:
    """Whoever is behind it, such as a later process of the same number, must not get the token."""
    path = tmp_path / "data"
    with open_data_dir(path) as held:
        held.announce("http://127.0.0.1:1")
    note = path / "server.json"
    assert json.loads(note.read_text())["pid"] == os.getpid()  # alive, but it holds no lock
    assert running_server(path) is None

    with open_data_dir(path):
        note.write_text(json.dumps({"url": "http://127.0.0.1:2", "pid": os.getppid()}))
        assert running_server(path) is None


def test_one_that_steps_aside_is_asked_for_its_place(tmp_path: Path) -> None:
    path = tmp_path / "data"
    served = threading.Event()

    def serve() -> None:
        with open_data_dir(path):
            served.set()

    server = threading.Thread(target=serve)
    with open_data_dir(path, steps_aside=True) as waiting:
        assert not waiting.is_asked_for
        with pytest.raises(DataDirInUse), open_data_dir(path, steps_aside=True):
            pass  # Another that only waits does not ask.
        assert not waiting.is_asked_for
        server.start()
        while not waiting.is_asked_for:
            assert not served.is_set()
            time.sleep(0.001)
        with pytest.raises(DataDirInUse), open_data_dir(path, steps_aside=True):
            pass
    assert served.wait(10)
    server.join(10)
    with open_data_dir(path, steps_aside=True) as again:
        assert not again.is_asked_for


def test_a_server_does_not_step_aside(tmp_path: Path) -> None:
    path = tmp_path / "data"
    with open_data_dir(path) as held:
        for steps_aside in (False, True):
            with pytest.raises(DataDirInUse), open_data_dir(path, steps_aside=steps_aside):
                pass
        assert not held.is_asked_for


@pytest.mark.parametrize("steps_aside", [False, True])
def test_somebody_who_only_looks_is_in_nobodys_way(tmp_path: Path, steps_aside: bool) -> None:
    path = tmp_path / "data"
    with open_data_dir(path):
        assert is_in_use(path)
    assert not is_in_use(path)
    looking = (path / "lock").open()
    fcntl.flock(looking, fcntl.LOCK_SH)
    ends = threading.Timer(0.05, looking.close)
    ends.start()
    with open_data_dir(path, steps_aside=steps_aside):
        ends.join()
    assert not is_in_use(tmp_path / "none")
