"""DeepVA: the conformance suite, and each documented feature (D1 to D7), at the simulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import httpx
import pytest

from tests.builders import NOON, FakeClock, a_connection
from tests.inner_provider import inner
from tests.open_secrets import OpenSecrets
from trainbell.conformance import HttpConformance, HttpSubject
from trainbell.domain.job import State
from trainbell.errors import (
    NotSupported,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderUnavailable,
)
from trainbell.ports import Provider, StartOrder
from trainbell.providers.catalog import Catalog
from trainbell.providers.deepva import PROVIDER
from trainbell.providers.deepva.parameters import MAX_CHANGELOG, TrainParameters
from trainbell.providers.deepva.provider import MAX_PAGES, DeepVA
from trainbell.providers.deepva.status_map import STATUS_MAP
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.deepva import DeepVASimulator
from trainbell.simulators.deepva.service import API_KEY
from trainbell.simulators.deepva.trainings import FACE_DATASET, LANDMARK_DATASET, Plan
from trainbell.simulators.faults import Fault, FaultKind
from trainbell.simulators.server import running

JOB = "01jobaaaaaaaaaaaaaaaaaaaaa"


class OneSecret(OpenSecrets):
    def __init__(self, secret: str) -> None:
        self.secret = secret

    def read(self, reference: str) -> str:
        return self.secret


def a_provider(
    base_url: str,
    secret: str | OneSecret = API_KEY,
    transport: httpx.BaseTransport | None = None,
    clock: FakeClock | None = None,
) -> DeepVA:
    secrets = OneSecret(secret) if isinstance(secret, str) else secret
    catalog = Catalog(secrets, clock or FakeClock(), transport=transport)
    client = inner(catalog.client(a_connection(base_url=base_url)))
    assert isinstance(client, DeepVA)
    return client


def an_order(job_id: str = JOB, **parameters: Any) -> StartOrder:
    given = {"source_dataset_id": FACE_DATASET, "output_model_name": "Faces", **parameters}
    return StartOrder(job_id=job_id, kind="train", parameters=given)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[DeepVASimulator, str]]:
    simulator = DeepVASimulator(SimulatorClock(speed=0, start=NOON))
    with running(simulator) as url:
        yield simulator, url + simulator.base_path


@pytest.fixture
def simulator(served: tuple[DeepVASimulator, str]) -> DeepVASimulator:
    """The one server, as if it had just started."""
    fresh = DeepVASimulator(SimulatorClock(speed=0, start=NOON))
    vars(served[0]).update(vars(fresh))
    return served[0]


@pytest.fixture
def made() -> Iterator[list[Provider]]:
    providers: list[Provider] = []
    yield providers
    for provider in providers:
        provider.close()


@pytest.fixture
def base_url(served: tuple[DeepVASimulator, str], simulator: DeepVASimulator) -> str:
    return served[1]


@pytest.fixture
def deepva(base_url: str, made: list[Provider]) -> DeepVA:
    made.append(provider := a_provider(base_url))
    return provider


class TestConformance(HttpConformance):
    spec = PROVIDER

    @pytest.fixture
    def subject(
        self, simulator: DeepVASimulator, base_url: str, deepva: DeepVA, made: list[Provider]
    ) -> HttpSubject:
        def another(url: str = base_url, **wanted: Any) -> DeepVA:
            made.append(provider := a_provider(url, **wanted))
            return provider

        def crowd() -> None:
            for number in range(230):
                simulator.clock.advance(1)
                deepva.start(an_order(f"01crowd{number:019}"))

        return HttpSubject(
            spec=PROVIDER,
            provider=deepva,
            order=an_order,
            bad_order=lambda job_id: an_order(job_id, source_dataset_id="no-such-dataset"),
            starts=lambda job_id: simulator.starts[f"trainbell:{job_id}"],
            finish=lambda handle: simulator.account.end_now(handle["id"]),
            unknown_handle={"id": "a09d87ed-1c12-4ea5-827e-906634626797"},
            status_map=STATUS_MAP,
            documented_statuses=frozenset({"waiting", "processing", "completed", "failed"}),
            package="trainbell.providers.deepva",
            fault=simulator.faults.add,
            secret=API_KEY,
            with_secret=lambda secret: another(secret=secret),
            through=lambda transport: another(transport=transport),
            unreachable=another("http://127.0.0.1:1/api/v1"),
            say=lambda handle, status: simulator.account.say(handle["id"], status),
            get_on=lambda: simulator.clock.advance(1),
            crowd=crowd,
        )


# ---------------------------------------------------------------- D1: start, get, list, delete


def test_D1_start_get_list_delete(deepva: DeepVA, simulator: DeepVASimulator) -> None:
    handle = deepva.start(an_order())
    assert deepva.client.training(handle["id"]).output_model_name == "Faces"
    assert [t.id for t in deepva.client.trainings().data] == [handle["id"]]
    with pytest.raises(ProviderRejected, match="waiting"):
        deepva.delete(handle)
    simulator.account.end_now(handle["id"])
    deepva.delete(handle)
    with pytest.raises(ProviderJobMissing):
        deepva.poll(handle)
    with pytest.raises(ProviderJobMissing):
        deepva.delete(handle)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("place", [0, 99, 100, 215, 229])
def test_D1_the_list_is_read_to_its_end_by_offset(
    deepva: DeepVA, simulator: DeepVASimulator, place: int, newest_first: bool
) -> None:
    """Its `next` links are on http:// and to another host in the samples: none is followed."""
    simulator.newest_first = newest_first
    given = {**TrainParameters.model_validate(an_order().parameters).model_dump(), "config": {}}
    for number in range(230):
        marked = f"[trainbell:{JOB}]" if number == place else f"other {number}"
        simulator.account.start({**given, "output_model_changelog": marked})
    wanted = list(simulator.account.trainings)[place]
    assert deepva.find(an_order()) == {"id": wanted}
    assert deepva.find(an_order("01jobbbbbbbbbbbbbbbbbbbbbb")) is None
    assert simulator.requests["GET"] <= 6


