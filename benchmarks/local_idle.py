"""What idle local trainings cost: `python benchmarks/local_idle.py [--jobs 100] [--seconds 60]`.

Starts `trainbell up` on a fresh directory and so many local jobs that only sleep; waits until all
are seen running and the first looks are over; then adds up the CPU time that the server and all
supervisors use, and the memory that they hold. The aim: less than 2 % of a core for 100 jobs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import psutil

# Run as a script, only this folder is on the path.
sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.up_process import UpProcess
from trainbell.client import Trainbell
from trainbell.providers.local.launching import SUPERVISOR

SETTLE_SECONDS = 15.0
MIB = 1024 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    measure_idle(asked.jobs, asked.seconds)


def measure_idle(count: int, seconds: float) -> float:
    """Says what so many cost over this time. Returns the share of a core that all use together."""
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        with UpProcess(directory) as up, up.client() as client:
            jobs = [_start(client, directory) for _ in range(count)]
            try:
                _until_running(client, jobs)
                time.sleep(SETTLE_SECONDS)
                return _measure(up.data_dir, seconds, len(jobs))
            finally:
                for job in jobs:
                    client.cancel(job)
                _until_gone(up.data_dir)


def _start(client: Trainbell, directory: Path) -> str:
    parameters = {"command": ["sleep", "3600"], "cwd": str(directory)}
    return str(client.start({"provider": "local", "parameters": parameters})["id"])


def _until_running(client: Trainbell, jobs: list[str]) -> None:
    while any(client.job(job)["state"] != "running" for job in jobs):
        time.sleep(0.1)


def _measure(data_dir: Path, seconds: float, jobs: int) -> float:
    server = _server(data_dir)
    supervisors = _supervisors(data_dir)
    before = _cpu([server]), _cpu(supervisors)
    began = time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    used = _cpu([server]) - before[0], _cpu(supervisors) - before[1]
    total = sum(used) / took
    print(f"jobs                 {jobs}, {len(supervisors)} supervisors")
    print(f"CPU, server          {used[0] / took:.2%} of a core")
    print(f"CPU, supervisors     {used[1] / took:.2%} of a core")
    print(f"CPU, together        {total:.2%} of a core (aim: < 2 % for 100 jobs)")
    own = sum(each.memory_full_info().uss for each in supervisors) / max(1, len(supervisors))
    print(f"memory, a supervisor {own / MIB:.1f} MiB of its own")
    print(f"memory, server       {server.memory_info().rss / MIB:.0f} MiB")
    return total


def _server(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "lock").read_text()))


def _supervisors(data_dir: Path) -> list[psutil.Process]:
    return [p for p in psutil.process_iter() if _is_supervisor(p, data_dir)]


def _is_supervisor(process: psutil.Process, data_dir: Path) -> bool:
    try:
        return str(SUPERVISOR) in process.cmdline() and any(
            file.path.startswith(str(data_dir)) for file in process.open_files()
        )
    except psutil.Error:
        return False


def _cpu(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return sum(each.user + each.system for each in times)


def _until_gone(data_dir: Path) -> None:
    while _supervisors(data_dir):
        time.sleep(0.1)


if __name__ == "__main__":
    main()
