"""Lookout for Vision: the conformance suite, and each documented feature, at the simulator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from tests.builders import NOON, FakeClock, a_connection
from tests.inner_provider import inner
from tests.open_secrets import OpenSecrets
from trainbell.conformance import HttpConformance, HttpSubject
from trainbell.domain.job import State
from trainbell.domain.order import WhenBusy
from trainbell.errors import (
    ConfigInvalid,
    NotSupported,
    ProviderAuthFailed,
    ProviderError,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderThrottled,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.ports import Handle, Provider, StartOrder
from trainbell.providers.catalog import Catalog
from trainbell.providers.lookout_vision import PROVIDER
from trainbell.providers.lookout_vision.finding import MAX_PAGES, MAX_TAG_LOOKUPS
from trainbell.providers.lookout_vision.parameters import ROOM_FOR_MARKER, TrainParameters
from trainbell.providers.lookout_vision.provider import LookoutVision
from trainbell.providers.lookout_vision.status_map import STATUS_MAP
from trainbell.simulators.aws_signatures import AccessKey
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.faults import Fault, FaultKind
from trainbell.simulators.lookout_vision import LookoutVisionSimulator
from trainbell.simulators.lookout_vision.account import PROJECT
from trainbell.simulators.lookout_vision.models import Plan
from trainbell.simulators.lookout_vision.service import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from trainbell.simulators.server import running

JOB = "01jobaaaaaaaaaaaaaaaaaaaaa"
OTHER_JOB = "01jobbbbbbbbbbbbbbbbbbbbbb"
OUTPUT = {"S3Location": {"Bucket": "lookout-results", "Prefix": "circuits/"}}
SERVICE = "https://lookoutvision.us-east-1.amazonaws.com"


def keys(secret: str = SECRET_ACCESS_KEY, **more: str) -> str:
    return json.dumps({"access_key_id": ACCESS_KEY_ID, "secret_access_key": secret, **more})


KEYS = keys()


class OneSecret(OpenSecrets):
    def __init__(self, secret: str) -> None:
        self.secret = secret

    def read(self, reference: str) -> str:
        return self.secret


def a_provider(
    base_url: str | None = SERVICE,
    secret: str | OneSecret | None = KEYS,
    transport: httpx.BaseTransport | None = None,
    clock: FakeClock | None = None,
    **connection: Any,
) -> LookoutVision:
    """`secret` None leaves it to AWS's default places."""
    secrets = secret if isinstance(secret, OneSecret) else OneSecret(secret or "")
    reference = None if secret is None else "env:AWS_KEYS"
    given = {"options": {"region": "us-east-1"}, "secret": reference, **connection}
    catalog = Catalog(secrets, clock or FakeClock(), transport=transport)
    client = inner(
        catalog.client(
            a_connection(name="lookout", provider="lookout_vision", base_url=base_url, **given)
        )
    )
    assert isinstance(client, LookoutVision)
    return client


def given(**parameters: Any) -> dict[str, Any]:
    return {"ProjectName": PROJECT, "OutputConfig": OUTPUT, **parameters}


def an_order(job_id: str = JOB, **parameters: Any) -> StartOrder:
    return StartOrder(job_id=job_id, kind="train", parameters=given(**parameters))


def fresh_simulator() -> LookoutVisionSimulator:
    return LookoutVisionSimulator(SimulatorClock(speed=0, start=NOON), wall=lambda: NOON)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[LookoutVisionSimulator, str]]:
    simulator = fresh_simulator()
    with running(simulator) as url:
        yield simulator, url


@pytest.fixture
def simulator(served: tuple[LookoutVisionSimulator, str]) -> LookoutVisionSimulator:
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
def base_url(served: tuple[LookoutVisionSimulator, str], simulator: LookoutVisionSimulator) -> str:
    return served[1]


@pytest.fixture
def another(base_url: str, made: list[Provider]) -> Callable[..., LookoutVision]:
    """Makes a provider for the simulator, and closes it in the end."""

    def make(url: str | None = base_url, **wanted: Any) -> LookoutVision:
        made.append(provider := a_provider(url, **wanted))
        return provider

    return make


