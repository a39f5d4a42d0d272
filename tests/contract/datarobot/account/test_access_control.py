"""Roles on a custom model at DataRobot (R12)."""

from __future__ import annotations

import httpx
import pytest
from pydantic import ValidationError

from trainbell.errors import (
    InputInvalid,
    ProviderRejected,
)
from trainbell.providers.datarobot.client import DataRobotClient
from trainbell.providers.datarobot.resources.fields import (
    Grant,
)
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.datarobot.records import OWNER
from trainbell.simulators.datarobot.world import (
    MODEL,
)


def a_grant(username: str, role: str | None, can_share: bool | None = None) -> Grant:
    return Grant.model_validate({"username": username, "role": role, "canShare": can_share})


def test_R12_roles_are_given_and_taken_and_an_owner_stays(client: DataRobotClient) -> None:
    ann = "ann@example.com"
    client.access.update(MODEL, [a_grant(ann, "EDITOR", can_share=True)])
    roles = {each.username: (each.role, each.can_share) for each in client.access.list(MODEL).items}
    assert roles == {OWNER: ("OWNER", True), ann: ("EDITOR", True)}
    with pytest.raises(ProviderRejected, match="without an owner") as raised:
        client.access.update(MODEL, [a_grant(OWNER, None)])
    assert raised.value.http_status == 409
    client.access.update(MODEL, [a_grant(ann, "OWNER"), a_grant(OWNER, None)])
    assert [each.username for each in client.access.list(MODEL).items] == [ann]
    with pytest.raises(ProviderRejected, match="does not exist") as unknown:
        client.access.update(MODEL, [a_grant("nobody@example.com", "USER")])
    assert unknown.value.http_status == 422


def test_R12_at_most_100_roles_in_one_request(
    client: DataRobotClient, simulator: DataRobotSimulator, http: httpx.Client
) -> None:
    simulator.world.users += tuple(f"user{n}@example.com" for n in range(101))
    grants = [a_grant(f"user{n}@example.com", "USER") for n in range(101)]
    for wrong in ([], grants):
        with pytest.raises(InputInvalid, match="1 to 100"):
            client.access.update(MODEL, wrong)
    body = {"data": [grant.body() for grant in grants]}
    assert http.patch(f"customModels/{MODEL}/accessControl/", json=body).status_code == 422
    client.access.update(MODEL, grants[:100])
    assert len(client.access.list(MODEL).items) == 101


@pytest.mark.parametrize("role", ["owner", "BOSS", ""])
def test_R12_only_documented_roles(role: str) -> None:
    with pytest.raises(ValidationError):
        a_grant("ann@example.com", role)
