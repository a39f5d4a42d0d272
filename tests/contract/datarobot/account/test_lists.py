"""Limits and paged lists at DataRobot (R11)."""

from __future__ import annotations

import httpx
import pytest

from trainbell.providers.datarobot.client import DataRobotClient
from trainbell.simulators.datarobot import DataRobotSimulator


def test_R11_limits(client: DataRobotClient) -> None:
    limits = client.models.limits()
    assert limits.max_custom_model_container_size == 15_032_385_536
    assert limits.max_custom_model_replicas_per_deployment == 8
    assert limits.max_custom_model_testing_parallel_users == 20


def test_R11_pages_have_absolute_neighbours_and_need_neither_offset_nor_limit(
    http: httpx.Client, simulator: DataRobotSimulator
) -> None:
    for number in range(249):
        simulator.world.add_model(f"m{number}", f"v{number}", name=f"Model {number}")
    first = http.get("customModels/").json()
    assert (first["count"], first["totalCount"], first["previous"]) == (100, 250, None)
    seen, page = list(first["data"]), first
    while page["next"]:
        assert page["next"].startswith("http://127.0.0.1")
        page = http.get(page["next"]).json()
        seen += page["data"]
    assert len({model["id"] for model in seen}) == 250
    assert "offset=100" in page["previous"]
    narrow = http.get("customModels/", params={"limit": 7, "offset": 7, "searchFor": "1"}).json()
    assert narrow["count"] == 7
    assert "searchFor=1" in narrow["next"]
    assert "offset=0" in narrow["previous"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "offset=-1", "orderBy=name", "isDeployed=yes"]
)
def test_R11_wrong_queries_are_422(http: httpx.Client, query: str) -> None:
    assert http.get(f"customModels/?{query}").status_code == 422


def test_R11_the_client_reads_lists_of_many_pages(
    client: DataRobotClient, simulator: DataRobotSimulator
) -> None:
    for number in range(249):
        simulator.world.add_model(f"m{number}", f"v{number}")
    assert len(client.models.list().items) == 250
    assert client.models.count() == 250
    assert simulator.requests["GET"] == 4
