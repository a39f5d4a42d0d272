"""Processes of a benchmark: each ends with its standard input, so none outlives this one."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
SAMPLE_SECONDS = 0.25
PATIENCE_SECONDS = 10.0


@contextmanager
def running(module: str, arguments: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """A module of this folder in a process of its own, until the block ends."""
    command = [sys.executable, "-m", f"benchmarks.parts.{module}", *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def run(module: str, arguments: Sequence[str]) -> None:
    """Run it to its end."""
    command = [sys.executable, "-m", f"benchmarks.parts.{module}", *arguments]
    subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=True)


@dataclass
class Footprint:
    """Memory in bytes (resident), CPU in seconds (user and system)."""

    peak: int = 0
    current: int = 0
    cpu: float = 0.0


class Sampler:
    """Watches a process from outside, the same way for all."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._footprint = Footprint()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def read(self) -> Footprint:
        """Raises psutil.NoSuchProcess where it has died."""
        times = self._process.cpu_times()
        current = self._process.memory_info().rss
        return Footprint(max(current, self._footprint.peak), current, times.user + times.system)

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            try:
                now = self._process.memory_info().rss
            except psutil.NoSuchProcess:
                return
            self._footprint.peak = max(self._footprint.peak, now)


def wait_until(deadline: float) -> None:
    """`deadline` by time.monotonic."""
    time.sleep(max(0.0, deadline - time.monotonic()))
