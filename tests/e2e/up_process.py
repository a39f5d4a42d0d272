"""`trainbell up` as a process of its own, on one port and one directory, that can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from trainbell.client import Trainbell
from trainbell.embedded.data_dir import running_server
from trainbell.simulators.server import listening

TRAINBELL = Path(sys.executable).with_name("trainbell")
READY_SECONDS = 20.0
END_SECONDS = 15.0


class UpProcess:
    """Runs inside `with`. The data directory is `<directory>/data`, what it says `<directory>/log`.

    The port stays the same, so that a client which only knows the URL finds it again.
    """

    def __init__(self, directory: Path, environment: Mapping[str, str] | None = None) -> None:
        self.data_dir = directory / "data"
        self.log = directory / "log"
        self.environment = {
            **os.environ,
            **(environment or {}),
            "TRAINBELL_DATA_DIR": str(self.data_dir),
        }
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> UpProcess:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """The owner's; it stays the same."""
        return (self.data_dir / "owner-token").read_text().strip()

    @property
    def said(self) -> str:
        return self.log.read_text()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def client(self) -> Trainbell:
        server = running_server(self.data_dir)
        assert server is not None
        return Trainbell(server.url, token=server.token)

    def start(self) -> None:
        """Returns when it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [TRAINBELL, "up", "--port", str(self.port)],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + READY_SECONDS
        while running_server(self.data_dir) is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(self.said)
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL, as the kernel's memory shortage or a pulled plug would do it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        """SIGTERM; its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(END_SECONDS)


def free_port() -> int:
    with listening() as probe:
        return int(probe.getsockname()[1])
