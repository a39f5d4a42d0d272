"""`trainbell up` as a process: its port, its directory, its end."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from trainbell.embedded.data_dir import RunningServer, running_server
from trainbell.embedded.instance import EmbeddedInstance
from trainbell.embedded.server import Listener
from trainbell.errors import ConfigInvalid

pytestmark = pytest.mark.e2e

PATIENCE_SECONDS = 20
UP = (
    "import sys; from pathlib import Path; from trainbell.embedded.up import run_up; "
    "sys.exit(run_up(Path(sys.argv[1]), port=int(sys.argv[2])))"
)


def command(data_dir: Path, port: int = 0) -> Sequence[str]:
    return [sys.executable, "-c", UP, str(data_dir), str(port)]


@contextmanager
def up(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], RunningServer]]:
    process = subprocess.Popen(command(data_dir), stderr=subprocess.PIPE, text=True)
    with ExitStack() as stack:
        stack.callback(process.stderr.close)  # type: ignore[union-attr]  # it is a pipe
        stack.callback(process.wait)
        stack.callback(process.kill)
        assert process.stderr is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stderr, selectors.EVENT_READ)
            assert selector.select(PATIENCE_SECONDS), "it does not come up"
        assert "is up at" in process.stderr.readline()
        server = running_server(data_dir)
        assert server is not None
        yield process, server


def get(server: RunningServer, path: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {server.token}"}
    return httpx.get(server.url + path, headers=headers, trust_env=False)


def refused(data_dir: Path, port: int = 0) -> tuple[int, list[str]]:
    ended = subprocess.run(
        command(data_dir, port),
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    return ended.returncode, ended.stderr.splitlines()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    data_dir = tmp_path / "data"
    with up(data_dir) as (process, server):
        assert server.pid == process.pid
        assert get(server, "/v1/health").json()["status"] == "ok"
        with httpx.Client(trust_env=False) as idle:  # A connection kept alive must not hold it up.
            assert idle.get(server.url + "/v1/health").status_code == 401
            process.send_signal(number)
            assert process.wait(PATIENCE_SECONDS) == 0
    assert running_server(data_dir) is None
    assert not (data_dir / "server.json").exists()
    with up(data_dir) as (_, again):
        assert again.token == server.token


def test_a_second_one_on_the_same_directory_says_so_in_one_line(tmp_path: Path) -> None:
    with up(tmp_path / "data") as (process, server):
        code, lines = refused(tmp_path / "data")
        assert code == 2
        assert len(lines) == 1
        assert f"in use by another Trainbell (process {process.pid})" in lines[0]
        assert get(server, "/v1/health").status_code == 200


def test_a_killed_one_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    with up(tmp_path / "data") as (process, _):
        process.kill()
        process.wait(PATIENCE_SECONDS)
        assert running_server(tmp_path / "data") is None
    with up(tmp_path / "data") as (_, server):
        assert get(server, "/v1/jobs").json()["items"] == []


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, lines = refused(tmp_path / "data", port)
    assert code == 2
    assert len(lines) == 1
    assert f"port {port} of 127.0.0.1 is in use" in lines[0]


def test_a_directory_that_cannot_be_made_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, lines = refused(tmp_path / "file" / "data")
    assert (code, len(lines)) == (2, 1)
    assert "cannot be used: Not a directory" in lines[0]


def test_an_address_of_other_machines_needs_permission() -> None:
    with pytest.raises(ConfigInvalid, match="--allow-remote"):
        Listener("0.0.0.0", 0)
    listener = Listener("0.0.0.0", 0, allow_remote=True)
    listener.close()
    assert listener.url == f"http://127.0.0.1:{listener.port}"
    assert socket.gethostname() in listener.host_names


def test_an_instance_in_this_process_answers_and_lets_go(tmp_path: Path) -> None:
    for _ in range(2):
        with EmbeddedInstance(tmp_path / "data", port=0) as instance:
            server = RunningServer(instance.url, os.getpid(), instance.token)
            assert get(server, "/v1/whoami").json() == {
                "by": "owner",
                "kind": "owner",
                "rights": ["configure", "operate", "see"],
                "engine": "embedded",
            }
            assert httpx.get(instance.url + "/v1/health", trust_env=False).status_code == 401
        with pytest.raises(httpx.ConnectError):
            get(server, "/v1/whoami")


def test_a_large_body_is_refused_before_it_is_read_whole(tmp_path: Path) -> None:
    with EmbeddedInstance(tmp_path / "data", port=0) as instance:
        address = ("127.0.0.1", int(instance.url.rpartition(":")[2]))
        with socket.create_connection(address, timeout=PATIENCE_SECONDS) as wire:
            head = "POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999999999\r\n"
            wire.sendall(f"{head}Authorization: Bearer {instance.token}\r\n\r\n".encode())
            assert wire.recv(4096).startswith(b"HTTP/1.1 413 ")
