"""No second training on a repeat: DeepVA's marker (D7)."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.deepva.service import JOB, a_provider, an_order
from trainbell.errors import (
    ProviderReplyInvalid,
    ProviderUnavailable,
)
from trainbell.providers.deepva.parameters import MAX_CHANGELOG, TrainParameters
from trainbell.providers.deepva.provider import MAX_PAGES, DeepVA
from trainbell.simulators.deepva import DeepVASimulator
from trainbell.simulators.deepva.trainings import LANDMARK_DATASET
from trainbell.simulators.faults import Fault, FaultKind


def test_D7_a_repeated_start_would_train_twice_so_the_marker_finds_the_first(
    deepva: DeepVA, simulator: DeepVASimulator
) -> None:
    simulator.faults.add(Fault(kind=FaultKind.LOST_ANSWER, method="POST"))
    with pytest.raises(Exception, match="502"):
        deepva.start(an_order(output_model_changelog="x" * MAX_CHANGELOG))
    found = deepva.find(an_order())
    assert found is not None
    kept = simulator.account.trainings[found["id"]].given["output_model_changelog"]
    assert kept == f"[trainbell:{JOB}] " + "x" * MAX_CHANGELOG
    deepva.start(an_order())
    assert simulator.starts[f"trainbell:{JOB}"] == 2  # The service itself does not care.


def test_D7_a_marker_on_another_dataset_is_not_ours(deepva: DeepVA) -> None:
    deepva.start(an_order(source_dataset_id=LANDMARK_DATASET))
    assert deepva.find(an_order()) is None


@pytest.mark.parametrize(
    "changelog", ["x" * (MAX_CHANGELOG + 1), "copied from [trainbell:01other]", 3]
)
def test_D7_a_changelog_leaves_room_for_the_marker(changelog: object) -> None:
    with pytest.raises(ValueError, match="output_model_changelog"):
        TrainParameters.model_validate(
            {**an_order().parameters, "output_model_changelog": changelog}
        )


def a_list(*pages: list[str], total: int) -> DeepVA:
    """A DeepVA whose list answers with these pages of ids, the last one for ever."""
    left = list(pages)

    def answer(_: httpx.Request) -> httpx.Response:
        ids = left.pop(0) if len(left) > 1 else left[0]
        data = [{"id": i, "state": "completed"} for i in ids]
        return httpx.Response(200, json={"total": total, "data": data})

    transport = httpx.MockTransport(answer)
    return a_provider("https://api.deepva.com/api/v1", transport=transport)


def test_D7_a_list_that_shrinks_while_it_is_read_is_never_not_found() -> None:
    first = [f"t{n}" for n in range(100)]
    with pytest.raises(ProviderUnavailable, match="changed while"):
        a_list(first, [f"t{n}" for n in range(150, 200)], total=140).find(an_order())
    with pytest.raises(ProviderUnavailable, match="changed while"):
        a_list(first, [], total=140).find(an_order())


def test_D7_a_list_that_is_too_long_is_never_not_found() -> None:
    endless = a_list([f"t{n}" for n in range(100)], total=10**9)
    with pytest.raises(ProviderReplyInvalid, match=f"more than {MAX_PAGES * 90} trainings"):
        endless.find(an_order())
