"""DataRobot: the conformance suite, and each documented feature (R1 to R8), at the simulator."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from typing import Any, cast

import httpx
import pytest
from pydantic import ValidationError

from tests.builders import NOON, FakeClock, a_connection
from tests.inner_provider import inner
from tests.open_secrets import OpenSecrets
from trainbell.conformance import HttpConformance, HttpSubject
from trainbell.domain.job import State
from trainbell.domain.observation import OBSERVABLE_STATES
from trainbell.errors import (
    NotSupported,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.ports import Handle, Provider, StartOrder
from trainbell.providers.catalog import Catalog
from trainbell.providers.datarobot import PROVIDER
from trainbell.providers.datarobot import status_map as tables
from trainbell.providers.datarobot.provider import DataRobot
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.datarobot import DataRobotSimulator, records
from trainbell.simulators.datarobot.model_tests import DEFAULTS
from trainbell.simulators.datarobot.service import API_KEY
from trainbell.simulators.datarobot.work import Plan, Work
from trainbell.simulators.datarobot.world import (
    DATASET,
    DELETED_DATASET,
    LIVE_DATASET,
    MAIN_FILE,
    MODEL,
    REPOSITORY,
    VERSION,
)
from trainbell.simulators.faults import Fault, FaultKind
from trainbell.simulators.server import running

JOB = "01jobaaaaaaaaaaaaaaaaaaaaa"
OF_VERSION = {"customModelId": MODEL, "customModelVersionId": VERSION}
PARAMETERS: dict[str, dict[str, Any]] = {
    "test": {**OF_VERSION, "datasetId": DATASET},
    "build_dependencies": OF_VERSION,
    "convert": {**OF_VERSION, "mainProgramItemId": MAIN_FILE},
    "feature_impact": {**OF_VERSION, "rowCount": 10_000},
    "explain": OF_VERSION,
    "assign_training_data": {
        "customModelId": MODEL,
        "datasetId": DATASET,
        "route": "training_data",
    },
    "import_version": {"customModelId": MODEL, "repositoryId": REPOSITORY, "ref": "main"},
}


class OneSecret(OpenSecrets):
    def __init__(self, secret: str) -> None:
        self.secret = secret

    def read(self, reference: str) -> str:
        return self.secret


def a_provider(
    base_url: str,
    secret: str = API_KEY,
    transport: httpx.BaseTransport | None = None,
    clock: FakeClock | None = None,
) -> DataRobot:
    catalog = Catalog(OneSecret(secret), clock or FakeClock(), transport=transport)
    client = inner(catalog.client(a_connection(name="dr", provider="datarobot", base_url=base_url)))
    assert isinstance(client, DataRobot)
    return client


def an_order(kind: str = "test", sent_at: Any = NOON, **parameters: Any) -> StartOrder:
    return StartOrder(
        job_id=JOB, kind=kind, parameters={**PARAMETERS[kind], **parameters}, sent_at=sent_at
    )


def fresh_simulator() -> DataRobotSimulator:
    return DataRobotSimulator(SimulatorClock(speed=0, start=NOON))


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[DataRobotSimulator, str]]:
    simulator = fresh_simulator()
    with running(simulator) as url:
        yield simulator, url + simulator.base_path


@pytest.fixture
def simulator(served: tuple[DataRobotSimulator, str]) -> DataRobotSimulator:
    """The one server, as if it had just started."""
    vars(served[0]).update(vars(fresh_simulator()))
    return served[0]


@pytest.fixture
def made() -> Iterator[list[Provider]]:
    providers: list[Provider] = []
    yield providers
    for provider in providers:
        provider.close()


@pytest.fixture
def base_url(served: tuple[DataRobotSimulator, str], simulator: DataRobotSimulator) -> str:
    return served[1]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def datarobot(base_url: str, made: list[Provider], clock: FakeClock) -> DataRobot:
    made.append(provider := a_provider(base_url, clock=clock))
    return provider


# ---------------------------------------------------------------- the conformance suite

ASYNCHRONOUS = frozenset({"INITIALIZED", "RUNNING", "COMPLETED", "ERROR", "ABORTED", "EXPIRED"})
NO_VERDICT = "ended without a verdict"
FLAGS = {
    "pending": (None, None, False),
    "in progress": (True, None, False),
    "stopping": (True, None, True),
    "succeeded": (False, True, False),
    "failed": (False, False, False),
    "stopped": (False, False, True),
    NO_VERDICT: (False, None, False),
}
"""conversionInProgress, conversionSucceeded and shouldStop: a conversion has no word."""
KINDS_WORDS: dict[str, tuple[Mapping[str, State], frozenset[str]]] = {
    "test": (
        tables.TEST_STATUSES,
        frozenset(
            {"not_tested", "queued", "in_progress", "succeeded", "warning", "failed"}
            | {"aborted", "skipped", "canceled"}
        ),
    ),
    "build_dependencies": (
        {k: v for k, v in tables.BUILD_STATUSES.items() if k != tables.NOT_STARTED},
        frozenset({"submitted", "processing", "failed", "success"}),
    ),
    "convert": (tables.CONVERSION_STATUSES, frozenset(FLAGS) - {NO_VERDICT}),
}
CROWD = 120


class Works:
    """What the suite must be able to do at the simulator, with each kind of job. Each job is about
    a model and a version of its own: nothing else can tell two jobs apart."""

    def __init__(self, simulator: DataRobotSimulator, clock: FakeClock, kind: str) -> None:
        self.simulator, self.clock, self.kind = simulator, clock, kind
        of_model = kind in ("assign_training_data", "import_version")
        self.about = "model" if of_model else "version"

    def order(self, job_id: str) -> StartOrder:
        model_id, version_id = f"model-{job_id}", f"version-{job_id}"
        if model_id not in self.simulator.world.models:
            trained = self.kind != "assign_training_data"
            self.simulator.world.add_model(model_id, version_id, trained=trained)
        ids = {"customModelId": model_id, "customModelVersionId": version_id}
        known = {name: ids[name] for name in ids if name in PARAMETERS[self.kind]}
        parameters = {**PARAMETERS[self.kind], **known}
        return StartOrder(job_id=job_id, kind=self.kind, parameters=parameters, sent_at=NOON)

    def bad_order(self, job_id: str) -> StartOrder:
        wrong = {
            "assign_training_data": {"datasetId": "no-such-dataset"},
            "import_version": {"repositoryId": "no-such-repository"},
        }.get(self.kind, {"customModelVersionId": "no-such-version"})
        good = self.order(job_id)
        return replace(good, parameters={**good.parameters, **wrong})

    def starts(self, job_id: str) -> int:
        return self.simulator.starts[f"{self.kind}:{self.about}-{job_id}"]

    def work(self, handle: Handle) -> Work:
        world = self.simulator.world
        if self.kind == "test":
            return world.tests[handle["id"]].work
        if "status" in handle:
            return world.statuses[handle["status"]]
        version = world.version(handle["model"], handle["version"])
        assert version is not None
        if self.kind == "convert":
            return next(c.work for c in version.conversions if c.id == handle["id"])
        work = version.impact if self.kind == "feature_impact" else version.build
        assert work is not None
        return work

    def finish(self, handle: Handle) -> None:
        self.simulator.world.end_now(self.work(handle))

    def say(self, handle: Handle, word: str) -> None:
        if self.kind == "convert":
            version = self.simulator.world.version(handle["model"], handle["version"])
            assert version is not None
            version.conversions[-1].flags = FLAGS[word]
            return
        # What a feature impact computed can be read once it has really ended.
        seconds = 0.0 if (self.kind, word) == ("feature_impact", "COMPLETED") else 20.0
        self.work(handle).plan = Plan(word=word, queued_seconds=0.0, running_seconds=seconds)

    def get_on(self) -> None:
        self.simulator.clock.advance(5)
        self.clock.advance(5)

    def settle(self) -> None:
        for work in self.simulator.world.statuses.values():
            self.simulator.world.end_now(work)

    def crowd(self) -> None:
        """Tests of other versions of the first job's model, and statuses of anybody's work."""
        world = self.simulator.world
        for number in range(CROWD):
            work = world.begin("Testing", "")
            if self.kind == "test":
                model = next(m for m in world.models.values() if m.id.startswith("model-"))
                version = replace(model.versions[0], id=f"version-{number}")
                given = {"customModelVersionId": version.id}
                model.tests.append(
                    records.Test(
                        model=model, version=version, work=work, given=given, configuration=DEFAULTS
                    )
                )


def is_same(one: Handle, other: Handle) -> bool:
    """A feature impact that was looked up has no status to read: the version tells it."""
    kept = [{k: v for k, v in each.items() if k != "status"} for each in (one, other)]
    return kept[0] == kept[1] if "version" in one else one == other


class TestConformance(HttpConformance):
    spec = PROVIDER

    @pytest.fixture
    def works(self, job_kind: str, simulator: DataRobotSimulator, clock: FakeClock) -> Works:
        return Works(simulator, clock, job_kind)

    @pytest.fixture
    def subject(
        self, works: Works, base_url: str, datarobot: DataRobot, made: list[Provider]
    ) -> HttpSubject:
        def another(url: str = base_url, **wanted: Any) -> DataRobot:
            made.append(provider := a_provider(url, **wanted))
            return provider

        job_kind = works.kind
        words, documented = KINDS_WORDS.get(job_kind, (tables.ASYNC_STATUSES, ASYNCHRONOUS))
        undecided = job_kind in ("explain", "assign_training_data", "import_version")
        return HttpSubject(
            spec=PROVIDER,
            provider=datarobot,
            order=works.order,
            bad_order=works.bad_order,
            starts=works.starts,
            finish=works.finish,
            unknown_handle={
                **dict.fromkeys(("id", "model", "version", "status"), "nope"),
                "kind": job_kind,
            },
            status_map=words,
            documented_statuses=documented,
            package="trainbell.providers.datarobot",
            fault=works.simulator.faults.add,
            secret=API_KEY,
            with_secret=lambda secret: another(secret=secret),
            through=lambda transport: another(transport=transport),
            unreachable=another("http://127.0.0.1:1/api/v2"),
            say=works.say,
            unknown_status=NO_VERDICT if job_kind == "convert" else "rebalancing",
            start_method="PATCH" if job_kind == "assign_training_data" else "POST",
            start_has_body=not undecided,
            get_on=works.get_on,
            settle=works.settle if undecided else None,
            crowd=works.crowd if undecided or job_kind == "test" else None,
            same=is_same,
        )


def test_every_table_holds_only_what_can_be_seen() -> None:
    found = (getattr(tables, name) for name in dir(tables) if name.endswith("_STATUSES"))
    states = {state for table in found for state in table.values()}
    assert states <= OBSERVABLE_STATES
    assert set(tables.ASYNC_STATUSES) == {
        "INITIALIZED",
        "RUNNING",
        "COMPLETED",
        "ERROR",
        "ABORTED",
        "EXPIRED",
    }


# ---------------------------------------------------------------- every kind, to each end

ENDS = {
    "test": "succeeded",
    "build_dependencies": "success",
    "convert": "succeeded",
    "feature_impact": "COMPLETED",
    "explain": "COMPLETED",
    "assign_training_data": "COMPLETED",
    "import_version": "COMPLETED",
}


@pytest.mark.parametrize("kind", sorted(PARAMETERS))
def test_R8_every_kind_is_started_seen_and_ends(
    datarobot: DataRobot, simulator: DataRobotSimulator, kind: str
) -> None:
    simulator.world.plan = Plan(queued_seconds=5, running_seconds=20)
    handle = datarobot.start(an_order(kind))
    seen = [datarobot.poll(handle)]
    for seconds in (6, 30):
        simulator.clock.advance(seconds)
        seen.append(datarobot.poll(handle))
    states = [each.state for each in seen]
    # What runs on a bare version tells nothing of a queue.
    assert states[0] in (State.QUEUED, State.RUNNING)
    assert states[1:] == [State.RUNNING, State.SUCCEEDED]
    assert seen[-1].vendor_status == ENDS[kind]


@pytest.mark.parametrize("kind", sorted(PARAMETERS))
def test_R8_every_kind_says_why_it_failed(
    datarobot: DataRobot, simulator: DataRobotSimulator, kind: str
) -> None:
    simulator.world.plan = Plan(error="out of memory")
    handle = datarobot.start(an_order(kind))
    simulator.clock.advance(60)
    seen = datarobot.poll(handle)
    assert seen.state is State.FAILED
    if kind == "build_dependencies":  # Its log alone says why.
        assert datarobot.logs(handle, 1) == ["ERROR: out of memory"]
    else:
        assert "out of memory" in (seen.message or "")


@pytest.mark.parametrize("kind", sorted(PARAMETERS))
def test_R8_a_refused_start_is_no_start(
    datarobot: DataRobot, simulator: DataRobotSimulator, kind: str
) -> None:
    with pytest.raises(ProviderRejected) as raised:
        datarobot.start(an_order(kind, customModelId="nope"))
    assert raised.value.http_status == 404
    assert "message" in dict(cast("dict[str, str]", raised.value.details))
    with pytest.raises(ProviderRejected, match="the parameters are not those"):
        datarobot.start(an_order(kind, colour="red"))
    assert not simulator.starts


@pytest.mark.parametrize("kind", sorted(PARAMETERS))
def test_R8_a_start_that_never_was_is_not_found(datarobot: DataRobot, kind: str) -> None:
    assert datarobot.find(an_order(kind)) is None


@pytest.mark.parametrize("kind", sorted(PARAMETERS))
def test_R8_a_lost_start_is_found_and_never_sent_again(
    datarobot: DataRobot, simulator: DataRobotSimulator, kind: str
) -> None:
    """Where only an asynchronous status could find it, that is undecided until it has ended."""
    simulator.faults.add(Fault(kind=FaultKind.LOST_ANSWER, method="POST"))
    simulator.faults.add(Fault(kind=FaultKind.LOST_ANSWER, method="PATCH"))
    with pytest.raises(StartOutcomeUnknown):
        datarobot.start(an_order(kind))
    simulator.faults.replace()
    if kind in ("explain", "assign_training_data", "import_version"):
        with pytest.raises(ProviderUnavailable, match="does not say what it is"):
            datarobot.find(an_order(kind))
        simulator.clock.advance(60)
    handle = datarobot.find(an_order(kind))
    assert handle is not None
    simulator.clock.advance(60)
    assert datarobot.poll(handle).state is State.SUCCEEDED
    assert sum(simulator.starts.values()) == 1


@pytest.mark.parametrize("kind", ["test", "build_dependencies", "convert", "import_version"])
def test_R8_what_was_made_before_is_never_taken_for_a_lost_start(
    datarobot: DataRobot, simulator: DataRobotSimulator, kind: str
) -> None:
    datarobot.start(an_order(kind))
    simulator.clock.advance(3600)
    later = NOON + timedelta(hours=1)
    late = a_provider(datarobot.client.http.base_url, clock=FakeClock(later))
    assert late.find(an_order(kind, sent_at=later)) is None
    late.close()


def test_R8_another_models_work_is_never_taken_for_a_lost_start(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    simulator.world.add_model("other-model", "other-version")
    ids = {"customModelId": "other-model", "customModelVersionId": "other-version"}
    datarobot.start(an_order("explain", **ids))
    simulator.clock.advance(60)
    assert datarobot.find(an_order("explain")) is None
    assert datarobot.find(an_order("explain", **ids)) is not None


@pytest.mark.parametrize("kind", ["explain", "assign_training_data", "import_version"])
@pytest.mark.parametrize("location", ["", f"/customModels/{MODEL}/", "/projects/p/"])
def test_R8_a_link_that_names_too_little_decides_nothing(
    datarobot: DataRobot, simulator: DataRobotSimulator, kind: str, location: str
) -> None:
    change = {"route": "with_training_data"} if kind == "assign_training_data" else {}
    simulator.world.models[MODEL].given["isTrainingDataForVersionsPermanentlyEnabled"] = True
    handle = datarobot.start(an_order(kind, **change))
    simulator.clock.advance(60)
    simulator.world.settle()
    simulator.world.statuses[handle["status"]].location = location
    with pytest.raises(ProviderUnavailable, match="does not say"):
        datarobot.find(an_order(kind, **change))


def test_R8_an_import_of_another_reference_is_not_ours(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    handle = datarobot.start(an_order("import_version", sourcePath="src/"))
    simulator.clock.advance(60)
    assert datarobot.find(an_order("import_version", ref="v2", sourcePath="src/")) is None
    assert datarobot.find(an_order("import_version", sourcePath="lib/")) is None
    assert datarobot.find(an_order("import_version", sourcePath="src/")) == handle


def test_R8_the_services_clock_may_be_wrong(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    """An hour slow: its tests look older than the start, and its Date header says why."""
    simulator.clock.skew_seconds = -3600
    handle = datarobot.start(an_order())
    assert datarobot.find(an_order()) == handle


def test_R8_without_a_time_nothing_is_looked_up(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    with pytest.raises(ProviderReplyInvalid, match="by the time"):
        datarobot.find(an_order(sent_at=None))


@pytest.mark.parametrize(("word", "state"), [*tables.ASYNC_STATUSES.items(), ("REBALANCING", None)])
def test_R8_each_status_reads_as_the_table_says(
    datarobot: DataRobot, simulator: DataRobotSimulator, word: str, state: State | None
) -> None:
    handle = datarobot.start(an_order("explain"))
    simulator.world.statuses[handle["status"]].plan = Plan(word=word)
    seen = datarobot.poll(handle)
    assert (seen.vendor_status, seen.state) == (word, state)


def test_R8_a_status_that_is_gone_is_missing(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    handle = datarobot.start(an_order("explain"))
    datarobot.client.statuses.forget(handle["status"])
    with pytest.raises(ProviderJobMissing):
        datarobot.poll(handle)


def test_R8_a_303_names_what_was_made(datarobot: DataRobot, simulator: DataRobotSimulator) -> None:
    handle = datarobot.start(an_order("import_version"))
    simulator.clock.advance(60)
    artifacts = datarobot.poll(handle).performance.artifacts
    made = simulator.world.models[MODEL].versions[-1]
    assert artifacts == {
        "model": f"datarobot:customModels/{MODEL}",
        "version": f"datarobot:customModels/{MODEL}/versions/{made.id}",
    }


def answering(*responses: httpx.Response) -> DataRobot:
    left = list(responses)
    transport = httpx.MockTransport(lambda _: left.pop(0))
    return a_provider("https://app.datarobot.com/api/v2", transport=transport)


def test_R8_a_307_leads_to_another_status_and_to_no_other_host() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if request.url.path.endswith("/old/"):
            return httpx.Response(
                307, headers={"Location": "https://elsewhere.example/api/v2/status/new/"}
            )
        return httpx.Response(200, json={"statusId": "new", "status": "RUNNING"})

    provider = a_provider("https://app.datarobot.com/api/v2", transport=httpx.MockTransport(answer))
    seen = provider.poll({"kind": "explain", "model": "m", "status": "old"})
    assert seen.state is State.RUNNING
    assert asked[-1] == "https://app.datarobot.com/api/v2/status/new/"


@pytest.mark.parametrize(
    ("status", "headers"),
    [(202, {}), (202, {"Location": "https://x/elsewhere/"}), (200, {"Location": "/status/a/"})],
)
def test_R8_a_start_without_a_status_to_watch_is_unclear(
    status: int, headers: dict[str, str]
) -> None:
    with pytest.raises(StartOutcomeUnknown, match="202"):
        answering(httpx.Response(status, headers=headers)).start(an_order("explain"))


def test_R8_a_list_that_changes_while_it_is_read_is_never_not_found() -> None:
    page: dict[str, Any] = {"data": [], "next": None, "totalCount": 3}
    with pytest.raises(ProviderUnavailable, match="changed while"):
        answering(httpx.Response(200, json=page)).find(an_order())
    endless = {"data": [], "next": "https://app.datarobot.com/more", "totalCount": 3}
    with pytest.raises(ProviderReplyInvalid, match="does not end"):
        answering(httpx.Response(200, json=endless)).find(an_order())


@pytest.mark.parametrize(
    "handle", [{}, {"kind": "test"}, {"kind": "test", "id": ".."}, {"kind": 1}]
)
def test_a_handle_without_an_id_is_of_no_job(datarobot: DataRobot, handle: Handle) -> None:
    with pytest.raises(ProviderJobMissing):
        datarobot.poll(handle)


# ---------------------------------------------------------------- R1: tests


def test_R1_each_check_has_its_status_and_message(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    trouble = {"sideEffects": "row 3 differs", "nullValueImputation": "cannot impute"}
    simulator.world.plan = Plan(trouble=trouble)
    checks = {"sideEffects": "warn", "nullValueImputation": "fail", "errorCheck": "skip"}
    handle = datarobot.start(an_order(configuration=checks))
    simulator.clock.advance(60)
    seen = datarobot.poll(handle)
    assert (seen.vendor_status, seen.state) == ("failed", State.FAILED)
    assert seen.message == (
        "nullValueImputation failed: cannot impute; sideEffects warning: row 3 differs"
    )
    assert seen.error_details == {
        "nullValueImputation": {"status": "failed", "message": "cannot impute"}
    }
    assert seen.performance.per_tag == {
        "longRunningService": {"succeeded": 1.0},
        "errorCheck": {"skipped": 1.0},
        "nullValueImputation": {"failed": 1.0},
        "sideEffects": {"warning": 1.0},
    }
    assert seen.performance.metrics["checks_failed"] == 1.0


def test_R1_a_warning_is_a_success_that_says_so(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    simulator.world.plan = Plan(trouble={"sideEffects": "row 3 differs"})
    handle = datarobot.start(an_order(configuration={"sideEffects": "warn"}))
    simulator.clock.advance(60)
    seen = datarobot.poll(handle)
    assert (seen.state, seen.message) == (State.SUCCEEDED, "sideEffects warning: row 3 differs")


def test_R1_the_running_check_is_the_stage(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    simulator.world.plan = Plan(queued_seconds=0, running_seconds=40)
    handle = datarobot.start(an_order())
    assert datarobot.poll(handle).stage == "longRunningService"
    simulator.clock.advance(11)
    assert datarobot.poll(handle).stage == "errorCheck"


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"datasetId": LIVE_DATASET}, 422, "not snapshotted"),
        ({"datasetId": "nope"}, 404, "not found"),
        ({"datasetId": None}, 422, "datasetId is required"),
    ],
)
def test_R1_the_services_refusals_are_told_apart(
    datarobot: DataRobot, change: dict[str, Any], status: int, says: str
) -> None:
    with pytest.raises(ProviderRejected, match=says) as raised:
        datarobot.start(an_order(**change))
    assert raised.value.http_status == status


def test_R1_a_model_has_one_running_test(datarobot: DataRobot) -> None:
    datarobot.start(an_order())
    with pytest.raises(ProviderRejected, match="already in progress") as raised:
        datarobot.start(an_order())
    assert raised.value.http_status == 422


def test_R1_a_test_that_was_taken_but_is_not_seen_is_unclear(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    """A throttled look at the list must never look like a throttled start, which is sent again."""
    simulator.faults.add(Fault(kind=FaultKind.THROTTLED, method="GET"))
    with pytest.raises(StartOutcomeUnknown, match="took the test"):
        datarobot.start(an_order())
    assert datarobot.find(an_order()) is not None


def valid(kind: str, **parameters: Any) -> bool:
    try:
        PROVIDER.kinds[kind].parameters.model_validate({**PARAMETERS[kind], **parameters})
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("desiredMemory", [134_217_728, 15_032_385_536], [134_217_727, 15_032_385_537, "1"]),
        ("maximumMemory", [134_217_728, 15_032_385_536], [134_217_727, 15_032_385_537, True]),
        ("replicas", [1, 8], [0, 9]),
        ("networkEgressPolicy", ["NONE", "PUBLIC"], ["DR_API_ACCESS"]),
        ("requiresHa", [True], ["true"]),
        ("datasetId", ["a" * 64], ["", "a/b", "a" * 65]),
        ("configuration", [{"errorCheck": "skip"}, {}], [{"errorCheck": "warn"}]),
        ("configuration", [{"longRunningService": "fail"}], [{"longRunningService": "skip"}]),
        ("configuration", [{"sideEffects": "warn"}], [{"sideEffects": "no"}, {"speed": "fail"}]),
    ],
)
def test_R1_bounds_of_a_test(name: str, good: list[Any], bad: list[Any]) -> None:
    assert all(valid("test", **{name: value}) for value in good)
    assert not any(valid("test", **{name: value}) for value in bad)


def test_R1_a_resource_bundle_excludes_memory() -> None:
    assert valid("test", resourceBundleId="b")
    assert not valid("test", resourceBundleId="b", maximumMemory=134_217_728)


# ---------------------------------------------------------------- R2: log, tail, cancel


def test_R2_the_log_and_its_tail(datarobot: DataRobot, simulator: DataRobotSimulator) -> None:
    handle = datarobot.start(an_order())
    assert datarobot.logs(handle, 10) == []
    simulator.clock.advance(60)
    assert datarobot.logs(handle, 4)[-1] == "sideEffects: skipped"
    assert len(datarobot.logs(handle, 1)) == 1
    assert len(datarobot.logs(handle, 1000)) == 1000
    assert len(datarobot.client.tests.tail(handle["id"])) == 100
    assert len(datarobot.client.tests.log(handle["id"]).splitlines()) == 1205


def test_R2_a_cancel_ends_it_and_a_late_one_does_no_harm(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    handle = datarobot.start(an_order())
    datarobot.cancel(handle)
    assert datarobot.poll(handle).state is State.CANCELLED
    datarobot.cancel(handle)
    with pytest.raises(ProviderRejected) as raised:
        datarobot.client.tests.cancel(handle["id"])
    assert raised.value.http_status == 409
    with pytest.raises(ProviderJobMissing):
        datarobot.cancel({"kind": "test", "id": "nope"})


# ---------------------------------------------------------------- R3: dependency builds


def test_R3_a_build_has_a_log_once_it_has_ended(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    handle = datarobot.start(an_order("build_dependencies"))
    assert datarobot.logs(handle, 10) == []
    simulator.clock.advance(60)
    assert datarobot.logs(handle, 2) == [
        "Step 40/40 : RUN pip install",
        "Successfully built the image",
    ]


def test_R3_a_cancelled_build_is_gone_and_only_then_cancelled(
    datarobot: DataRobot, simulator: DataRobotSimulator, clock: FakeClock
) -> None:
    """Right after a start, "not started" may be the service's delay."""
    handle = datarobot.start(an_order("build_dependencies"))
    datarobot.cancel(handle)
    datarobot.cancel(handle)
    clock.advance(59)
    with pytest.raises(ProviderJobMissing):
        datarobot.poll(handle)
    clock.advance(1)
    seen = datarobot.poll(handle)
    assert (seen.vendor_status, seen.state) == (tables.NOT_STARTED, State.CANCELLED)
    assert datarobot.logs(handle, 5) == []


