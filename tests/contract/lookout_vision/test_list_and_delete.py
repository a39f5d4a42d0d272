"""Describe, list by pages and delete at Lookout for Vision (L8)."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from tests.builders import NOON
from tests.contract.lookout_vision.service import (
    JOB,
    OTHER_JOB,
    OUTPUT,
    a_provider,
    an_order,
    answering,
    end_now,
    sample,
    say,
)
from trainbell.errors import (
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
)
from trainbell.providers.lookout_vision.finding import MAX_PAGES, MAX_TAG_LOOKUPS
from trainbell.providers.lookout_vision.provider import LookoutVision
from trainbell.simulators.lookout_vision import LookoutVisionSimulator
from trainbell.simulators.lookout_vision.account import PROJECT


@pytest.mark.parametrize("place", [0, 99, 100, 229])
def test_L8_the_list_is_read_to_its_end(
    lookout: LookoutVision, simulator: LookoutVisionSimulator, place: int
) -> None:
    project = simulator.account.projects[PROJECT]
    for number in range(230):
        mark = f"trainbell-{JOB}" if number == place else f"other-{number}"
        simulator.account.train(project, {"OutputConfig": OUTPUT, "Description": mark})
    found = lookout.find(an_order())
    assert found is not None
    assert found["version"] == str(place + 1)
    assert lookout.find(an_order(OTHER_JOB)) is None
    assert simulator.requests["GET"] <= 6


def test_L8_the_sample_of_a_page_reads_as_it_should() -> None:
    lookout = answering(sample("models_page.json"))
    assert [m.status for m in lookout.client.models(PROJECT).models] == [
        "TRAINING_FAILED",
        "HOSTED",
    ]
    found = lookout.find(an_order())
    assert found == {"project": PROJECT, "version": "2", "description": f"trainbell-{JOB}"}


def test_L8_a_list_without_end_is_never_not_found() -> None:
    endless = answering({"Models": [], "NextToken": "bmV4dA=="})
    with pytest.raises(ProviderReplyInvalid, match="too many"):
        endless.find(an_order())
    assert MAX_PAGES == 100


@pytest.mark.parametrize(("age_hours", "lookups"), [(0, MAX_TAG_LOOKUPS), (2, 0)])
def test_L8_tags_are_read_of_few_models_and_of_no_older_ones(age_hours: int, lookups: int) -> None:
    long = "x" * 500
    calls = []
    model = {
        "ModelVersion": "1",
        "Status": "TRAINED",
        "Description": long,
        "ModelArn": "arn:x/1",
        "CreationTimestamp": NOON.timestamp() - 3600 * age_hours,
    }

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.path)
        if "/tags/" in request.url.path:
            return httpx.Response(200, json={"Tags": []})
        return httpx.Response(200, json={"Models": [model] * 100, "NextToken": "bmV4dA=="})

    provider = a_provider(transport=httpx.MockTransport(handler))
    with pytest.raises(ProviderReplyInvalid, match="too many"):
        provider.find(replace(an_order(Description=long), requested_at=NOON))
    assert sum("/tags/" in path for path in calls) == lookups


def test_L8_delete_once_ended_and_not_hosted(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    handle = lookout.start(an_order())
    for status in (None, "HOSTED", "STARTING_HOSTING", "SYSTEM_UPDATING"):
        say(simulator, handle, status)
        with pytest.raises(ProviderRejected, match=status or "TRAINING"):
            lookout.delete(handle)
    say(simulator, handle, None)
    end_now(simulator, handle)
    assert simulator.requests["DELETE"] == 0
    lookout.delete(handle)
    simulator.clock.advance(5)
    with pytest.raises(ProviderJobMissing):
        lookout.delete(handle)
    assert lookout.find(an_order()) is None
