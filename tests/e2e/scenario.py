"""One scenario, two engines: what a user does and sees, through the HTTP API alone.

It knows a client of the API and the simulated service, and nothing of the engine but how to
interrupt it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import pytest

from trainbell.client import ApiProblem, Trainbell
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.deepva.service import API_KEY, DeepVASimulator
from trainbell.simulators.deepva.trainings import FACE_DATASET
from trainbell.simulators.server import running

DEEPVA_KEY = API_KEY
ENDS = ("succeeded", "failed", "cancelled", "expired", "lost")
ORDER = ("requested", "starting", "queued", "running", *ENDS)
SPEED = 4.0
"""A training of the simulator takes 22 of its own seconds."""

ALLOWED_AFTER_SECONDS = 1.1
"""The cloud looks at tags once a second at most."""

Job = Mapping[str, Any]


class Engine(Protocol):
    secret: str
    """The reference to the service's key."""

    def trainbell(self) -> Trainbell: ...

    def allow(self, connection: Job) -> None:
        """As its owner, let the secret go where this connection leads."""
        ...

    def interrupt(self) -> None:
        """Kill all that runs, and bring the engine back with what it had stored."""
        ...


@dataclass(frozen=True)
class Service:
    """The simulated DeepVA on a real socket."""

    url: str
    simulator: DeepVASimulator

    def starts_of(self, job: Job) -> int:
        return self.simulator.starts[f"trainbell:{job['id']}"]


@contextmanager
def deepva() -> Iterator[Service]:
    simulator = DeepVASimulator(SimulatorClock(speed=SPEED))
    with running(simulator) as url:
        yield Service(url + simulator.base_path, simulator)


def connect(engine: Engine, service: Service) -> None:
    """A connection is made once the secret's owner allows it, tried for real, and shows its secret
    as a reference only."""
    with engine.trainbell() as trainbell:
        body = {"provider": "deepva", "base_url": service.url, "secret": engine.secret}
        with pytest.raises(ApiProblem, match="is not allowed to go to") as refused:
            trainbell.put("connections", "faces", body)
        assert refused.value.status == 422
        engine.allow(body)
        time.sleep(ALLOWED_AFTER_SECONDS)
        trainbell.put("connections", "faces", body)
        assert trainbell.test("connections", "faces")
        shown = trainbell.get("connections", "faces")
        assert shown["secret"] == engine.secret
        assert DEEPVA_KEY not in str(shown)


def bad_input_is_refused_whole(engine: Engine, service: Service) -> None:
    """Every problem with its path, nothing stored, nothing started."""
    body = request("nobody") | {"connection": "nowhere", "tags": {"": "x"}, "surprise": 1}
    with engine.trainbell() as trainbell:
        with pytest.raises(ApiProblem) as refused:
            trainbell.start(body)
        assert refused.value.status in (404, 422)
        paths = " ".join(each["path"] for each in refused.value.errors)
        assert "connection" in paths
        assert "surprise" in paths
        assert trainbell.jobs()["items"] == []
    assert not service.simulator.starts


def a_job_is_started_once_and_seen_to_its_end(engine: Engine, service: Service) -> Job:
    with engine.trainbell() as trainbell:
        body = request("digits")
        job = trainbell.start(body, idempotency_key="first-1")
        assert trainbell.start(body, idempotency_key="first-1")["id"] == job["id"]
        with pytest.raises(ApiProblem) as conflict:
            trainbell.start(request("other"), idempotency_key="first-1")
        assert conflict.value.status == 409
        states: list[str] = []
        ended = wait_for(trainbell, job["id"], is_ended, seen=states)
        assert_orderly(states)
        assert {"queued", "running"} & set(states)
        assert_succeeded(trainbell, ended)
    assert service.starts_of(ended) == 1
    return ended


def a_job_survives_the_end_of_all_that_watches_it(engine: Engine, service: Service) -> Job:
    with engine.trainbell() as trainbell:
        job = trainbell.start(request("survivor"), idempotency_key="second-2")
        wait_for(trainbell, job["id"], lambda seen: seen["state"] == "running")
    engine.interrupt()
    with engine.trainbell() as trainbell:
        ended = wait_for(trainbell, job["id"], is_ended)
        assert_succeeded(trainbell, ended)
        both = trainbell.jobs(state="succeeded")["items"]
        assert both[0]["id"] == ended["id"]
        assert len(both) == 2
    assert service.starts_of(ended) == 1
    return ended


def request(model: str) -> dict[str, Any]:
    return {
        "provider": "deepva",
        "connection": "faces",
        "parameters": {"source_dataset_id": FACE_DATASET, "output_model_name": model},
        "min_interval_seconds": 1,
        "max_interval_seconds": 1,
        "tags": {"from": "scenario"},
    }


def is_ended(job: Job) -> bool:
    return job["state"] in ENDS


def wait_for(
    trainbell: Trainbell,
    job_id: str,
    wanted: Callable[[Job], bool],
    *,
    seen: list[str] | None = None,
    seconds: float = 40.0,
) -> Job:
    """Look until the job is as wanted; `seen` gets each state that it passed through."""
    deadline = time.monotonic() + seconds
    while True:
        job = trainbell.job(job_id)
        if seen is not None and job["state"] not in seen[-1:]:
            seen.append(job["state"])
        if wanted(job):
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.2)


def assert_orderly(states: list[str]) -> None:
    places = [ORDER.index(state) for state in states]
    assert all(before < after for before, after in pairwise(places)), states


def assert_succeeded(trainbell: Trainbell, job: Job) -> None:
    assert (job["state"], job["end_reason"]) == ("succeeded", "completed")
    assert job["progress"] == 1.0
    assert job["performance"]
    events = list(trainbell.events(job["id"]))
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    types = [event["type"] for event in events]
    assert types[0] == "JobRequested"
    assert types[-1] == "JobFinished"
    assert types.count("JobStarted") == types.count("JobFinished") == 1
