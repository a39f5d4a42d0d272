"""How long the command line takes to answer, beside Python that does nothing.

    python benchmarks/cli_start.py [--runs 15]

pass       `python -c pass`: the least that any command written in Python can take
--version  the command's own modules
--help     and the page of all commands
jobs       a list of 20 jobs, asked of a Trainbell that runs on this machine

Each run is a fresh process, timed from outside: what a person waits. Byte code is in place.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from trainbell.client import Trainbell
from trainbell.embedded.instance import EmbeddedInstance

JOBS = 20
CLI = (sys.executable, "-m", "trainbell.cli")
COMMANDS = {
    "pass": (sys.executable, "-c", "pass"),
    "--version": (*CLI, "--version"),
    "--help": (*CLI, "--help"),
    "jobs": (*CLI, "jobs"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=15, help="fresh processes for each figure")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="trainbell-bench-") as directory:
        data_dir = Path(directory) / "data"
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPYCACHEPREFIX": str(Path(directory) / "byte-code"),
            "TRAINBELL_DATA_DIR": str(data_dir),
        }
        with (
            EmbeddedInstance(data_dir, port=0) as instance,
            Trainbell(instance.url, token=instance.token) as client,
        ):
            for _ in range(JOBS):
                client.start({"provider": "local", "parameters": {"command": ["true"]}})
            print_table(options.runs, environment)
    return 0


def print_table(runs: int, environment: dict[str, str]) -> None:
    """The commands take turns, so that whatever else the machine does hits them alike."""
    for command in COMMANDS.values():
        seconds(command, environment)  # Writes the byte code.
    rounds = [[seconds(each, environment) for each in COMMANDS.values()] for _ in range(runs)]
    print(f"Start of the command line in milliseconds ({runs} processes each):")
    print(f"  {'command':<12}{'median':>8}{'p90':>8}{'above pass':>12}")
    floor = median(row[0] for row in rounds)
    for name, column in zip(COMMANDS, zip(*rounds, strict=True), strict=True):
        middle, high = median(column), quantiles(column, n=10)[-1]
        above = middle - floor
        print(f"  {name:<12}{1000 * middle:>8.0f}{1000 * high:>8.0f}{1000 * above:>12.0f}")


def seconds(command: Sequence[str], environment: dict[str, str]) -> float:
    begin = perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    took = perf_counter() - begin
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return took


if __name__ == "__main__":
    sys.exit(main())
