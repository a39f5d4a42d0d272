"""Projects and versions (L1), and the token that makes a start one (L2)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.contract.lookout_vision.service import JOB, OTHER_JOB, an_order, given
from trainbell.errors import (
    ProviderJobMissing,
    ProviderRejected,
    StartOutcomeUnknown,
)
from trainbell.providers.lookout_vision import PROVIDER
from trainbell.providers.lookout_vision.parameters import TrainParameters
from trainbell.providers.lookout_vision.provider import LookoutVision
from trainbell.simulators.faults import Fault, FaultKind
from trainbell.simulators.lookout_vision import LookoutVisionSimulator
from trainbell.simulators.lookout_vision.account import PROJECT

# ---------------------------------------------------------------- L1: projects and versions


def test_L1_the_service_numbers_the_versions_of_each_project(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    account = simulator.account
    account.add_dataset(account.add_project("bottles"), "train", seconds=0)
    orders = [
        an_order("01jobaaaaaaaaaaaaaaaaaaaa1"),
        an_order("01jobaaaaaaaaaaaaaaaaaaaa2"),
        an_order("01jobaaaaaaaaaaaaaaaaaaaa3", ProjectName="bottles"),
    ]
    handles = [lookout.start(order) for order in orders]
    places = [(handle["project"], handle["version"]) for handle in handles]
    assert places == [(PROJECT, "1"), (PROJECT, "2"), ("bottles", "1")]
    assert [lookout.find(order) for order in orders] == handles


@pytest.mark.parametrize("name", ["a", "9", "a" * 255, "A-b_9"])
def test_L1_project_names_as_documented(name: str) -> None:
    TrainParameters.model_validate(given(ProjectName=name))


@pytest.mark.parametrize("name", ["", "-a", "_a", "a" * 256, "a b", "a/b", "a\n", "é", 7, None])
def test_L1_other_project_names_are_refused(name: object) -> None:
    with pytest.raises(ValidationError) as raised:
        TrainParameters.model_validate(given(ProjectName=name))
    assert [error["loc"] for error in raised.value.errors()] == [("ProjectName",)]


def test_L1_the_project_is_model_and_dataset_of_the_job() -> None:
    assert PROVIDER.dataset_of
    assert PROVIDER.model_of
    assert PROVIDER.dataset_of(given()) == PROVIDER.model_of(given()) == PROJECT
    assert PROVIDER.model_of({"ProjectName": 7}) is None


def test_L1_a_version_of_a_project_that_was_made_anew_is_not_ours(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    handle = lookout.start(an_order())
    account = simulator.account
    del account.projects[PROJECT]
    assert lookout.find(an_order()) is None
    account.add_dataset(account.add_project(PROJECT), "train", seconds=0)
    again = lookout.start(an_order(OTHER_JOB))
    assert (handle["version"], again["version"]) == ("1", "1")
    for call in (lookout.poll, lookout.delete):
        with pytest.raises(ProviderJobMissing, match="another model"):
            call(handle)
    assert lookout.find(an_order()) is None


@pytest.mark.parametrize(
    "handle",
    [
        {},
        {"project": PROJECT},
        {"project": PROJECT, "version": 1},
        {"project": PROJECT, "version": "latest"},
        {"project": PROJECT, "version": "0"},
        {"project": PROJECT, "version": "1/.."},
        {"project": "..", "version": "1"},
        {"project": f"{PROJECT}\n", "version": "1"},
    ],
)
def test_L1_a_handle_without_a_version_is_of_no_job(
    lookout: LookoutVision, handle: dict[str, Any]
) -> None:
    lookout.start(an_order())
    with pytest.raises(ProviderJobMissing, match="handle"):
        lookout.poll(handle)


# ---------------------------------------------------------------- L2: the client token


def test_L2_a_repeat_with_the_same_token_and_input_gives_the_same_model(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    first = lookout.start(an_order(Description="first"))
    simulator.clock.advance(8 * 3600 - 1)
    assert lookout.start(an_order(Description="first")) == first
    assert simulator.starts == {JOB: 1}


def test_L2_the_token_lives_eight_hours_and_the_marker_for_good(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    first = lookout.start(an_order())
    simulator.clock.advance(8 * 3600)
    assert lookout.find(an_order()) == first
    assert lookout.start(an_order()) != first


def test_L2_the_same_token_with_other_input_is_an_error(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    lookout.start(an_order())
    with pytest.raises(ProviderRejected, match="token") as raised:
        lookout.start(an_order(Description="other"))
    assert raised.value.vendor_code == "ConflictException"
    assert simulator.starts == {JOB: 1}


def test_L2_a_start_that_the_list_does_not_show_yet_is_not_made_twice(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    """Lists are only eventually consistent; the repeat that follows gives the same model."""
    simulator.apply_settings({"list_lag_seconds": 120})
    simulator.faults.add(Fault(kind=FaultKind.LOST_ANSWER, method="POST"))
    with pytest.raises(StartOutcomeUnknown):
        lookout.start(an_order())
    assert lookout.find(an_order()) is None
    handle = lookout.start(an_order())
    simulator.clock.advance(120)
    assert lookout.find(an_order()) == handle
    assert simulator.starts == {JOB: 1}


def test_L2_the_token_is_the_jobs_id_and_not_a_parameter() -> None:
    with pytest.raises(ValidationError, match="ClientToken"):
        TrainParameters.model_validate(given(ClientToken="mine"))