@pytest.fixture
def lookout(another: Callable[..., LookoutVision]) -> LookoutVision:
    return another()


def end_now(simulator: LookoutVisionSimulator, handle: Handle, error: str = "") -> None:
    simulator.account.end_now(handle["project"], handle["version"], error)


def say(simulator: LookoutVisionSimulator, handle: Handle, status: str | None) -> None:
    simulator.account.say(handle["project"], handle["version"], status)


class TestConformance(HttpConformance):
    spec = PROVIDER

    @pytest.fixture
    def subject(
        self,
        simulator: LookoutVisionSimulator,
        lookout: LookoutVision,
        another: Callable[..., LookoutVision],
    ) -> HttpSubject:
        def crowd() -> None:
            for number in range(120):
                simulator.clock.advance(1)
                lookout.start(an_order(f"01crowd{number:019}"))

        return HttpSubject(
            spec=PROVIDER,
            provider=lookout,
            order=an_order,
            bad_order=lambda job_id: an_order(job_id, ProjectName="no-such-project"),
            starts=lambda job_id: simulator.starts[job_id],
            finish=lambda handle: end_now(simulator, handle),
            unknown_handle={"project": PROJECT, "version": "7"},
            status_map=STATUS_MAP,
            documented_statuses=frozenset(
                {
                    "TRAINING",
                    "TRAINED",
                    "TRAINING_FAILED",
                    "STARTING_HOSTING",
                    "HOSTED",
                    "HOSTING_FAILED",
                    "STOPPING_HOSTING",
                    "SYSTEM_UPDATING",
                    "DELETING",
                }
            ),
            package="trainbell.providers.lookout_vision",
            fault=simulator.faults.add,
            secret=SECRET_ACCESS_KEY,
            with_secret=lambda secret: another(secret=keys(secret)),
            through=lambda transport: another(transport=transport),
            unreachable=another("http://127.0.0.1:1"),
            say=lambda handle, status: say(simulator, handle, status),
            get_on=lambda: simulator.clock.advance(1),
            crowd=crowd,
        )


# ---------------------------------------------------------------- L1: projects and versions


