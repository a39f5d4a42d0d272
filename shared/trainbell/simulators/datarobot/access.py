"""Calls on `/customModels/{id}/accessControl/`."""

from __future__ import annotations

from typing import Any

from trainbell.simulators.datarobot.answers import Refused, body_of, page
from trainbell.simulators.datarobot.models import model_of
from trainbell.simulators.datarobot.world import World
from trainbell.simulators.service import Answer, Request

MAX_ROLES = 100
ROLES = (
    "ADMIN",
    "CONSUMER",
    "DATA_SCIENTIST",
    "EDITOR",
    "OBSERVER",
    "OWNER",
    "READ_ONLY",
    "READ_WRITE",
    "USER",
)


def list_roles(world: World, request: Request, model_id: str) -> Answer:
    if request.query.get("username") and request.query.get("userId"):
        raise Refused(400, "Both username and userId were specified.")
    roles = sorted(model_of(world, model_id).roles.items())

    def shown(entry: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        name, role = entry
        return {"username": name, "userId": f"id-of-{name.partition('@')[0]}", **role}

    return page(request, roles, shown, with_total=False)


def update_roles(world: World, request: Request, model_id: str) -> Answer:
    model = model_of(world, model_id)
    wishes = body_of(request).get("data")
    if not isinstance(wishes, list) or len(wishes) > MAX_ROLES:
        raise Refused(422, "Invalid field data", errors={"data": "a list of at most 100 roles"})
    roles = dict(model.roles)
    for wish in wishes:
        if not isinstance(wish, dict) or wish.get("username") not in world.users:
            raise Refused(422, "One of the users in the request does not exist.")
        if wish.get("role") is None:
            roles.pop(wish["username"], None)
        elif wish["role"] not in ROLES:
            raise Refused(422, "Invalid field data", errors={"role": f"none of {list(ROLES)}"})
        else:
            can_share = bool(wish.get("canShare", False))
            roles[wish["username"]] = {"role": wish["role"], "canShare": can_share}
    if all(role["role"] != "OWNER" for role in roles.values()):
        raise Refused(409, "The request would leave the custom model without an owner.")
    model.roles = roles
    return Answer(204)
