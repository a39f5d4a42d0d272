"""DataRobot keeps what every provider promises, for every kind of job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.builders import NOON, FakeClock
from tests.contract.datarobot.service import (
    ASYNCHRONOUS_WORDS,
    BUILD_WORDS,
    CONVERSION_WORDS,
    PARAMETERS,
    TEST_WORDS,
    a_provider,
)
from trainbell.conformance import HttpConformance, HttpSubject
from trainbell.domain.job import State
from trainbell.domain.observation import OBSERVABLE_STATES
from trainbell.ports import Handle, Provider, StartOrder
from trainbell.providers.datarobot import PROVIDER
from trainbell.providers.datarobot import status_map as tables
from trainbell.providers.datarobot.provider import DataRobot
from trainbell.simulators.datarobot import DataRobotSimulator, records
from trainbell.simulators.datarobot.model_tests import DEFAULTS
from trainbell.simulators.datarobot.service import API_KEY
from trainbell.simulators.datarobot.work import Plan, Work

# ---------------------------------------------------------------- the conformance suite


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
KINDS_WORDS: Mapping[str, Mapping[str, State]] = {
    "test": TEST_WORDS,
    "build_dependencies": BUILD_WORDS,
    "convert": CONVERSION_WORDS,
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
        words = KINDS_WORDS.get(job_kind, ASYNCHRONOUS_WORDS)
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
            documented_statuses=frozenset(words),
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
