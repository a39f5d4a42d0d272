"""What no linter checks: the graph, the error names, and the limit of 25,000 history events."""

from __future__ import annotations

import inspect

import pytest

from tests.workflow.definition import (
    TASKS,
    events_at_most,
    load,
    reachable,
    targets,
    what_happens,
)
from trainbell import errors
from trainbell.cloud.environment import CloudEnvironment
from trainbell.errors import Permanence, ProviderError, StoreError, TrainbellError

HISTORY_LIMIT = 25_000

# docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
# docs.aws.amazon.com/lambda/latest/dg/services-stepfunctions.html
NAMES_OF_AWS = {
    "States.ALL",
    "States.TaskFailed",
    "States.Timeout",
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "StepFunctions.ExecutionAlreadyExistsException",
}

DEFINITION = load()
STATES = DEFINITION["States"]


def leaves() -> list[type[TrainbellError]]:
    classes = [
        each
        for _, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, TrainbellError)
    ]
    return [each for each in classes if not each.__subclasses__()]


def transient_leaves() -> list[str]:
    return [
        each.__name__
        for each in leaves()
        if issubclass(each, (ProviderError, StoreError)) and each.permanence is Permanence.TRANSIENT
    ]


def error_names() -> set[str]:
    return {
        name
        for state in STATES.values()
        for rule in (*state.get("Retry", ()), *state.get("Catch", ()))
        for name in rule["ErrorEquals"]
    }


def test_every_target_exists() -> None:
    for name, state in STATES.items():
        assert set(targets(state)) <= set(STATES), name
    assert DEFINITION["StartAt"] in STATES


def test_every_state_is_reached() -> None:
    assert reachable(STATES, DEFINITION["StartAt"]) == set(STATES)


def test_an_end_can_be_reached_from_every_state() -> None:
    ends = {name for name, state in STATES.items() if state["Type"] in ("Succeed", "Fail")}
    for name in STATES:
        assert reachable(STATES, name) & ends, name


def test_every_state_that_is_no_end_goes_somewhere() -> None:
    for name, state in STATES.items():
        is_end = state["Type"] in ("Succeed", "Fail")
        assert is_end != bool(list(targets(state))), name


def test_every_error_name_is_ours_or_of_aws() -> None:
    ours = {each.__name__ for each in leaves()}
    assert error_names() <= ours | NAMES_OF_AWS


def test_catching_all_stands_alone_and_last() -> None:
    for state in STATES.values():
        for rules in (state.get("Retry", []), state.get("Catch", [])):
            for position, rule in enumerate(rules):
                if "States.ALL" in rule["ErrorEquals"]:
                    assert rule["ErrorEquals"] == ["States.ALL"]
                    assert position == len(rules) - 1


@pytest.mark.parametrize("task", ["StartJob", "AdvanceJob"])
def test_what_time_helps_against_in_the_store_is_retried(task: str) -> None:
    for name in ("JobConflict", "StoreUnavailable"):
        assert name in transient_leaves()
        retries, caught = what_happens(STATES[task], name)
        assert retries >= 2, name
        assert caught == "CountFailure", name


@pytest.mark.parametrize("task", ["StartJob", "AdvanceJob"])
@pytest.mark.parametrize("error", [*transient_leaves(), "States.Timeout", "Lambda.Unknown"])
def test_a_failed_poll_leads_to_another(task: str, error: str) -> None:
    assert what_happens(STATES[task], error)[1] == "CountFailure"
    assert set(targets(STATES["CountFailure"])) == {"WhatNext"}
    assert STATES["WhatNext"]["Default"] == "WaitForNextPoll"
    assert STATES["CountFailure"]["Parameters"]["wait_seconds"] >= 60


@pytest.mark.parametrize("task", ["StartJob", "AdvanceJob"])
def test_only_a_deleted_job_is_forgotten(task: str) -> None:
    forgotten = [
        name
        for name in (*(each.__name__ for each in leaves()), *NAMES_OF_AWS)
        if what_happens(STATES[task], name)[1] == "Forgotten"
    ]
    assert forgotten == ["NotFound"]


def test_retries_back_off_with_jitter() -> None:
    for task in TASKS:
        for rule in STATES[task]["Retry"]:
            if rule["MaxAttempts"]:
                assert rule["BackoffRate"] >= 2
                assert rule["JitterStrategy"] == "FULL"


def test_start_and_poll_are_tried_alike() -> None:
    for part in ("Retry", "Catch", "TimeoutSeconds"):
        assert STATES["StartJob"][part] == STATES["AdvanceJob"][part]


def test_a_loop_without_failures_is_nine_events() -> None:
    without_retries = {**STATES["AdvanceJob"], "Retry": []}
    loop = (STATES["WaitForNextPoll"], without_retries, STATES["WhatNext"])
    assert sum(events_at_most(state) for state in loop) == 9


def test_the_history_never_fills_up_whatever_fails() -> None:
    stop = loops_before_giving_up()
    loop = ("WaitForNextPoll", "AdvanceJob", "CountFailure", "WhatNext")
    worst_loop = sum(events_at_most(STATES[name]) for name in loop)
    once = ("StartJob", "CountFailure", "WhatNext", "HandOver", "HandedOver")
    around = 2 + sum(events_at_most(STATES[name]) for name in once)
    assert stop * worst_loop + around < HISTORY_LIMIT


def test_a_handover_comes_before_giving_up() -> None:
    loops = CloudEnvironment.model_fields["loops_per_execution"]
    most = next(rule.le for rule in loops.metadata if hasattr(rule, "le"))
    assert loops.default <= most < loops_before_giving_up()


def test_a_hand_over_starts_a_new_execution_of_the_same_machine() -> None:
    task = STATES["HandOver"]
    assert task["Parameters"]["StateMachineArn.$"] == "$$.StateMachine.Id"
    assert task["Parameters"]["Input"]["loops"] == 0
    again = "StepFunctions.ExecutionAlreadyExistsException"
    assert what_happens(task, again) == (0, "HandedOver")


def loops_before_giving_up() -> int:
    limits = [
        choice["NumericGreaterThanEquals"]
        for choice in STATES["WhatNext"]["Choices"]
        if choice["Next"] == "TooManyFailures"
    ]
    assert len(limits) == 1
    limit: int = limits[0]
    return limit
