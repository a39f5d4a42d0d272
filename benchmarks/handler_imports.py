"""The cold start of each Lambda handler, beside `import boto3` and making the clients it needs.

    python benchmarks/handler_imports.py [--runs 9]

import  the handler's module alone
ready   the module and its services, made as for the first event, with their AWS clients
floor   `import boto3` and the same clients made in the plainest way

Each run is a fresh process, timed from inside, so that starting Python itself does not count.
Byte code is in place. The environment is that of template.yaml; nothing is called over the network.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
HANDLERS = tuple(sorted(path.stem for path in (ROOT / "functions").glob("[a-z]*.py")))

_ARN = "arn:aws:{}:eu-central-1:123456789012:{}"
_STATE_MACHINE = {"TRAINBELL_STATE_MACHINE_ARN": _ARN.format("states", "stateMachine:lifecycle")}
_TELLING = {
    "TRAINBELL_TOPIC_ARN": _ARN.format("sns", "jobs"),
    "TRAINBELL_BUS_NAME": "jobs",
    "TRAINBELL_PAGE_URL": "https://api.example.com",
}
_SCHEDULES = {
    "TRAINBELL_SCHEDULE_GROUP": "schedules",
    "TRAINBELL_SCHEDULE_FUNCTION_ARN": _ARN.format("lambda", "function:run_schedule"),
    "TRAINBELL_SCHEDULE_ROLE_ARN": "arn:aws:iam::123456789012:role/schedules",
    "TRAINBELL_SCHEDULE_DEAD_LETTER_ARN": _ARN.format("sqs", "failed"),
}
COMMON = {
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_EC2_METADATA_DISABLED": "true",
    # By these two Powertools' Tracer knows that it is in Lambda, and loads the X-Ray SDK.
    "LAMBDA_TASK_ROOT": "/var/task",
    "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
    "POWERTOOLS_SERVICE_NAME": "trainbell",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "TRAINBELL_TABLE_NAME": "trainbell",
    "TRAINBELL_SECRET_PREFIX": "trainbell/",
}


@dataclass(frozen=True)
class Needs:
    """The variables that template.yaml gives to one handler, and the clients it then makes."""

    variables: Mapping[str, str]
    clients: tuple[str, ...]


NEEDS = {
    "api": Needs(
        {**_STATE_MACHINE, **_TELLING, **_SCHEDULES}, ("dynamodb", "stepfunctions", "scheduler")
    ),
    "advance_job": Needs({}, ("dynamodb",)),
    "poll_on_event": Needs(_STATE_MACHINE, ("dynamodb", "stepfunctions")),
    "publish_changes": Needs(_TELLING, ("dynamodb",)),
    "reconcile_jobs": Needs(_STATE_MACHINE, ("dynamodb", "stepfunctions")),
    "run_schedule": Needs(_STATE_MACHINE, ("dynamodb", "stepfunctions")),
    "start_job": Needs({}, ("dynamodb",)),
}

SERVICES = "from trainbell.bootstrap.cloud import cloud_services; cloud_services()"
TIMED = """
from time import perf_counter
begin = perf_counter()
{work}
print(perf_counter() - begin)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=9, help="fresh processes for each figure")
    options = parser.parse_args(arguments)
    print(f"Cold start in milliseconds (median of {options.runs} processes):")
    print(
        f"  {'handler':<18}{'import':>8}{'ready':>8}{'floor':>8}{'import/floor':>14}{'ready/':>8}"
    )
    with tempfile.TemporaryDirectory(prefix="trainbell-bench-") as byte_code:
        for name in HANDLERS:
            print_handler(name, options.runs, byte_code)
    return 0


def print_handler(name: str, runs: int, byte_code: str) -> None:
    """The three take turns, so that whatever else the machine does hits them alike."""
    needs = NEEDS[name]
    environment = {**COMMON, **needs.variables, "PYTHONPYCACHEPREFIX": byte_code}
    works = (f"import {name}", _ready(name), _floor(needs.clients))
    for work in works:
        seconds(work, environment)  # Writes the byte code.
    rounds = [[seconds(work, environment) for work in works] for _ in range(runs)]
    imported, ready, floor = (median(column) for column in zip(*rounds, strict=True))
    print(
        f"  {name:<18}{1000 * imported:>8.0f}{1000 * ready:>8.0f}{1000 * floor:>8.0f}"
        f"{imported / floor:>14.2f}{ready / floor:>8.2f}",
        flush=True,
    )


def seconds(work: str, environment: Mapping[str, str]) -> float:
    """How long this takes in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", TIMED.format(work=work)],
        cwd=ROOT / "functions",
        env={"PATH": os.environ.get("PATH", ""), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{work}\n{done.stderr}")
    return float(done.stdout)


def _ready(name: str) -> str:
    return f"import {name}; {name}.app()" if name == "api" else f"import {name}; {SERVICES}"


def _floor(clients: Sequence[str]) -> str:
    made = "; ".join(f"session.client({client!r})" for client in clients)
    return f"import boto3; session = boto3.Session(); {made}"


if __name__ == "__main__":
    sys.exit(main())
