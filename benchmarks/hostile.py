"""What hostile services, FIFOs and crowds cost the owner: `python benchmarks/hostile.py`.

First `trainbell up` among three services that do their worst (dripped headers, `100 Continue`
without end, 10,000 headers, a gigabyte, a gzip bomb, half an answer, redirects, silence) with 66
jobs each, and 67 local runs whose progress file is a FIFO: how long a local job waits for its
begin, and its end for being told, and what `/v1/health` takes. Then 1,000 silent and 1,000 slow
clients: what the owner's calls take, and by how much memory grows.

Unlike the other benchmarks this one has bounds: it ends with 1 where one is passed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

# Run as a script, only this folder is on the path.
sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.crowd import measure_crowd
from tests.e2e.hostile_scene import measure

LOCAL_JOBS = 20
FIFO_RUNS = 67
CLIENTS = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--local-jobs", type=int, default=LOCAL_JOBS)
    parser.add_argument("--fifo-runs", type=int, default=FIFO_RUNS)
    parser.add_argument("--clients", type=int, default=CLIENTS, help="of each kind")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="trainbell-bench-") as place:
        (Path(place) / "services").mkdir()
        among = measure(
            Path(place) / "services", local_jobs=asked.local_jobs, fifo_runs=asked.fifo_runs
        )
        (Path(place) / "clients").mkdir()
        crowded = measure_crowd(Path(place) / "clients", asked.clients)
    print(f"Three hostile services ({among.hostile_requests} requests), {asked.fifo_runs} FIFOs:")
    good = [
        bounded("a local job begins, worst", among.start_seconds, 2.0, "s"),
        bounded("its end is told, worst", among.end_seconds, 2.0, "s"),
        bounded("/v1/health, p99", among.health_p99_seconds, 0.5, "s"),
    ]
    print(f"{asked.clients} silent and {asked.clients} slow clients:")
    good += [
        bounded("the owner's calls, worst", crowded.slowest_seconds, 2.0, "s"),
        bounded("memory grows by", crowded.grown_megabytes, 30.0, "MB"),
    ]
    return 0 if all(good) else 1


def bounded(what: str, measured: float, at_most: float, unit: str) -> bool:
    good = measured <= at_most
    verdict = "" if good else "  TOO MUCH"
    print(f"  {what:<28}{measured:>8.2f} {unit:<3} (at most {at_most:g}){verdict}", flush=True)
    return good


if __name__ == "__main__":
    sys.exit(main())