# ---------------------------------------------------------------- D2: config by dataset type


def test_D2_a_face_training_takes_its_two_parameters(
    deepva: DeepVA, simulator: DeepVASimulator
) -> None:
    config = {"min_face_size": 64, "sharpness_threshold": 10}
    handle = deepva.start(an_order(config=config))
    assert simulator.account.trainings[handle["id"]].given["config"] == config


def test_D2_a_landmark_training_takes_none(deepva: DeepVA, simulator: DeepVASimulator) -> None:
    handle = deepva.start(an_order(source_dataset_id=LANDMARK_DATASET))
    assert simulator.account.trainings[handle["id"]].given["config"] == {}
    with pytest.raises(ProviderRejected, match="400") as raised:
        deepva.start(
            an_order(source_dataset_id=LANDMARK_DATASET, config={"sharpness_threshold": 1})
        )
    assert raised.value.details == {"config": ["Not valid for landmark: sharpness_threshold."]}


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("min_face_size", [1, 10_000], [0, 10_001, "80", 80.5, True]),
        ("sharpness_threshold", [0, 1000], [-1, 1001, "40"]),
    ],
)
def test_D2_bounds_of_the_face_config(field: str, good: list[Any], bad: list[Any]) -> None:
    parameters = an_order().parameters
    for value in good:
        TrainParameters.model_validate({**parameters, "config": {field: value}})
    for value in bad:
        with pytest.raises(ValueError, match=field):
            TrainParameters.model_validate({**parameters, "config": {field: value}})


# ---------------------------------------------------------------- D3: the output model


def test_D3_each_training_adds_a_version_with_its_changelog(
    deepva: DeepVA, simulator: DeepVASimulator
) -> None:
    for number in (1, 2):
        order = an_order(f"{JOB[:-1]}{number}", output_model_changelog=f"change {number}")
        handle = deepva.start(order)
        assert "output_model" not in deepva.poll(handle).performance.artifacts
        simulator.account.end_now(handle["id"])
        performance = deepva.poll(handle).performance
        model = next(iter(simulator.account.models))
        assert performance.artifacts["output_model"] == f"deepva:models/{model}"
    versions = simulator.account.versions[model]
    assert [v["version_number"] for v in versions] == [1, 2]
    assert [v["changelog"].partition("] ")[2] for v in versions] == ["change 1", "change 2"]


def test_D3_dataset_and_model_of_the_parameters() -> None:
    assert PROVIDER.dataset_of
    assert PROVIDER.model_of
    parameters = an_order().parameters
    assert PROVIDER.dataset_of(parameters) == FACE_DATASET
    assert PROVIDER.model_of(parameters) == "Faces"
    assert PROVIDER.model_of({"output_model_name": 7}) is None


# ---------------------------------------------------------------- D4: states; D5: progress, times


def test_D4_D5_a_training_passes_through_its_states_with_progress_and_times(
    deepva: DeepVA, simulator: DeepVASimulator
) -> None:
    simulator.account.plan = Plan(waiting_seconds=10, processing_seconds=100)
    handle = deepva.start(an_order())
    seen = [deepva.poll(handle)]
    for seconds in (10, 50, 50):
        simulator.clock.advance(seconds)
        seen.append(deepva.poll(handle))
    assert [s.vendor_status for s in seen] == ["waiting", "processing", "processing", "completed"]
    assert [s.progress for s in seen] == [0.0, 0.0, 0.5, 1.0]
    assert seen[0].started_at is None
    assert seen[-1].started_at == datetime(2026, 3, 2, 12, 0, 10, tzinfo=UTC)
    assert seen[-1].ended_at == datetime(2026, 3, 2, 12, 1, 50, tzinfo=UTC)
    assert seen[-1].performance.cost == {"service_seconds": 100.0}


