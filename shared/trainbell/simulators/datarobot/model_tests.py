"""Calls on `/customModelTests/`. A model has one running test at most."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from trainbell.simulators.datarobot.answers import Refused, accepted, body_of, page
from trainbell.simulators.datarobot.checks import CONFIGURATION, TEST_FIELDS, check, check_memory
from trainbell.simulators.datarobot.models import model_of
from trainbell.simulators.datarobot.records import OWNER, Test
from trainbell.simulators.datarobot.versions import version_of
from trainbell.simulators.datarobot.world import World
from trainbell.simulators.service import Answer, Request

CHECKS = ("longRunningService", "errorCheck", "nullValueImputation", "sideEffects")
DEFAULTS = {
    "longRunningService": "fail",
    "errorCheck": "fail",
    "nullValueImputation": "skip",
    "sideEffects": "skip",
}


def start_test(world: World, request: Request) -> Answer:
    given = body_of(request)
    check(given, TEST_FIELDS, "customModelId", "customModelVersionId")
    configuration = given.get("configuration") or {}
    if not isinstance(configuration, dict) or set(configuration) - set(CONFIGURATION):
        raise Refused(422, "Invalid field data", errors={"configuration": "no such check"})
    check(configuration, CONFIGURATION)
    check_memory(given)
    model = model_of(world, given["customModelId"])
    version = version_of(world, model.id, given["customModelVersionId"])
    _check_dataset(world, given, model.given.get("targetType") == "Unstructured")
    now = world.clock.now()
    if model.tests and model.tests[-1].work.is_active(now):  # One at a time: only the last may be.
        raise Refused(422, "Testing is already in progress for the custom model.")
    build = version.build
    if version.needs_build() and (build is None or build.status(now) != "COMPLETED"):
        raise Refused(422, "The version's dependencies must be built before testing.")
    work = world.begin("Testing", f"test of {model.id}")
    test = Test(
        model=model,
        version=version,
        work=work,
        given=given,
        configuration={**DEFAULTS, **configuration},
    )
    work.location = f"/customModelTests/{test.id}/"
    model.tests.append(test)
    world.tests[test.id] = test
    world.starts[f"test:{version.id}"] += 1
    return accepted(request, work, statusId=work.id)


def list_tests(world: World, request: Request) -> Answer:
    model_id = request.query.get("customModelId")
    if not model_id:
        raise Refused(422, "Invalid field data", errors={"customModelId": "is required"})
    model = world.models.get(model_id)
    # Newest first: the vendor's client takes the first of the list for the one it has started.
    found = model.tests[::-1] if model else []
    return page(request, found, lambda test: shown(world, test))


def get_test(world: World, _: Request, test_id: str) -> Answer:
    return Answer.json(shown(world, _test(world, test_id)))


def cancel_test(world: World, _: Request, test_id: str) -> Answer:
    test = _test(world, test_id)
    now = world.clock.now()
    if not test.work.is_active(now):
        raise Refused(409, "Testing attempt has already reached a terminal state.")
    test.work.cancel(now)
    return Answer(204)


def read_log(world: World, _: Request, test_id: str) -> Answer:
    test = _test(world, test_id)
    lines = _log(world, test)
    if not lines:
        raise Refused(404, "No testing log found.")
    name = f"attachment;filename=testing-{test.id}.log"
    body = ("\n".join(lines) + "\n").encode()
    return Answer(200, body, "text/plain", {"Content-Disposition": name})


def read_tail(world: World, request: Request, test_id: str) -> Answer:
    test = _test(world, test_id)
    wanted = request.query.get("lines", "100")
    if not wanted.isdigit() or not 1 <= int(wanted) <= 1000:
        raise Refused(400, "The number of lines must be from 1 to 1000.")
    return Answer.json({"log": "\n".join(_log(world, test)[-int(wanted) :])})


def shown(world: World, test: Test) -> dict[str, Any]:
    now = world.clock.now()
    checks = _checks(test, now)
    ended = not test.work.is_active(now)
    given = test.given
    return {
        "id": test.id,
        "overallStatus": _overall(test, checks, now),
        "testingStatus": {
            name: {"status": status, "message": message}
            for name, (status, message) in checks.items()
        },
        "created": world.time(test.work.created_at),
        "createdBy": OWNER,
        "completedAt": world.time(test.work.ends_at) if ended else "",
        "customModel": {"id": test.model.id, "name": test.model.given["name"]},
        "customModelVersion": {"id": test.version.id, "label": test.version.label},
        # Documented as null unless it succeeded; the vendor's client reads no answer with a null.
        "customModelImageId": test.image_id,
        "imageType": "customModelVersion",
        "datasetId": given.get("datasetId"),
        "datasetVersionId": given.get("datasetVersionId"),
        "executionEnvironment": {"id": given.get("environmentId") or "", "name": "Python 3"},
        "executionEnvironmentVersion": {"id": "", "label": "1"},
        "desiredMemory": given.get("desiredMemory"),
        "maximumMemory": given.get("maximumMemory"),
        "networkEgressPolicy": given.get("networkEgressPolicy"),
        "replicas": given.get("replicas"),
        "requiresHa": given.get("requiresHa"),
        "resourceBundleId": given.get("resourceBundleId"),
    }


def _overall(test: Test, checks: dict[str, tuple[str, str]], now: datetime) -> str:
    if test.work.plan.word is not None:
        return test.work.plan.word
    if test.work.cancelled_at is not None:
        return "canceled"
    if now < test.work.runs_from:
        return "queued"
    if test.work.is_active(now):
        return "in_progress"
    words = {status for status, _ in checks.values()}
    return next((word for word in ("failed", "aborted", "warning") if word in words), "succeeded")


def _checks(test: Test, now: datetime) -> dict[str, tuple[str, str]]:
    """Each check's status and message. They run one after the other; when the model cannot even be
    launched, the rest is aborted."""
    work = test.work
    done = work.progress(now) * len(CHECKS)
    trouble = dict(work.plan.trouble)
    if work.plan.error:
        trouble.setdefault("errorCheck", work.plan.error)
    found: dict[str, tuple[str, str]] = {}
    for number, name in enumerate(CHECKS):
        wish = test.configuration[name]
        if wish == "skip":
            found[name] = ("skipped", "")
        elif work.cancelled_at is not None and done < number + 1:
            found[name] = ("canceled", "")
        elif done < number + 1:
            running = now >= work.runs_from and done >= number
            found[name] = ("in_progress", "") if running else ("queued", "")
        elif name in trouble:
            found[name] = ("warning" if wish == "warn" else "failed", trouble[name])
        elif found.get("longRunningService", ("", ""))[0] == "failed":
            found[name] = ("aborted", "")
        else:
            found[name] = ("succeeded", "")
    return found


def _log(world: World, test: Test) -> list[str]:
    now = world.clock.now()
    if now < test.work.runs_from:
        return []
    lines = [f"testing version {test.version.label} of {test.model.given['name']}"]
    lines += [f"row {n}: prediction made" for n in range(int(test.work.progress(now) * 1200))]
    if not test.work.is_active(now):
        lines += [f"{name}: {s} {m}".rstrip() for name, (s, m) in _checks(test, now).items()]
    return lines


def _check_dataset(world: World, given: dict[str, Any], unstructured: bool) -> None:
    dataset_id = given.get("datasetId")
    if dataset_id is None:
        if unstructured:
            return
        raise Refused(422, "datasetId is required for this model.")
    dataset = world.datasets.get(dataset_id)
    if dataset is None or dataset.is_deleted:
        raise Refused(404, "Custom model or dataset not found.")
    if not dataset.is_snapshot:
        raise Refused(422, "The dataset used for testing is not snapshotted.")


def _test(world: World, test_id: str) -> Test:
    test = world.tests.get(test_id)
    if test is None:
        raise Refused(404, "The testing history entry cannot be found.")
    return test
