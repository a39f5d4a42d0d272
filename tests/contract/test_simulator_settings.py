"""A simulator's settings, clock and faults are checked when they are set, whatever is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import httpx
import pytest

from trainbell.simulators.__main__ import names
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.faults import Fault
from trainbell.simulators.server import running
from trainbell.simulators.service import Answer, Request, SimulatedService
from trainbell.simulators.settings import read


class Plain(SimulatedService):
    def handle(self, request: Request) -> Answer:
        return Answer(200)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(Plain()) as url:
        yield url


def said(url: str, what: str, document: Any) -> str:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    answer = httpx.post(f"{url}/_simulator/{what}", content=body, trust_env=False)
    assert answer.status_code == 400
    assert httpx.get(url, trust_env=False).status_code == 200
    return str(answer.json()["detail"])


@pytest.mark.parametrize(
    ("what", "document", "words"),
    [
        ("faults", [{"kind": "throttled", "retry_after": 7}], "0.retry_after: Input should be a v"),
        ("faults", [{"kind": "throttled", "retry_after": "7\r\nX: y"}], "0.retry_after: String"),
        ("faults", [{"kind": "error", "status": 99}], "0.status: Input should be greater"),
        ("faults", [{"kind": "error", "status": "500"}], "0.status: Input should be a valid int"),
        ("faults", [{"kind": "error", "path": "("}], "0.path: Value error, it is no regular exp"),
        ("faults", [{"kind": "error", "times": 0}], "0.times: Input should be greater"),
        ("faults", [{"kind": "latency", "seconds": -1}], "0.seconds: Input should be greater"),
        (
            "faults",
            [{"kind": "latency", "seconds": float("nan")}],
            "0.seconds: Input should be a f",
        ),
        ("faults", [{"kind": "no such"}], "0.kind: Input should be 'latency'"),
        ("faults", [{"path": "/"}], "0.kind: Field required"),
        ("faults", [{"kind": "error", "colour": 1}], "0.colour: Unexpected keyword argument"),
        ("faults", {"kind": "error"}, "body: Input should be a valid array"),
        ("clock", {"speed": -1}, "speed: Input should be greater"),
        ("clock", {"speed": float("inf")}, "speed: Input should be "),
        ("clock", {"advance": 1e300}, "advance: Input should be less"),
        ("clock", {"advance": "1"}, "advance: Input should be a valid number"),
        ("clock", {"hurry": 1}, "hurry: Extra inputs are not permitted"),
        ("clock", [], "body: Input should be an object"),
        ("settings", {"colour": 3}, "colour: Extra inputs are not permitted"),
        ("settings", b"[" * 100_000, "the body is nested too deeply"),
        ("settings", b"{", "Expecting property name"),
    ],
)
def test_a_mistake_is_refused_at_once_and_the_service_goes_on(
    url: str, what: str, document: Any, words: str
) -> None:
    assert words in said(url, what, document)


def test_all_problems_are_told_at_once() -> None:
    wrong = [{"kind": "error", "status": 1}, {"kind": "error", "retry_after": 7, "colour": 1}]
    with pytest.raises(ValueError, match=r"0\.status: .*1\.retry_after: .*1\.colour: "):
        read(tuple[Fault, ...], wrong)


SECONDS = {
    "azure_vision": "working_seconds",
    "datarobot": "running_seconds",
    "deepva": "processing_seconds",
    "einstein": "running_seconds",
    "lookout_vision": "training_seconds",
    "sagemaker": "working_seconds",
}
WRONG: dict[str, list[tuple[dict[str, Any], str]]] = {
    "azure_vision": [({"plan": {"fails_at": 2}}, "plan.fails_at")],
    "datarobot": [
        ({"deployed": ["nobody"]}, "deployed: no such model: nobody"),
        ({"plan": {"ends": "GONE"}}, "plan.ends"),
    ],
    "deepva": [({"newest_first": "yes"}, "newest_first")],
    "einstein": [
        ({"stale_seconds": "long"}, "stale_seconds"),
        ({"plan": {"stops_at_epoch": 0}}, "plan.stops_at_epoch"),
    ],
    "lookout_vision": [
        ({"errors": [{"error": "ThrottlingException", "retry_after": 7}]}, "errors.0.retry_after"),
        ({"errors": [{"error": "Nothing"}]}, "no such error: Nothing"),
        ({"denied": ["NoSuchCall"]}, "no such operation: NoSuchCall"),
        ({"max_trainings": -1}, "max_trainings"),
    ],
    "sagemaker": [
        ({"max_trainings": "3"}, "max_trainings"),
        ({"plan": {"metrics": {"loss": "low"}}}, "plan.metrics.loss"),
    ],
}


def test_every_simulator_is_here() -> None:
    assert set(SECONDS) == set(WRONG) == set(names())


@pytest.mark.parametrize("service", sorted(SECONDS))
@pytest.mark.parametrize("value", ["1", -1, float("nan"), float("inf"), 1e300, None])
@pytest.mark.parametrize("place", ["plan", "plans"])
def test_the_length_of_a_plan_is_checked_when_it_is_set(
    service: str, value: Any, place: str
) -> None:
    simulator = _made(service)
    plan = {SECONDS[service]: value}
    path = "plan" if place == "plan" else "plans.0"
    with pytest.raises(ValueError, match=f"{path}.{SECONDS[service]}: Input should be"):
        simulator.apply_settings({place: plan if place == "plan" else [plan]})


@pytest.mark.parametrize("service", sorted(WRONG))
def test_its_own_settings_are_checked_when_they_are_set(service: str) -> None:
    simulator = _made(service)
    for settings, words in WRONG[service]:
        with pytest.raises(ValueError, match=words):
            simulator.apply_settings(settings)


@pytest.mark.parametrize("service", sorted(SECONDS))
def test_a_refused_setting_changes_nothing(service: str) -> None:
    simulator = _made(service)
    good = {SECONDS[service]: 5}
    with pytest.raises(ValueError, match="colour"):
        simulator.apply_settings({"plan": good, "plans": [good], "colour": 1})
    places = (getattr(simulator, name, None) for name in ("account", "world"))
    holder: Any = next((place for place in places if place is not None), simulator)
    assert not holder.plans
    assert getattr(holder.plan, SECONDS[service]) == 20


def _made(service: str) -> SimulatedService:
    simulator: SimulatedService = import_module(f"trainbell.simulators.{service}").SIMULATOR(
        SimulatorClock(speed=0)
    )
    return simulator