def test_R3_an_ended_build_cannot_be_cancelled(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    handle = datarobot.start(an_order("build_dependencies"))
    simulator.clock.advance(60)
    datarobot.cancel(handle)
    assert datarobot.poll(handle).state is State.SUCCEEDED
    with pytest.raises(ProviderRejected, match="422"):
        datarobot.start(an_order("build_dependencies"))


@pytest.mark.parametrize(
    ("body", "lines"),
    [(b"plain\ntext", ["plain", "text"]), (b'{"data": "cGxhaW4="}', ["plain"])],
)
def test_R3_a_log_in_another_form_is_read_too(body: bytes, lines: list[str]) -> None:
    provider = answering(httpx.Response(200, content=body))
    assert provider.logs({"kind": "build_dependencies", "model": "m", "version": "v"}, 9) == lines


def test_R3_a_log_that_unpacks_to_too_much_is_refused() -> None:
    bomb = gzip.compress(b"0" * 30_000_000)
    provider = answering(httpx.Response(200, content=bomb))
    with pytest.raises(ProviderReplyInvalid, match="larger than"):
        provider.logs({"kind": "build_dependencies", "model": "m", "version": "v"}, 9)


# ---------------------------------------------------------------- R4: conversions


def test_R4_a_conversion_is_stopped(datarobot: DataRobot, simulator: DataRobotSimulator) -> None:
    handle = datarobot.start(an_order("convert"))
    assert datarobot.poll(handle).vendor_status == "pending"
    datarobot.cancel(handle)
    assert datarobot.poll(handle).state is State.CANCELLED
    datarobot.cancel(handle)
    with pytest.raises(ProviderRejected) as raised:
        datarobot.client.conversions.stop(MODEL, VERSION, handle["id"])
    assert raised.value.http_status == 422


def test_R4_conversions_are_listed_and_the_latest_told(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    ids = [datarobot.start(an_order("convert"))["id"] for _ in range(3)]
    conversions = datarobot.client.conversions
    assert [c.id for c in conversions.list(MODEL, VERSION).items] == ids[::-1]
    latest = conversions.list(MODEL, VERSION, latest_only=True).items
    assert [c.id for c in latest] == ids[-1:]


def test_R4_what_it_made_is_an_artifact(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    handle = datarobot.start(an_order("convert"))
    simulator.clock.advance(60)
    assert datarobot.poll(handle).performance.artifacts == {"output_1": "WORK.SCORED"}
    assert datarobot.logs(handle, 1) == ["NOTE: converted"]


@pytest.mark.parametrize(
    ("in_progress", "succeeded", "should_stop", "word"),
    [
        (None, None, False, "pending"),
        (True, None, False, "in progress"),
        (True, None, True, "stopping"),
        (False, True, False, "succeeded"),
        (False, True, True, "succeeded"),
        (False, False, False, "failed"),
        (False, False, True, "stopped"),
        (False, None, True, "stopped"),
        (False, None, False, "ended without a verdict"),
    ],
)
def test_R4_three_flags_are_one_word(
    in_progress: bool | None, succeeded: bool | None, should_stop: bool, word: str
) -> None:
    assert tables.conversion_word(in_progress, succeeded, should_stop) == word
    assert (word in tables.CONVERSION_STATUSES) is (word != "ended without a verdict")


# ---------------------------------------------------------------- R5: feature impact


def test_R5_one_that_is_submitted_already_is_joined(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    first = datarobot.start(an_order("feature_impact"))
    assert datarobot.start(an_order("feature_impact")) == first
    assert simulator.starts == {f"feature_impact:{VERSION}": 1}


def test_R5_each_feature_has_its_impact(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    handle = datarobot.start(an_order("feature_impact"))
    simulator.clock.advance(60)
    performance = datarobot.poll(handle).performance
    assert list(performance.per_tag) == ["tenure", "plan", "region", "noise"]
    assert performance.per_tag["tenure"] == {"impactNormalized": 1.0, "impactUnnormalized": 0.31}
    assert performance.metrics == {"features": 4.0, "rowCount": 10_000.0}


@pytest.mark.parametrize("drop_status", [True, False])
def test_R5_without_its_status_the_result_is_watched(
    datarobot: DataRobot, simulator: DataRobotSimulator, drop_status: bool
) -> None:
    handle = datarobot.start(an_order("feature_impact"))
    if drop_status:
        datarobot.client.statuses.forget(handle["status"])
    else:
        found = datarobot.find(an_order("feature_impact"))
        assert found is not None
        assert "status" not in found
        handle = found
    assert datarobot.poll(handle).state is State.RUNNING
    simulator.clock.advance(60)
    assert datarobot.poll(handle).state is State.SUCCEEDED


def test_R5_a_result_of_other_rows_is_not_ours(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    datarobot.start(an_order("feature_impact"))
    simulator.clock.advance(60)
    assert datarobot.find(an_order("feature_impact", rowCount=20)) is None
    assert datarobot.find(an_order("feature_impact")) is not None


def test_R5_without_training_data_there_is_none(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    simulator.world.add_model("m", "v", trained=False)
    ids = {"customModelId": "m", "customModelVersionId": "v"}
    with pytest.raises(ProviderRejected, match="not assigned") as raised:
        datarobot.start(an_order("feature_impact", **ids))
    assert raised.value.http_status == 422
    assert datarobot.find(an_order("feature_impact", **ids)) is None


def test_R5_bounds_of_the_row_count() -> None:
    assert all(valid("feature_impact", rowCount=rows) for rows in (10, 100_000))
    assert not any(valid("feature_impact", rowCount=rows) for rows in (9, 100_001, 10.5, "10"))


# ---------------------------------------------------------------- R6: explanations


def test_R6_explanations_go_by_the_version_or_with_an_environment(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    for parameters in ({}, {"environmentId": "env"}):
        handle = datarobot.start(an_order("explain", **parameters))
        simulator.clock.advance(60)
        seen = datarobot.poll(handle)
        assert seen.state is State.SUCCEEDED
        assert seen.performance.artifacts["version"].endswith(f"/versions/{VERSION}")
    assert simulator.starts == {f"explain:{VERSION}": 2}


@pytest.mark.parametrize(
    "kind", ["feature_impact", "explain", "assign_training_data", "import_version"]
)
def test_R6_what_cannot_be_cancelled_or_logged_says_so(datarobot: DataRobot, kind: str) -> None:
    handle = datarobot.start(an_order(kind))
    with pytest.raises(NotSupported, match="DataRobot has no call to cancel"):
        datarobot.cancel(handle)
    with pytest.raises(NotSupported, match="no log"):
        datarobot.logs(handle, 5)
    assert not PROVIDER.cancels(kind)


# ---------------------------------------------------------------- R7: training data, repositories


@pytest.mark.parametrize("route", ["versions", "with_training_data"])
def test_R7_training_data_at_a_new_version(
    datarobot: DataRobot, simulator: DataRobotSimulator, route: str
) -> None:
    model = simulator.world.models[MODEL]
    model.given["isTrainingDataForVersionsPermanentlyEnabled"] = True
    holdout = {"partitionColumn": "fold"}
    handle = datarobot.start(an_order("assign_training_data", route=route, holdoutData=holdout))
    assert datarobot.poll(handle).state in (State.QUEUED, State.RUNNING)
    simulator.clock.advance(60)
    assert datarobot.poll(handle).state is State.SUCCEEDED
    assert model.versions[-1].label == "1.1"
    assert model.versions[-1].holdout_data == holdout
    order = an_order("assign_training_data", route=route, holdoutData=holdout)
    assert datarobot.find(order) == handle


def test_R7_an_assignment_error_is_the_message(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    simulator.world.models[MODEL].given["isTrainingDataForVersionsPermanentlyEnabled"] = True
    simulator.world.plan = Plan(error="target not in dataset")
    handle = datarobot.start(an_order("assign_training_data", route="versions"))
    simulator.clock.advance(60)
    seen = datarobot.poll(handle)
    assert (seen.state, seen.message) == (State.FAILED, "target not in dataset")


def test_R7_training_data_at_the_model(datarobot: DataRobot, simulator: DataRobotSimulator) -> None:
    model = simulator.world.models[MODEL]
    model.training_data = None
    handle = datarobot.start(an_order("assign_training_data", partitionColumn="fold"))
    assert model.training_data is None
    simulator.clock.advance(60)
    assert datarobot.poll(handle).state is State.SUCCEEDED
    assert datarobot.client.models.get(MODEL).training_dataset_id == DATASET


@pytest.mark.parametrize(
    ("enabled", "change", "status"),
    [
        (True, {"route": "training_data"}, 422),
        (False, {"route": "with_training_data"}, 422),
        (False, {"route": "versions"}, 422),
        (False, {"route": "training_data", "datasetId": DELETED_DATASET}, 410),
        (True, {"route": "with_training_data", "datasetId": DELETED_DATASET}, 410),
    ],
)
def test_R7_refused_assignments(
    datarobot: DataRobot,
    simulator: DataRobotSimulator,
    enabled: bool,
    change: dict[str, Any],
    status: int,
) -> None:
    given = simulator.world.models[MODEL].given
    given["isTrainingDataForVersionsPermanentlyEnabled"] = enabled
    with pytest.raises(ProviderRejected) as raised:
        datarobot.start(an_order("assign_training_data", **change))
    assert raised.value.http_status == status


def test_R7_a_deployed_model_keeps_its_training_data(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    simulator.world.models[MODEL].deployments = 1
    with pytest.raises(ProviderRejected) as raised:
        datarobot.start(an_order("assign_training_data"))
    assert raised.value.http_status == 409


@pytest.mark.parametrize("from_latest", [True, False])
def test_R7_a_version_from_a_repository(
    datarobot: DataRobot, simulator: DataRobotSimulator, from_latest: bool
) -> None:
    handle = datarobot.start(
        an_order(
            "import_version",
            sourcePath=["a.py", "b.py"],
            fromLatest=from_latest,
            isMajorUpdate=True,
        )
    )
    simulator.clock.advance(60)
    assert datarobot.poll(handle).state is State.SUCCEEDED
    made = simulator.world.models[MODEL].versions[-1]
    assert made.label == "2.0"
    assert sorted(made.files) == sorted((["main.py"] if from_latest else []) + ["a.py", "b.py"])


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("assign_training_data", {"datasetName": "n" * 255}, {"datasetName": "n" * 256}),
        ("assign_training_data", {"partitionColumn": "c" * 500}, {"partitionColumn": "c" * 501}),
        ("assign_training_data", {}, {"holdoutData": {"partitionColumn": "c"}}),
        ("assign_training_data", {}, {"isMajorUpdate": True}),
        (
            "assign_training_data",
            {"route": "versions", "holdoutData": {"datasetName": "n" * 255}},
            {"route": "versions", "holdoutData": {"datasetName": "n" * 256}},
        ),
        ("assign_training_data", {"route": "versions"}, {"route": "nowhere"}),
        ("assign_training_data", {}, {"route": "versions", "partitionColumn": "c"}),
        (
            "import_version",
            {"requiredMetadataValues": [{"fieldName": "A", "value": "v" * 100}]},
            {"requiredMetadataValues": [{"fieldName": "A", "value": "v" * 101}]},
        ),
        ("import_version", {"sourcePath": ["a"] * 1000}, {"sourcePath": ["a"] * 1001}),
        ("convert", {"mainProgramItemId": "a"}, {"mainProgramItemId": ""}),
    ],
)
def test_R7_bounds_of_the_other_kinds(kind: str, good: dict[str, Any], bad: dict[str, Any]) -> None:
    assert valid(kind, **good)
    assert not valid(kind, **bad)


# ---------------------------------------------------------------- recorded answers


def sample(name: str) -> Any:
    path = files("trainbell.providers.datarobot") / "samples" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def test_R1_the_documented_example_reads_as_documented() -> None:
    """Nulls, a blank time and a missing check spoil nothing."""
    provider = answering(httpx.Response(200, json=sample("test_warning")))
    seen = provider.poll({"kind": "test", "id": "x"})
    assert seen.state is State.SUCCEEDED
    assert seen.message == "nullValueImputation warning: 3 rows without prediction"
    assert seen.started_at is not None
    assert seen.ended_at is not None


def test_R5_the_recorded_404_of_a_submitted_feature_impact_is_joined() -> None:
    provider = answering(httpx.Response(404, json=sample("feature_impact_submitted")))
    assert provider.start(an_order("feature_impact"))["status"] == "66f0a1b2c3d4e5f6a7b8c9d0"


def test_R8_the_services_own_error_is_kept_whole() -> None:
    body = sample("version_refused")
    provider = answering(httpx.Response(422, json=body, headers={"X-DataRobot-Request-ID": "r-1"}))
    with pytest.raises(ProviderRejected) as raised:
        provider.start(an_order("convert"))
    assert raised.value.details == body
    assert raised.value.request_id == "r-1"
    assert raised.value.http_status == 422


def test_R8_dataset_and_model_of_the_parameters() -> None:
    assert PROVIDER.dataset_of
    assert PROVIDER.model_of
    assert PROVIDER.dataset_of(PARAMETERS["test"]) == DATASET
    assert PROVIDER.model_of(PARAMETERS["explain"]) == MODEL
    assert PROVIDER.dataset_of({"datasetId": 7}) is None
