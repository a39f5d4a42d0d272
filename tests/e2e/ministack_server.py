"""AWS on this machine: ministack (https://pypi.org/project/ministack/) as a child process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

REGION = "eu-west-1"
CREDENTIALS: Mapping[str, Any] = {
    "region_name": REGION,
    "aws_access_key_id": "testing",
    "aws_secret_access_key": "testing",
}
"""What a boto3 client of it needs besides `endpoint_url`."""

_READY_SECONDS = 20.0
_STOP_SECONDS = 10.0
_LOG_LINES_SHOWN = 30


@contextmanager
def ministack(
    tmp_path: Path,
    *,
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
    program: Sequence[str] = ("-m", "ministack"),
) -> Iterator[str]:
    """Run a fresh server on loopback; gives its endpoint URL. Keeps nothing after it is stopped.

    `environment` adds settings, and wins. `port`: to come back where an earlier one was.
    `program`: what Python runs instead of ministack itself.

    Raises:
        RuntimeError: it did not become ready; the message ends with its log.
    """
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    log_path = tmp_path / f"ministack-{port}.log"
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *program],
            cwd=tmp_path,
            env=_environment(tmp_path, port) | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, url, log_path)
        yield url
    finally:
        _stop(process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _environment(tmp_path: Path, port: int) -> dict[str, str]:
    # Nothing of the developer's own AWS settings may leak into the run.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return inherited | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_ACCOUNT_CONCURRENCY": "8",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": str(tmp_path),
    }


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log_path: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/_ministack/health", timeout=2.0).is_success:
                return
        time.sleep(0.05)
    tail = log_path.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
    raise RuntimeError("\n".join([f"ministack is not ready at {url}", *tail]))


def _stop(process: subprocess.Popen[bytes]) -> None:
    # The group: its Lambda workers are children of it, and must not outlive it.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
