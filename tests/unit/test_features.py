"""docs/features.md names tests through the API for every documented feature, and is current."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api_clients import EmbeddedClient, a_service_on_disk
from tests.builders import FakeClock
from tests.doors.evidence import EMBEDDED, missing, noted
from tests.features import FEATURES, IN_THE_CLOUD, PAGE, Proof, Shown, page, proofs, unproven


def test_every_feature_is_shown_through_the_api() -> None:
    assert unproven(proofs()) == []
    assert len(FEATURES) == 46


def test_the_page_is_current() -> None:
    expected = page(proofs(), passed=True)
    assert PAGE.read_text() == expected, "run: python -m tests.features"


def test_a_feature_without_a_test_through_the_api_fails() -> None:
    found = proofs()
    found["A2"] = Proof(beside=["tests/contract/test_provider.py::test_A2_by_the_class"])
    assert unproven(found) == ["A2: embedded"]
    row = next(line for line in page(found, passed=True).splitlines() if line.startswith("| A2 "))
    assert row.endswith("| 1 | fail |")


@pytest.mark.parametrize("feature", IN_THE_CLOUD)
def test_an_operation_that_was_not_tried_in_the_cloud_fails(feature: str) -> None:
    found = proofs()
    found[feature] = Proof(
        through=[Shown(each.node, each.embedded, frozenset()) for each in found[feature].through]
    )
    wanted = [f"{feature}: {each}, cloud" for each in IN_THE_CLOUD[feature].split()]
    assert unproven(found) == wanted


def test_only_what_the_api_answered_counts(tmp_path: Path) -> None:
    services = a_service_on_disk(tmp_path, FakeClock())
    api = EmbeddedClient(services)
    with noted() as exchanges:
        services.store.next_due_at()  # Whatever is done without the API.
        assert missing(exchanges, EMBEDDED, ["start"]) == ["start"]
        refused = api.call("POST", "/v1/jobs", {"provider": "toy", "parameters": {"no": 1}})
        assert refused.status == 422
        assert missing(exchanges, EMBEDDED, ["refuse", "start"]) == ["start"]
        job = api.call("POST", "/v1/jobs", {"provider": "toy"})
        assert job.status == 201, job.text
        api.call("GET", f"/v1/jobs/{job.json()['id']}")
        # Nobody has looked at the service yet: a job that is only shown has not been polled.
        assert missing(exchanges, EMBEDDED, ["start", "poll"]) == ["poll"]
        assert missing(exchanges, "cloud", ["start"]) == ["start"]
    services.store.close()