def test_D4_a_failed_training_says_why(deepva: DeepVA, simulator: DeepVASimulator) -> None:
    simulator.account.plan = Plan(error="not enough faces", fails_at=0.25)
    handle = deepva.start(an_order())
    simulator.clock.advance(7)
    seen = deepva.poll(handle)
    assert (seen.state, seen.message, seen.progress) == (State.FAILED, "not enough faces", 0.25)


def polled(**changes: Any) -> Any:
    """What a poll sees of the documented example, with these fields changed."""
    sample = files("trainbell.providers.deepva") / "samples" / "training_completed.json"
    document = {**json.loads(sample.read_text(encoding="utf-8")), **changes}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=document))
    return a_provider("https://api.deepva.com/api/v1", transport=transport).poll({"id": "x"})


def test_D5_the_documented_example_reads_as_documented() -> None:
    """Times without a zone are UTC; `duration` is not completion less start (42.889 s)."""
    seen = polled()
    assert seen.state is State.SUCCEEDED
    assert seen.started_at == datetime(2020, 12, 15, 12, 55, 35, 712000, tzinfo=UTC)
    assert seen.ended_at == datetime(2020, 12, 15, 12, 56, 18, 601000, tzinfo=UTC)
    assert seen.performance.cost == {"service_seconds": 2.8}


@pytest.mark.parametrize(
    "value", [None, "", "soon", 7, "2020-99-15 12:00:00", [], "0001-01-01T00:00:00+14:00"]
)
def test_D5_what_is_no_time_or_number_does_not_spoil_the_answer(value: Any) -> None:
    seen = polled(time_started=value, progress="half", duration=None, source_dataset=[1])
    assert (seen.state, seen.started_at, seen.progress) == (State.SUCCEEDED, None, None)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 400, "true", '"0.5"', "[]"])
def test_D5_what_is_no_finite_number_is_left_out(number: str) -> None:
    body = f'{{"id": "x", "state": "processing", "progress": {number}, "duration": {number}}}'
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    seen = a_provider("https://api.deepva.com/api/v1", transport=transport).poll({"id": "x"})
    assert (seen.state, seen.progress, seen.performance.cost) == (State.RUNNING, None, {})


def test_D5_a_zone_that_is_given_is_honoured() -> None:
    seen = polled(time_completed="2020-12-15T13:56:18+01:00")
    assert seen.ended_at == datetime(2020, 12, 15, 12, 56, 18, tzinfo=UTC)


@pytest.mark.parametrize("changes", [{"state": None}, {"state": 3}, {"id": "../x"}, {"id": None}])
def test_D4_an_answer_without_a_readable_state_or_id_is_invalid(changes: dict[str, Any]) -> None:
    with pytest.raises(ProviderReplyInvalid):
        polled(**changes)


# ---------------------------------------------------------------- D6: the dataset as an object


def test_D6_the_input_dataset_is_kept() -> None:
    seen = polled()
    assert seen.message == "face training on dataset Test (version 1.0)"
    assert seen.performance.artifacts == {
        "source_dataset": "deepva:datasets/b97e20c8-3e68-4831-8eaf-e7a592d3a802",
        "source_dataset_name": "Test",
        "source_dataset_type": "face",
        "source_dataset_version": "1.0",
    }


# ---------------------------------------------------------------- D7: no idempotency there


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


# ---------------------------------------------------------------- what it lacks, and its key


def test_it_says_in_clear_words_what_the_service_cannot_do(deepva: DeepVA) -> None:
    with pytest.raises(NotSupported, match="DeepVA has no call to cancel a training"):
        deepva.cancel({"id": "x"})
    assert not PROVIDER.can_cancel


def test_a_key_that_was_mended_at_its_source_works_without_a_restart(
    base_url: str, made: list[Provider]
) -> None:
    secret = OneSecret("old-key")
    made.append(provider := a_provider(base_url, secret))
    with pytest.raises(Exception, match="401"):
        provider.check()
    secret.secret = API_KEY
    assert provider.check() == "DeepVA answered: 0 trainings in this account"


@pytest.mark.parametrize("handle", [{}, {"id": ""}, {"id": 7}, {"id": ".."}])
def test_a_handle_without_an_id_is_of_no_job(deepva: DeepVA, handle: dict[str, Any]) -> None:
    with pytest.raises(ProviderJobMissing):
        deepva.poll(handle)
