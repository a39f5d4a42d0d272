"""Calls on `/status/`."""

from __future__ import annotations

from typing import Any

from trainbell.simulators.datarobot.answers import Refused, page, url
from trainbell.simulators.datarobot.work import Work
from trainbell.simulators.datarobot.world import World
from trainbell.simulators.service import Answer, Request


def list_statuses(world: World, request: Request) -> Answer:
    newest_first = list(world.statuses.values())[::-1]
    return page(request, newest_first, lambda work: _shown(world, work), all_by_zero=True)


def get_status(world: World, request: Request, status_id: str) -> Answer:
    work = _status(world, status_id)
    if work.plan.word is None and work.location and work.status(world.clock.now()) == "COMPLETED":
        return Answer(303, headers={"Location": url(request, work.location)})
    return Answer.json(_shown(world, work))


def drop_status(world: World, _: Request, status_id: str) -> Answer:
    """The record goes; the work itself goes on."""
    del world.statuses[_status(world, status_id).id]
    return Answer(204)


def _status(world: World, status_id: str) -> Work:
    work = world.statuses.get(status_id)
    if work is None:
        raise Refused(404, "Status not found.")
    return work


def _shown(world: World, work: Work) -> dict[str, Any]:
    status = work.plan.word or work.status(world.clock.now())
    shown = {
        "statusId": work.id,
        "status": status,
        "created": world.time(work.created_at),
        "code": 1 if status == "ERROR" else 0,
        "message": work.plan.error if status == "ERROR" else "",
        "description": work.description,
        "statusType": "",
    }
    return shown if work.type is None else {**shown, "type": work.type}
