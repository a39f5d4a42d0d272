"""What a person sees of a local training: `python benchmarks/local_run.py [--seconds 12]`.

Starts `trainbell up` on a fresh directory, makes a virtual environment, and types
`trainbell run -- python train.py` in it: a script that reports four times a second and then fails.
Says which python ran it, how often the bar moved, when its beginning and its end were seen, and the
reason that was told; then what 100 idle ones cost (`local_idle.py`; `--jobs 0` for none). Ends with
1 where an aim is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

# Run as a script, only this folder is on the path.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.local_idle import measure_idle
from tests.e2e.up_process import TRAINBELL, UpProcess
from trainbell.client import Trainbell

LOOKS_EVERY_SECONDS = 0.05
MOVES_WITHIN_SECONDS = 1.0
BEGINS_WITHIN_SECONDS = 0.3
END_WITHIN_SECONDS = 0.5
IDLE_SHARE_OF_A_CORE = 0.02
REASON = "RuntimeError: CUDA out of memory"
TRAIN = f"""
import json, os, sys, time
print(sys.prefix)
steps = int(sys.argv[1])
with open(os.environ["TRAINBELL_PROGRESS_FILE"], "a", buffering=1) as report:
    for step in range(1, steps + 1):
        print(json.dumps({{"progress": step / steps, "message": f"step {{step}}"}}), file=report)
        time.sleep(0.25)
print("loading weights", file=sys.stderr)
print("{REASON}", file=sys.stderr)
sys.exit(1)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--idle-seconds", type=float, default=60.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        met = _show(Path(place), round(asked.seconds / 0.25))
    if asked.jobs:
        share = measure_idle(asked.jobs, asked.idle_seconds)
        met &= share < IDLE_SHARE_OF_A_CORE * asked.jobs / 100
    print("every aim is met" if met else "an aim is missed")
    return 0 if met else 1


def _show(place: Path, steps: int) -> bool:
    venv = place / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (place / "train.py").write_text(TRAIN)
    with UpProcess(place) as up, up.client() as client:
        environment = {**up.environment, "PATH": f"{venv / 'bin'}:{os.environ['PATH']}"}
        with subprocess.Popen(
            [TRAINBELL, "run", "--", "python", "train.py", str(steps)],
            cwd=place,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ):
            job, moves = _watched(client)
        events = {each["type"]: _at(each["at"]) for each in client.events(job["id"])}
        prefix = client.logs(job["id"])[0]
    started, ended = (_at(job[name]) for name in ("started_at", "ended_at"))
    slowest = max(after - before for before, after in pairwise(moves))
    begun, end = events["JobStateChanged"] - started, events["JobFinished"] - ended
    met = [
        _aim("runs under the python of its environment", prefix, prefix == str(venv)),
        _aim("the bar moved", f"{len(moves)} times in {steps * 0.25:.0f} s", len(moves) > 1),
        _aim("longest stand-still", f"{slowest:.2f} s", slowest <= MOVES_WITHIN_SECONDS),
        _aim("seen running after", f"{begun:.2f} s", begun <= BEGINS_WITHIN_SECONDS),
        _aim("its end seen after", f"{end:.2f} s", end <= END_WITHIN_SECONDS),
        _aim("the reason", job["message"], str(job["message"]).startswith(REASON)),
    ]
    return all(met)


def _watched(client: Trainbell) -> tuple[Mapping[str, Any], list[float]]:
    """The one job once it has ended, and when its bar was seen to move."""
    moves: list[float] = []
    progress = None
    while True:
        found = client.jobs()["items"]
        if found and found[0]["progress"] != progress:
            progress = found[0]["progress"]
            moves.append(time.monotonic())
        if found and found[0]["has_ended"]:
            return client.job(found[0]["id"]), moves
        time.sleep(LOOKS_EVERY_SECONDS)


def _aim(what: str, measured: str, met: bool) -> bool:
    print(f"{what:42} {measured}{'' if met else '   MISSED'}")
    return met


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


if __name__ == "__main__":
    sys.exit(main())
