"""Trainbell as `trainbell up` runs it: API, loop and SQLite in one process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.parts.watched_jobs import read_task
from trainbell.embedded.instance import EmbeddedInstance

SECRET = "TRAINBELL_BENCHMARK_KEY"


def main() -> None:
    task = read_task()
    os.environ[SECRET] = "benchmark"
    with EmbeddedInstance(Path(task.directory), port=0):
        sys.stdin.read()


if __name__ == "__main__":
    main()
