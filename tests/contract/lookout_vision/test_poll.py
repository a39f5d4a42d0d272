"""What a poll of Lookout for Vision tells: states (L4), performance (L5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.builders import NOON
from tests.contract.lookout_vision.service import (
    JOB,
    OTHER_JOB,
    an_order,
    answering,
    end_now,
    sample,
)
from trainbell.domain.job import State
from trainbell.errors import (
    NotSupported,
    ProviderJobMissing,
    ProviderReplyInvalid,
)
from trainbell.providers.lookout_vision import PROVIDER
from trainbell.providers.lookout_vision.provider import LookoutVision
from trainbell.simulators.lookout_vision import LookoutVisionSimulator
from trainbell.simulators.lookout_vision.account import PROJECT
from trainbell.simulators.lookout_vision.models import Plan

# ---------------------------------------------------------------- L4: states


def test_L4_a_training_is_seen_through_to_its_end(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    simulator.apply_settings({"plan": {"training_seconds": 3600}})
    handle = lookout.start(an_order())
    running_ = lookout.poll(handle)
    assert (running_.vendor_status, running_.state) == ("TRAINING", State.RUNNING)
    assert (running_.started_at, running_.ended_at) == (NOON, None)
    simulator.clock.advance(3600)
    end = lookout.poll(handle)
    assert (end.vendor_status, end.state) == ("TRAINED", State.SUCCEEDED)
    assert end.ended_at == NOON + timedelta(hours=1)


def test_L4_a_failed_training_says_why(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    simulator.account.plan = Plan(error="The dataset has too few anomalous images.")
    handle = lookout.start(an_order())
    simulator.clock.advance(20)
    seen = lookout.poll(handle)
    assert (seen.vendor_status, seen.state) == ("TRAINING_FAILED", State.FAILED)
    assert seen.message == "The dataset has too few anomalous images."
    assert not seen.performance.metrics


def test_L4_a_late_look_at_a_hosted_model_sees_a_training_that_succeeded(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    handle = lookout.start(an_order())
    end_now(simulator, handle)
    model = simulator.account.model(simulator.account.projects[PROJECT], handle["version"])
    model.change("STARTING_HOSTING", "HOSTED", NOON)
    seen = []
    for _ in range(2):
        seen.append(lookout.poll(handle))
        simulator.clock.advance(5)
    assert [s.vendor_status for s in seen] == ["STARTING_HOSTING", "HOSTED"]
    assert {s.state for s in seen} == {State.SUCCEEDED}
    assert all(s.performance.metrics for s in seen)


def test_L4_a_model_that_is_being_deleted_is_judged_by_its_evaluation(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    trained, failed = (lookout.start(an_order(job)) for job in (JOB, OTHER_JOB))
    end_now(simulator, trained)
    end_now(simulator, failed, error="no luck")
    for handle in (trained, failed):
        lookout.delete(handle)
    states = [lookout.poll(handle).state for handle in (trained, failed)]
    assert states == [State.SUCCEEDED, State.CANCELLING]
    simulator.clock.advance(5)
    for handle in (trained, failed):
        with pytest.raises(ProviderJobMissing):
            lookout.poll(handle)


def test_L4_no_cancel_exists_and_it_says_so(lookout: LookoutVision) -> None:
    with pytest.raises(NotSupported, match="Lookout for Vision has no call to cancel a training"):
        lookout.cancel(lookout.start(an_order()))
    assert not PROVIDER.can_cancel


# ---------------------------------------------------------------- L5: performance


def polled(**changes: Any) -> Any:
    """What a poll sees of the sample, with these members changed."""
    model = {**sample("model_trained.json")["ModelDescription"], **changes}
    return answering({"ModelDescription": model}).poll({"project": PROJECT, "version": "1"})


def test_L5_metrics_and_the_places_of_the_evaluation() -> None:
    seen = polled()
    assert seen.performance.metrics == {"F1Score": 0.96, "Precision": 0.94, "Recall": 0.98}
    assert seen.performance.artifacts == {
        "model": f"arn:aws:lookoutvision:us-east-1:123456789012:model/{PROJECT}/1",
        "output": "s3://lookout-results/circuits/",
        "evaluation_manifest": (
            "s3://lookout-results/circuits/circuit-boards-1/EvaluationManifest.json"
        ),
        "evaluation_result": "s3://lookout-results/circuits/circuit-boards-1/EvaluationResult.json",
    }
    assert seen.started_at == datetime(2020, 11, 5, 18, 46, 40, 123000, tzinfo=UTC)
    assert seen.ended_at == datetime(2020, 11, 5, 19, 46, 40, 500000, tzinfo=UTC)


def test_L5_they_come_with_the_end(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    handle = lookout.start(an_order())
    assert set(lookout.poll(handle).performance.artifacts) == {"model", "output"}
    end_now(simulator, handle)
    performance = lookout.poll(handle).performance
    assert performance.metrics == {"F1Score": 0.96, "Precision": 0.94, "Recall": 0.98}
    assert performance.artifacts["evaluation_result"].startswith("s3://lookout-results/circuits/")


@pytest.mark.parametrize("value", [None, "", "soon", [], {}, True, 1e300, -1e14])
def test_L5_what_is_no_number_or_time_does_not_spoil_the_answer(value: Any) -> None:
    seen = polled(
        CreationTimestamp=value,
        EvaluationEndTimestamp=value,
        Performance={"F1Score": value if value != -1e14 else None, "Recall": 0.5},
        OutputConfig=value,
        EvaluationManifest=value,
        StatusMessage=None,
    )
    assert (seen.state, seen.started_at, seen.ended_at) == (State.SUCCEEDED, None, None)
    assert seen.performance.metrics == {"Recall": 0.5}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"ModelDescription": None},
        {"ModelDescription": {"Status": "TRAINED"}},
        {"ModelDescription": {"Status": "", "ModelVersion": "1"}},
        {"ModelDescription": {"Status": 7, "ModelVersion": "1"}},
        {"ModelDescription": {"Status": "TRAINED", "ModelVersion": "latest"}},
    ],
)
def test_L5_an_answer_without_status_or_version_is_invalid(document: dict[str, Any]) -> None:
    with pytest.raises(ProviderReplyInvalid):
        answering(document).poll({"project": PROJECT, "version": "1"})