def test_L1_the_service_numbers_the_versions_of_each_project(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    account = simulator.account
    account.add_dataset(account.add_project("bottles"), "train", seconds=0)
    orders = [
        an_order("01jobaaaaaaaaaaaaaaaaaaaa1"),
        an_order("01jobaaaaaaaaaaaaaaaaaaaa2"),
        an_order("01jobaaaaaaaaaaaaaaaaaaaa3", ProjectName="bottles"),
    ]
    handles = [lookout.start(order) for order in orders]
    places = [(handle["project"], handle["version"]) for handle in handles]
    assert places == [(PROJECT, "1"), (PROJECT, "2"), ("bottles", "1")]
    assert [lookout.find(order) for order in orders] == handles


@pytest.mark.parametrize("name", ["a", "9", "a" * 255, "A-b_9"])
def test_L1_project_names_as_documented(name: str) -> None:
    TrainParameters.model_validate(given(ProjectName=name))


@pytest.mark.parametrize("name", ["", "-a", "_a", "a" * 256, "a b", "a/b", "a\n", "é", 7, None])
def test_L1_other_project_names_are_refused(name: object) -> None:
    with pytest.raises(ValidationError) as raised:
        TrainParameters.model_validate(given(ProjectName=name))
    assert [error["loc"] for error in raised.value.errors()] == [("ProjectName",)]


def test_L1_the_project_is_model_and_dataset_of_the_job() -> None:
    assert PROVIDER.dataset_of
    assert PROVIDER.model_of
    assert PROVIDER.dataset_of(given()) == PROVIDER.model_of(given()) == PROJECT
    assert PROVIDER.model_of({"ProjectName": 7}) is None


def test_L1_a_version_of_a_project_that_was_made_anew_is_not_ours(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    handle = lookout.start(an_order())
    account = simulator.account
    del account.projects[PROJECT]
    assert lookout.find(an_order()) is None
    account.add_dataset(account.add_project(PROJECT), "train", seconds=0)
    again = lookout.start(an_order(OTHER_JOB))
    assert (handle["version"], again["version"]) == ("1", "1")
    for call in (lookout.poll, lookout.delete):
        with pytest.raises(ProviderJobMissing, match="another model"):
            call(handle)
    assert lookout.find(an_order()) is None


@pytest.mark.parametrize(
    "handle",
    [
        {},
        {"project": PROJECT},
        {"project": PROJECT, "version": 1},
        {"project": PROJECT, "version": "latest"},
        {"project": PROJECT, "version": "0"},
        {"project": PROJECT, "version": "1/.."},
        {"project": "..", "version": "1"},
        {"project": f"{PROJECT}\n", "version": "1"},
    ],
)
def test_L1_a_handle_without_a_version_is_of_no_job(
    lookout: LookoutVision, handle: dict[str, Any]
) -> None:
    lookout.start(an_order())
    with pytest.raises(ProviderJobMissing, match="handle"):
        lookout.poll(handle)


# ---------------------------------------------------------------- L2: the client token


def test_L2_a_repeat_with_the_same_token_and_input_gives_the_same_model(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    first = lookout.start(an_order(Description="first"))
    simulator.clock.advance(8 * 3600 - 1)
    assert lookout.start(an_order(Description="first")) == first
    assert simulator.starts == {JOB: 1}


def test_L2_the_token_lives_eight_hours_and_the_marker_for_good(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    first = lookout.start(an_order())
    simulator.clock.advance(8 * 3600)
    assert lookout.find(an_order()) == first
    assert lookout.start(an_order()) != first


def test_L2_the_same_token_with_other_input_is_an_error(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    lookout.start(an_order())
    with pytest.raises(ProviderRejected, match="token") as raised:
        lookout.start(an_order(Description="other"))
    assert raised.value.vendor_code == "ConflictException"
    assert simulator.starts == {JOB: 1}


def test_L2_a_start_that_the_list_does_not_show_yet_is_not_made_twice(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    """Lists are only eventually consistent; the repeat that follows gives the same model."""
    simulator.apply_settings({"list_lag_seconds": 120})
    simulator.faults.add(Fault(kind=FaultKind.LOST_ANSWER, method="POST"))
    with pytest.raises(StartOutcomeUnknown):
        lookout.start(an_order())
    assert lookout.find(an_order()) is None
    handle = lookout.start(an_order())
    simulator.clock.advance(120)
    assert lookout.find(an_order()) == handle
    assert simulator.starts == {JOB: 1}


def test_L2_the_token_is_the_jobs_id_and_not_a_parameter() -> None:
    with pytest.raises(ValidationError, match="ClientToken"):
        TrainParameters.model_validate(given(ClientToken="mine"))


# ---------------------------------------------------------------- L3: what a training is given


def test_L3_description_key_place_and_tags_reach_the_service(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab"
    tags = [{"Key": "team", "Value": "quality"}, {"Key": "größe", "Value": ""}]
    order = an_order(Description="first-run", KmsKeyId=key, Tags=tags)
    model = simulator.account.model(
        simulator.account.projects[PROJECT], lookout.start(order)["version"]
    )
    assert model.given == {
        "Description": f"first-run.trainbell-{JOB}",
        "KmsKeyId": key,
        "OutputConfig": OUTPUT,
        "Tags": tags,
    }
    assert lookout.client.tags(model.arn) == {"team": "quality", "größe": ""}


def with_tag(key: object, value: object = "v") -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value}]}


def with_place(**place: object) -> dict[str, Any]:
    return {"OutputConfig": {"S3Location": {"Bucket": "lookout-results", **place}}}


def many_tags(count: int) -> dict[str, Any]:
    return {"Tags": [{"Key": f"k{n}", "Value": "v"} for n in range(count)]}


@pytest.mark.parametrize(
    "parameters",
    [
        {"Description": "x"},
        {"Description": "x" * 500},
        {"Description": "a.b-c_9"},
        {"KmsKeyId": "a"},
        {"KmsKeyId": "a" * 2048},
        {"KmsKeyId": "alias/key:1_2+3=4,5@6.7-8"},
        with_place(Bucket="abc"),
        with_place(Bucket="a" * 63),
        with_place(Bucket="A.b-c_9"),
        with_place(Prefix=""),
        with_place(Prefix="a" * 1024),
        with_place(Prefix="!_.*'()-/a"),
        {"Tags": []},
        many_tags(200),
        with_tag("k" * 128, "v" * 256),
        with_tag("schlüssel 1_.:/=+-@", ""),
        {**many_tags(200), "Description": "x" * (500 - ROOM_FOR_MARKER)},
        {**many_tags(199), "Description": "x" * 500},
    ],
)
def test_L3_documented_bounds_hold(
    lookout: LookoutVision, simulator: LookoutVisionSimulator, parameters: dict[str, Any]
) -> None:
    """Here, and at the service, whose own checks are written apart."""
    order = an_order(**parameters)
    handle = lookout.start(order)
    assert lookout.find(order) == handle
    assert lookout.find(an_order(OTHER_JOB, **parameters)) is None
    assert lookout.poll(handle).state is State.RUNNING
    assert simulator.starts == {JOB: 1}


@pytest.mark.parametrize(
    ("parameters", "path"),
    [
        ({"Description": ""}, "Description"),
        ({"Description": "x" * 501}, "Description"),
        ({"Description": "two words"}, "Description"),
        ({"Description": f"copied.trainbell-{OTHER_JOB}"}, "Description"),
        ({"KmsKeyId": ""}, "KmsKeyId"),
        ({"KmsKeyId": "a" * 2049}, "KmsKeyId"),
        ({"KmsKeyId": "-a"}, "KmsKeyId"),
        ({"KmsKeyId": "a b"}, "KmsKeyId"),
        ({"OutputConfig": None}, "OutputConfig"),
        ({"OutputConfig": {}}, "OutputConfig.S3Location"),
        ({"OutputConfig": {"S3Location": {}}}, "OutputConfig.S3Location.Bucket"),
        (with_place(Bucket="ab"), "OutputConfig.S3Location.Bucket"),
        (with_place(Bucket="a" * 64), "OutputConfig.S3Location.Bucket"),
        (with_place(Bucket="a/b"), "OutputConfig.S3Location.Bucket"),
        (with_place(Prefix="a" * 1025), "OutputConfig.S3Location.Prefix"),
        (with_place(Prefix="/a"), "OutputConfig.S3Location.Prefix"),
        (with_place(Prefix="a b"), "OutputConfig.S3Location.Prefix"),
        (with_place(Region="eu-west-1"), "OutputConfig.S3Location.Region"),
        (many_tags(201), "Tags"),
        (with_tag(""), "Tags.0.Key"),
        (with_tag("k" * 129), "Tags.0.Key"),
        (with_tag("k#"), "Tags.0.Key"),
        (with_tag("k", "v" * 257), "Tags.0.Value"),
        (with_tag("k", "50%"), "Tags.0.Value"),
        (with_tag("k", None), "Tags.0.Value"),
        (with_tag("trainbell:job"), "Tags"),
        ({"Tags": [{"Key": "k"}]}, "Tags.0.Value"),
        ({**many_tags(200), "Description": "x" * (501 - ROOM_FOR_MARKER)}, ""),
    ],
)
def test_L3_one_past_each_bound_is_refused(parameters: dict[str, Any], path: str) -> None:
    with pytest.raises(ValidationError) as raised:
        TrainParameters.model_validate(given(**parameters))
    assert [".".join(map(str, e["loc"])) for e in raised.value.errors()] == [path]


def test_L3_all_problems_are_named_at_once() -> None:
    wrong = {"ProjectName": "-", "Description": "", "KmsKeyId": "", "OutputConfig": {}, "Epochs": 3}
    with pytest.raises(ValidationError) as raised:
        TrainParameters.model_validate(wrong)
    assert {str(e["loc"][0]) for e in raised.value.errors()} == set(wrong)


def test_L3_parameters_that_were_stored_read_as_they_were_given() -> None:
    parameters = given(Description="x", Tags=[{"Key": "k", "Value": "v"}])
    stored = TrainParameters.model_validate(parameters).model_dump(mode="json", exclude_unset=True)
    assert stored == parameters


def test_L3_a_long_description_leaves_its_mark_in_a_tag(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    long = "x" * (501 - ROOM_FOR_MARKER)
    handles = [lookout.start(an_order(job, Description=long)) for job in (JOB, OTHER_JOB)]
    arn = lookout.client.model(PROJECT, "1").model_arn
    assert arn is not None
    assert lookout.client.tags(arn) == {"trainbell:job": JOB}
    assert [lookout.find(an_order(job, Description=long)) for job in (JOB, OTHER_JOB)] == handles


def test_L3_tags_ask_for_a_permission_that_a_plain_start_does_not_need(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    simulator.apply_settings({"denied": ["TagResource", "ListTagsForResource"]})
    with pytest.raises(ProviderAuthFailed, match="TagResource"):
        lookout.start(an_order(OTHER_JOB, Tags=[{"Key": "k", "Value": "v"}]))
    assert lookout.start(an_order()) == lookout.find(an_order())


# ---------------------------------------------------------------- L4: states


def test_L4_a_training_is_seen_through_to_its_end(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    simulator.apply_settings({"plan": {"training_seconds": 3600}})
    handle = lookout.start(an_order())
    running_ = lookout.poll(handle)
    assert (running_.vendor_status, running_.state) == ("TRAINING", State.RUNNING)
    assert (running_.started_at, running_.ended_at) == (NOON, None)
    simulator.clock.advance(3600)
    end = lookout.poll(handle)
    assert (end.vendor_status, end.state) == ("TRAINED", State.SUCCEEDED)
    assert end.ended_at == NOON + timedelta(hours=1)


def test_L4_a_failed_training_says_why(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    simulator.account.plan = Plan(error="The dataset has too few anomalous images.")
    handle = lookout.start(an_order())
    simulator.clock.advance(20)
    seen = lookout.poll(handle)
    assert (seen.vendor_status, seen.state) == ("TRAINING_FAILED", State.FAILED)
    assert seen.message == "The dataset has too few anomalous images."
    assert not seen.performance.metrics


def test_L4_a_late_look_at_a_hosted_model_sees_a_training_that_succeeded(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    handle = lookout.start(an_order())
    end_now(simulator, handle)
    model = simulator.account.model(simulator.account.projects[PROJECT], handle["version"])
    model.change("STARTING_HOSTING", "HOSTED", NOON)
    seen = []
    for _ in range(2):
        seen.append(lookout.poll(handle))
        simulator.clock.advance(5)
    assert [s.vendor_status for s in seen] == ["STARTING_HOSTING", "HOSTED"]
    assert {s.state for s in seen} == {State.SUCCEEDED}
    assert all(s.performance.metrics for s in seen)


def test_L4_a_model_that_is_being_deleted_is_judged_by_its_evaluation(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    trained, failed = (lookout.start(an_order(job)) for job in (JOB, OTHER_JOB))
    end_now(simulator, trained)
    end_now(simulator, failed, error="no luck")
    for handle in (trained, failed):
        lookout.delete(handle)
    states = [lookout.poll(handle).state for handle in (trained, failed)]
    assert states == [State.SUCCEEDED, State.CANCELLING]
    simulator.clock.advance(5)
    for handle in (trained, failed):
        with pytest.raises(ProviderJobMissing):
            lookout.poll(handle)


def test_L4_no_cancel_exists_and_it_says_so(lookout: LookoutVision) -> None:
    with pytest.raises(NotSupported, match="Lookout for Vision has no call to cancel a training"):
        lookout.cancel(lookout.start(an_order()))
    assert not PROVIDER.can_cancel


# ---------------------------------------------------------------- L5: performance


def sample(name: str) -> dict[str, Any]:
    path = files("trainbell.providers.lookout_vision") / "samples" / name
    document = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def answering(document: Any, status: int = 200, **headers: str) -> LookoutVision:
    transport = httpx.MockTransport(
        lambda _: httpx.Response(status, json=document, headers=headers)
    )
    return a_provider(transport=transport)


def polled(**changes: Any) -> Any:
    """What a poll sees of the sample, with these members changed."""
    model = {**sample("model_trained.json")["ModelDescription"], **changes}
    return answering({"ModelDescription": model}).poll({"project": PROJECT, "version": "1"})


def test_L5_metrics_and_the_places_of_the_evaluation() -> None:
    seen = polled()
    assert seen.performance.metrics == {"F1Score": 0.96, "Precision": 0.94, "Recall": 0.98}
    assert seen.performance.artifacts == {
        "model": f"arn:aws:lookoutvision:us-east-1:123456789012:model/{PROJECT}/1",
        "output": "s3://lookout-results/circuits/",
        "evaluation_manifest": (
            "s3://lookout-results/circuits/circuit-boards-1/EvaluationManifest.json"
        ),
        "evaluation_result": "s3://lookout-results/circuits/circuit-boards-1/EvaluationResult.json",
    }
    assert seen.started_at == datetime(2020, 11, 5, 18, 46, 40, 123000, tzinfo=UTC)
    assert seen.ended_at == datetime(2020, 11, 5, 19, 46, 40, 500000, tzinfo=UTC)


def test_L5_they_come_with_the_end(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    handle = lookout.start(an_order())
    assert set(lookout.poll(handle).performance.artifacts) == {"model", "output"}
    end_now(simulator, handle)
    performance = lookout.poll(handle).performance
    assert performance.metrics == {"F1Score": 0.96, "Precision": 0.94, "Recall": 0.98}
    assert performance.artifacts["evaluation_result"].startswith("s3://lookout-results/circuits/")


@pytest.mark.parametrize("value", [None, "", "soon", [], {}, True, 1e300, -1e14])
def test_L5_what_is_no_number_or_time_does_not_spoil_the_answer(value: Any) -> None:
    seen = polled(
        CreationTimestamp=value,
        EvaluationEndTimestamp=value,
        Performance={"F1Score": value if value != -1e14 else None, "Recall": 0.5},
        OutputConfig=value,
        EvaluationManifest=value,
        StatusMessage=None,
    )
    assert (seen.state, seen.started_at, seen.ended_at) == (State.SUCCEEDED, None, None)
    assert seen.performance.metrics == {"Recall": 0.5}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"ModelDescription": None},
        {"ModelDescription": {"Status": "TRAINED"}},
        {"ModelDescription": {"Status": "", "ModelVersion": "1"}},
        {"ModelDescription": {"Status": 7, "ModelVersion": "1"}},
        {"ModelDescription": {"Status": "TRAINED", "ModelVersion": "latest"}},
    ],
)
def test_L5_an_answer_without_status_or_version_is_invalid(document: dict[str, Any]) -> None:
    with pytest.raises(ProviderReplyInvalid):
        answering(document).poll({"project": PROJECT, "version": "1"})


# ---------------------------------------------------------------- L6: errors


@pytest.mark.parametrize(
    ("code", "status", "on_poll", "on_start"),
    [
        ("AccessDeniedException", 403, ProviderAuthFailed, ProviderAuthFailed),
        ("ConflictException", 409, ProviderRejected, ProviderRejected),
        ("InternalServerException", 500, ProviderUnavailable, StartOutcomeUnknown),
        ("ResourceNotFoundException", 404, ProviderJobMissing, ProviderRejected),
        ("ServiceQuotaExceededException", 402, ProviderRejected, ProviderRejected),
        ("ThrottlingException", 429, ProviderThrottled, ProviderThrottled),
        ("ValidationException", 400, ProviderRejected, ProviderRejected),
    ],
)
def test_L6_each_documented_error_is_its_own(
    lookout: LookoutVision,
    simulator: LookoutVisionSimulator,
    *,
    code: str,
    status: int,
    on_poll: type[ProviderError],
    on_start: type[ProviderError],
) -> None:
    handle = lookout.start(an_order())
    calls: list[tuple[Callable[[], object], type[ProviderError]]] = [
        (lambda: lookout.poll(handle), on_poll),
        (lambda: lookout.start(an_order(OTHER_JOB)), on_start),
    ]
    for call, wanted in calls:
        simulator.apply_settings({"errors": [{"error": code, "retry_after": "17"}]})
        with pytest.raises(ProviderError) as raised:
            call()
        error = raised.value
        assert type(error) is wanted
        assert (error.http_status, error.vendor_code) == (status, code)
        assert error.retry_after_seconds == 17
        assert error.request_id
        assert isinstance(error.details, dict)
        assert error.details["Message"] == "This error was asked for."
        assert "This error was asked for." in str(error)
    assert simulator.starts == {JOB: 1}


def test_L6_a_quota_that_is_used_up_refuses_or_is_waited_for_as_the_caller_asks(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    simulator.apply_settings({"max_trainings": 1})
    first = lookout.start(an_order())
    waiting = replace(an_order(OTHER_JOB), when_busy=WhenBusy.WAIT)
    for order, wanted in ((an_order(OTHER_JOB), ProviderRejected), (waiting, ProviderThrottled)):
        with pytest.raises(wanted, match="402") as raised:
            lookout.start(order)
        assert raised.value.vendor_code == "ServiceQuotaExceededException"
        assert raised.value.details == {
            "Message": "At most 1 models can be trained at once.",
            "ResourceId": PROJECT,
            "ResourceType": "PROJECT",
            "QuotaCode": "L-TRAININGS",
            "ServiceCode": "lookoutvision",
        }
    end_now(simulator, first)
    assert lookout.start(waiting)["version"] == "2"


def test_L6_throttling_with_another_status_is_throttling() -> None:
    """AWS's page of common errors lists it with 400."""
    provider = answering(
        {"message": "Rate exceeded"}, 400, **{"x-amzn-ErrorType": "ThrottlingException:http://x/"}
    )
    with pytest.raises(ProviderThrottled, match="Rate exceeded"):
        provider.poll({"project": PROJECT, "version": "1"})


def test_L6_a_404_of_somebody_in_between_is_no_missing_job() -> None:
    provider = answering({"message": "no route"}, 404)
    with pytest.raises(ProviderReplyInvalid, match="404"):
        provider.poll({"project": PROJECT, "version": "1"})
    with pytest.raises(ProviderRejected, match="404"):
        provider.find(an_order())


# ---------------------------------------------------------------- L7: signed requests


def test_L7_the_signature_covers_what_aws_wants_covered() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(
            202, json={"ModelMetadata": {"ModelVersion": "1", "Status": "TRAINING"}}
        )

    a_provider(None, transport=httpx.MockTransport(handler)).start(an_order())
    request = seen[0]
    assert request.url == f"{SERVICE}/2020-11-20/projects/{PROJECT}/models"
    assert request.headers["x-amzn-client-token"] == JOB
    body = json.loads(request.content)
    assert body == {"OutputConfig": OUTPUT, "Description": f"trainbell-{JOB}"}
    assert request.headers["x-amz-date"] == "20260302T120000Z"
    assert "x-amz-security-token" not in request.headers
    scope, names, signature = request.headers["authorization"].split(", ")
    assert scope == (
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20260302/us-east-1/lookoutvision/aws4_request"
    )
    assert names == "SignedHeaders=content-type;host;x-amz-date;x-amzn-client-token"
    assert len(signature) == len("Signature=") + 64


def test_L7_temporary_credentials_are_shown_and_never_told(
    another: Callable[..., LookoutVision], simulator: LookoutVisionSimulator
) -> None:
    token = "session/token+of=some+length=="
    simulator.keys = {ACCESS_KEY_ID: AccessKey(secret=SECRET_ACCESS_KEY, token=token)}
    provider = another(secret=keys(session_token=token))
    assert provider.poll(provider.start(an_order())).state is State.RUNNING
    simulator.faults.add(Fault(kind=FaultKind.ECHO, status=400))
    with pytest.raises(ProviderRejected) as raised:
        provider.check()
    assert "x-amz-security-token" in str(raised.value.details)
    assert token not in str(raised.value) + str(raised.value.details)
    with pytest.raises(ProviderAuthFailed, match="security token"):
        another().check()


def test_L7_keys_that_were_mended_at_their_source_work_without_a_restart(
    another: Callable[..., LookoutVision], simulator: LookoutVisionSimulator
) -> None:
    expired = AccessKey(secret=SECRET_ACCESS_KEY, token="old", expires_at=NOON)
    new = AccessKey(secret="another", token="new")
    simulator.keys = {ACCESS_KEY_ID: expired}
    secret = OneSecret(keys(session_token="old"))
    provider = another(secret=secret)
    with pytest.raises(ProviderAuthFailed) as raised:
        provider.check()
    assert raised.value.vendor_code == "ExpiredTokenException"
    simulator.keys = {ACCESS_KEY_ID: new}
    secret.secret = keys("another", session_token="new")
    assert provider.check() == (
        "Amazon Lookout for Vision answered: 1 project in this account and region"
    )


def test_L7_a_clock_that_is_wrong_is_an_auth_failure_that_says_so(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    simulator.clock.skew_seconds = 301
    with pytest.raises(ProviderAuthFailed, match="Signature expired"):
        lookout.check()
    simulator.clock.skew_seconds = -300
    assert lookout.check()


def test_L7_a_signature_for_another_region_is_refused(
    another: Callable[..., LookoutVision],
) -> None:
    with pytest.raises(ProviderAuthFailed, match="us-east-1"):
        another(options={"region": "eu-west-1"}).check()


def test_L7_without_a_secret_aws_default_places_are_used(
    another: Callable[..., LookoutVision],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-yet-the-right-one")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    provider = another(secret=None)
    with pytest.raises(ProviderAuthFailed) as raised:
        provider.check()
    assert "not-yet-the-right-one" not in str(vars(raised.value))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
    assert provider.check()


def test_L7_default_places_without_keys_are_an_auth_failure(
    another: Callable[..., LookoutVision], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(ProviderAuthFailed, match="no credentials"):
        another(secret=None).check()
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ProviderAuthFailed, match="ProfileNotFound"):
        another(secret=None).check()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AKIA:hunter2",
        "[]",
        '{"access_key_id": "AKIA"}',
        '{"access_key_id": "AKIA", "secret_access_key": ""}',
        '{"access_key_id": "AKIA", "secret_access_key": "hunter2\\n"}',
        '{"access_key_id": "A/K", "secret_access_key": "hunter2"}',
        '{"access_key_id": "AKIA", "secret_access_key": "hunter2", "region": "x"}',
        '{"access_key_id": "AKIA", "secret_access_key": "hunter2", "session_token": 7}',
    ],
)
def test_L7_a_secret_that_is_no_key_is_a_wrong_setting_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigInvalid, match="env:AWS_KEYS must be JSON") as raised:
        a_provider(secret=text)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("options", [{}, {"region": "mars-1"}, {"region": "us-east-1", "x": 1}])
def test_L7_a_region_is_needed_and_must_be_one_that_the_service_had(options: Any) -> None:
    with pytest.raises(ConfigInvalid, match=r"lookout: options\."):
        a_provider(options=options)


# ---------------------------------------------------------------- L8: describe, list, delete


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
