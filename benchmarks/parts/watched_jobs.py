"""What every contestant is given: the same jobs, each due at its own moment of the interval."""

from __future__ import annotations

import argparse
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """`port`: the fake service's, on this machine. `directory`: a private one, for a database."""

    port: int
    jobs: int
    interval: float
    directory: str

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    def training(self, number: int) -> str:
        return f"training-{number:05d}"

    def first_wait(self, number: int) -> float:
        """Spread evenly, as jobs that people start are."""
        return self.interval * number / self.jobs

    def as_arguments(self) -> list[str]:
        return [str(self.port), str(self.jobs), str(self.interval), self.directory]


def read_task() -> Task:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("jobs", type=int)
    parser.add_argument("interval", type=float)
    parser.add_argument("directory")
    return Task(**vars(parser.parse_args()))
