"""What every contestant is given: the same jobs, each due at its own moment of the interval."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields

JOBS_OF_A_HUNG_ONE = 100


@dataclass(frozen=True)
class Task:
    """`port`: the fake service's, on this machine; `silent_port`: of one that never answers.
    `directory`: a private one, for a database. `connections`: over how many the jobs are spread;
    `hung`: how many more lead to the silent service, with `JOBS_OF_A_HUNG_ONE` jobs each."""

    port: int
    silent_port: int
    jobs: int
    interval: float
    directory: str
    connections: int = 1
    hung: int = 0

    @property
    def base_url(self) -> str:
        return _base_url(self.port)

    @property
    def silent_url(self) -> str:
        return _base_url(self.silent_port)

    def training(self, number: int) -> str:
        return f"training-{number:05d}"

    def first_wait(self, number: int) -> float:
        """Spread evenly, as jobs that people start are."""
        return self.interval * number / self.jobs

    def as_arguments(self) -> list[str]:
        return [str(getattr(self, each.name)) for each in fields(self)]


def read_task() -> Task:
    parser = argparse.ArgumentParser()
    for name in ("port", "silent_port", "jobs"):
        parser.add_argument(name, type=int)
    parser.add_argument("interval", type=float)
    parser.add_argument("directory")
    for name in ("connections", "hung"):
        parser.add_argument(name, type=int)
    return Task(**vars(parser.parse_args()))


def _base_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/api/v1"
