"""The state machine's definition as a graph, and what it costs in history events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import trainbell

State = Mapping[str, Any]

PATH = Path(trainbell.__file__).parent / "workflow" / "job_lifecycle.asl.json"
TASKS = ("StartJob", "AdvanceJob", "HandOver")


def load() -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(PATH.read_text())
    return definition


def targets(state: State) -> Iterator[str]:
    """Where a state may go, on success and on failure."""
    if "Next" in state:
        yield state["Next"]
    if "Default" in state:
        yield state["Default"]
    for branch in (*state.get("Choices", ()), *state.get("Catch", ())):
        yield branch["Next"]


def reachable(states: Mapping[str, State], start: str) -> set[str]:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead.extend(targets(states[name]))
    return seen


def what_happens(state: State, error: str) -> tuple[int, str | None]:
    """How often an error is retried, and where it goes then (None: the execution fails)."""
    retries = next(
        (r.get("MaxAttempts", 3) for r in state.get("Retry", ()) if _matches(r, error)), 0
    )
    caught = next((c["Next"] for c in state.get("Catch", ()) if _matches(c, error)), None)
    return retries, caught


def _matches(rule: Mapping[str, Any], error: str) -> bool:
    return error in rule["ErrorEquals"] or "States.ALL" in rule["ErrorEquals"]


def events_at_most(state: State) -> int:
    """History events of one visit, where every retry of every rule is used up.

    Entered and exited; a task's attempt is scheduled, started and succeeded, or failed
    (docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html).
    """
    if state["Type"] in ("Succeed", "Fail"):
        return 2
    attempts = 1 + sum(rule.get("MaxAttempts", 3) for rule in state.get("Retry", ()))
    return 2 + (3 * attempts if state["Type"] == "Task" else 0)
