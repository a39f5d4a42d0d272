"""Einstein: the conformance suite, and each documented feature (E1 to E9), at the simulator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any, cast

import httpx
import pytest

from tests.builders import NOON, FakeClock, a_connection, a_job
from tests.inner_provider import inner
from tests.open_secrets import OpenSecrets
from trainbell.conformance import HttpConformance, HttpSubject
from trainbell.domain.job import State
from trainbell.domain.order import WhenBusy
from trainbell.errors import (
    ConfigInvalid,
    NotSupported,
    ProviderAuthFailed,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.ports import Provider, StartOrder
from trainbell.providers.catalog import Catalog
from trainbell.providers.einstein import PROVIDER
from trainbell.providers.einstein.finding import MAX_PAGES
from trainbell.providers.einstein.parameters import (
    MAX_NAME,
    MAX_SENT_NAME,
    EinsteinOptions,
    RetrainParameters,
    TrainParameters,
)
from trainbell.providers.einstein.provider import Einstein
from trainbell.providers.einstein.status_map import STATUS_MAP
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.einstein import EinsteinSimulator
from trainbell.simulators.einstein.account_key import ACCOUNT, PRIVATE_KEY
from trainbell.simulators.einstein.trainings import (
    DETECTION_DATASET,
    GLOBAL_DATASET,
    IMAGE_DATASET,
    INTENT_DATASET,
    MULTI_LABEL_DATASET,
    Plan,
)
from trainbell.simulators.faults import Fault, FaultKind
from trainbell.simulators.server import running
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.holds import busy_holds

JOB = "01jobaaaaaaaaaaaaaaaaaaaaa"
CALLS = r"^/v2/(vision|language)/"
STATUSES = {"QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "KILLED", "FAILED_WITH_RETRIES"}


class OneSecret(OpenSecrets):
    def __init__(self, secret: str) -> None:
        self.secret = secret

    def read(self, reference: str) -> str:
        return self.secret


class OnlyStarts(httpx.BaseTransport):
    """Sends starts through the given transport, and all other calls over the plain network."""

    def __init__(self, starts: httpx.BaseTransport) -> None:
        self._starts = starts
        self._network = httpx.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_start = request.method == "POST" and request.url.path.endswith("train")
        return (self._starts if is_start else self._network).handle_request(request)

    def close(self) -> None:
        self._network.close()


def a_provider(
    base_url: str,
    secret: str | OneSecret = PRIVATE_KEY,
    transport: httpx.BaseTransport | None = None,
    clock: FakeClock | None = None,
    **options: Any,
) -> Einstein:
    secrets = OneSecret(secret) if isinstance(secret, str) else secret
    catalog = Catalog(secrets, clock or FakeClock(), transport=transport)
    connection = a_connection(
        name="einstein",
        provider="einstein",
        base_url=base_url,
        options={"account": ACCOUNT, **options},
    )
    client = inner(catalog.client(connection))
    assert isinstance(client, Einstein)
    return client


def an_order(job_id: str = JOB, **fields: Any) -> StartOrder:
    known = {name: fields.pop(name) for name in ("when_busy", "sent_at") if name in fields}
    given = {"datasetId": IMAGE_DATASET, "name": "Beaches", **fields}
    return StartOrder(job_id=job_id, kind="train", parameters=given, **{"sent_at": NOON, **known})


def a_retraining(model_id: str, job_id: str = JOB, **fields: Any) -> StartOrder:
    order = an_order(job_id, **fields)
    given = {k: v for k, v in order.parameters.items() if k not in ("datasetId", "name")}
    return replace(order, kind="retrain", parameters={"modelId": model_id, **given})


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[EinsteinSimulator, str]]:
    simulator = EinsteinSimulator(SimulatorClock(speed=0, start=NOON))
    with running(simulator) as url:
        yield simulator, url


@pytest.fixture
def simulator(served: tuple[EinsteinSimulator, str]) -> EinsteinSimulator:
    """The one server, as if it had just started."""
    vars(served[0]).update(vars(EinsteinSimulator(SimulatorClock(speed=0, start=NOON))))
    return served[0]


@pytest.fixture
def base_url(served: tuple[EinsteinSimulator, str], simulator: EinsteinSimulator) -> str:
    return served[1]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pass_time(simulator: EinsteinSimulator, clock: FakeClock) -> Callable[[float], None]:
    """Moves our clock and the service's."""

    def move(seconds: float) -> None:
        clock.advance(seconds)
        simulator.clock.advance(seconds)

    return move


@pytest.fixture
def made() -> Iterator[list[Provider | httpx.BaseTransport]]:
    closing: list[Provider | httpx.BaseTransport] = []
    yield closing
    for each in closing:
        each.close()


@pytest.fixture
def einstein(
    base_url: str, made: list[Provider | httpx.BaseTransport], clock: FakeClock
) -> Einstein:
    made.append(provider := a_provider(base_url, clock=clock))
    return provider


@pytest.fixture
def another(base_url: str, made: list[Provider | httpx.BaseTransport]) -> Callable[..., Einstein]:
    def make(url: str = base_url, **wanted: Any) -> Einstein:
        if "transport" in wanted:
            made.append(transport := OnlyStarts(wanted["transport"]))
            wanted["transport"] = transport
        made.append(provider := a_provider(url, **wanted))
        return provider

    return make


# ---------------------------------------------------------------- the conformance suite, two kinds


def a_subject(
    simulator: EinsteinSimulator, einstein: Einstein, another: Callable[..., Einstein]
) -> HttpSubject:
    """Faults are of the service's own calls: those of getting a token have tests below. One of
    the suite's 401 answers is not enough, since a refused token is renewed once."""

    def fault(wanted: Fault) -> None:
        path = wanted.path or CALLS
        times = 2 if (wanted.kind, wanted.status) == (FaultKind.ECHO, 401) else wanted.times
        simulator.faults.add(replace(wanted, path=path, times=times))

    datasets = (IMAGE_DATASET, DETECTION_DATASET, MULTI_LABEL_DATASET, GLOBAL_DATASET)

    def order(job_id: str) -> StartOrder:
        """Each job on a dataset of its own, for none takes two at a time."""
        return an_order(job_id, datasetId=datasets[int(job_id[-1]) - 1])

    def crowd() -> None:
        for dataset in datasets:
            for number in range(230):
                simulator.account.add_model(dataset, f"Other {number}")

    return HttpSubject(
        spec=PROVIDER,
        provider=einstein,
        order=order,
        bad_order=lambda job_id: an_order(job_id, datasetId=999),
        starts=lambda job_id: simulator.starts[f"trainbell:{job_id}"],
        finish=lambda handle: simulator.account.end_now(handle["id"]),
        unknown_handle={"service": "vision", "id": "2KXJEOM3N562JBT4P7OX7VID2Q"},
        status_map=STATUS_MAP,
        documented_statuses=frozenset(STATUSES),
        package="trainbell.providers.einstein",
        fault=fault,
        secret=PRIVATE_KEY,
        with_secret=lambda secret: another(secret=secret),
        through=lambda transport: another(transport=transport),
        unreachable=another("http://127.0.0.1:1"),
        say=lambda handle, status: simulator.account.say(handle["id"], status),
        get_on=lambda: simulator.clock.advance(1),
        crowd=crowd,
    )


class TestConformance(HttpConformance):
    """Retraining has nothing to leave a marker in, so it deserves the suite for itself."""

    spec = PROVIDER

    @pytest.fixture
    def subject(
        self,
        job_kind: str,
        simulator: EinsteinSimulator,
        einstein: Einstein,
        another: Callable[..., Einstein],
    ) -> HttpSubject:
        subject = a_subject(simulator, einstein, another)
        return subject if job_kind == "train" else of_retraining(subject, simulator)


def of_retraining(subject: HttpSubject, simulator: EinsteinSimulator) -> HttpSubject:
    models = {
        str(number): simulator.account.add_model(dataset, "Old").id
        for number, dataset in enumerate(
            (IMAGE_DATASET, DETECTION_DATASET, MULTI_LABEL_DATASET, GLOBAL_DATASET), start=1
        )
    }

    def fault(wanted: Fault) -> None:
        # A start looks at the model before it sends anything.
        path = "/retrain$" if wanted.method == "POST" else "/train/"
        subject.fault(replace(wanted, path=path))

    return replace(
        subject,
        order=lambda job_id: a_retraining(models[job_id[-1]], job_id),
        bad_order=lambda job_id: a_retraining("NOSUCHMODEL", job_id),
        starts=lambda job_id: simulator.starts[f"retrain:{models[job_id[-1]]}"],
        fault=fault,
        crowd=None,
    )


# ---------------------------------------------------------------- E1: train and retrain


def test_E1_train_makes_a_model_with_the_job_in_its_name(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    for service, dataset in (("vision", IMAGE_DATASET), ("language", INTENT_DATASET)):
        handle = einstein.start(an_order(JOB, service=service, datasetId=dataset))
        assert handle == {"service": service, "id": handle["id"]}
        assert simulator.account.models[handle["id"]].name == f"Beaches [trainbell:{JOB}]"
        assert einstein.poll(handle).state is State.QUEUED


@pytest.mark.parametrize("service", ["vision", "language"])
def test_E1_retrain_keeps_the_model_id_and_ends_with_its_own_end(
    einstein: Einstein,
    simulator: EinsteinSimulator,
    pass_time: Callable[[float], None],
    service: str,
) -> None:
    dataset = IMAGE_DATASET if service == "vision" else INTENT_DATASET
    model = simulator.account.add_model(dataset, "Old")
    handle = einstein.start(a_retraining(model.id, service=service))
    assert handle["id"] == model.id
    seen = [einstein.poll(handle)]
    for seconds in (2, 10, 10):
        pass_time(seconds)
        seen.append(einstein.poll(handle))
    assert [s.vendor_status for s in seen] == ["QUEUED", "RUNNING", "RUNNING", "SUCCEEDED"]
    assert simulator.starts == {f"retrain:{model.id}": 1}


def test_E1_a_stale_succeeded_right_after_a_retrain_does_not_end_the_job(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    simulator.account.stale_seconds = 30
    simulator.account.plan = Plan(queued_seconds=1, running_seconds=9)
    handle = einstein.start(a_retraining(model.id))
    stale = einstein.poll(handle)
    assert (stale.vendor_status, stale.state) == ("SUCCEEDED", State.QUEUED)
    assert stale.ended_at is None
    assert not stale.performance
    pass_time(29)  # The retraining has ended by now, and still the former one is shown.
    assert einstein.poll(handle).state is State.QUEUED
    pass_time(1)
    end = einstein.poll(handle)
    assert end.state is State.SUCCEEDED
    assert end.ended_at is not None
    assert (end.ended_at - NOON).total_seconds() == 10


def test_E1_an_answer_that_still_bears_the_old_time_does_not_make_the_old_end_new() -> None:
    """The service says QUEUED with the former `updatedAt`, and then shows the former end again."""
    old = {**a_sample("training_succeeded"), "modelId": "M1"}
    einstein = a_replay(M1=old, retrain={**old, "status": "QUEUED"})
    handle = einstein.start(a_retraining("M1", service="language"))
    assert einstein.poll(handle).state is State.QUEUED


def test_E1_a_former_failure_is_stale_too(einstein: Einstein, simulator: EinsteinSimulator) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    model.latest.plan = replace(model.latest.plan, failure="too few examples")
    simulator.account.stale_seconds = 30
    handle = einstein.start(a_retraining(model.id))
    assert einstein.poll(handle).state is State.QUEUED


def test_E1_a_service_that_never_moves_the_time_keeps_no_job_from_its_end(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    simulator.account.stale_seconds = 1e6
    handle = einstein.start(a_retraining(model.id))
    pass_time(3599)
    assert einstein.poll(handle).state is State.QUEUED
    pass_time(1)
    end = einstein.poll(handle)
    assert (end.state, end.ended_at) == (State.SUCCEEDED, None)


def test_E1_a_model_that_has_just_changed_is_left_alone_for_a_while(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    """Else a look-up could not tell the retraining from the training before it."""
    model = simulator.account.add_model(IMAGE_DATASET, "Young", days_old=0)
    simulator.account.end_now(model.id)
    pass_time(4)
    order = a_retraining(model.id, sent_at=NOON + timedelta(seconds=4))
    with pytest.raises(ProviderUnavailable, match="a little later") as raised:
        einstein.start(order)
    assert raised.value.retry_after_seconds == pytest.approx(6, abs=0.1)
    assert einstein.find(order) is None
    pass_time(6.1)
    einstein.start(replace(order, sent_at=NOON + timedelta(seconds=10.1)))
    assert simulator.starts[f"retrain:{model.id}"] == 1


@pytest.mark.parametrize("skew", [0, -7200, 7200])
@pytest.mark.parametrize("ended", [False, True])
def test_E1_a_lost_retraining_is_found_whatever_the_services_clock_says(
    einstein: Einstein,
    simulator: EinsteinSimulator,
    pass_time: Callable[[float], None],
    skew: float,
    ended: bool,
) -> None:
    simulator.clock.skew_seconds = skew
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    order = a_retraining(model.id, epochs=7, trainParams={"trainSplitRatio": 0.7})
    assert einstein.find(order) is None
    simulator.faults.add(Fault(kind=FaultKind.LOST_ANSWER, path="/retrain$"))
    with pytest.raises(StartOutcomeUnknown):
        einstein.start(order)
    if ended:
        pass_time(60)
    found = einstein.find(order)
    assert found is not None
    expected = State.SUCCEEDED if ended else State.QUEUED
    assert einstein.poll(found).state is expected


@pytest.mark.parametrize(
    "fields", [{"epochs": 8}, {"trainParams": {"trainSplitRatio": 0.8}}, {"learningRate": 0.002}]
)
def test_E1_a_retraining_that_was_asked_for_otherwise_is_not_ours(
    einstein: Einstein, simulator: EinsteinSimulator, fields: dict[str, Any]
) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    given: dict[str, Any] = {
        "epochs": 7,
        "trainParams": {"trainSplitRatio": 0.7},
        "learningRate": 0.001,
    }
    einstein.start(a_retraining(model.id, **given))
    assert einstein.find(a_retraining(model.id, **{**given, **fields})) is None


# ---------------------------------------------------------------- E2: what is checked before


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("epochs", [1, 1000], [0, 1001, "20", 20.5, True]),
        ("learningRate", [0.0001, 0.01], [0.00009, 0.0101, "0.001"]),
        ("service", ["vision"], ["speech", "", None]),
    ],
)
@pytest.mark.parametrize(
    ("model", "required"),
    [(TrainParameters, an_order().parameters), (RetrainParameters, {"modelId": "ABC123"})],
)
def test_E2_bounds_of_what_both_kinds_take(
    model: type[TrainParameters], required: dict[str, Any], field: str, good: Any, bad: Any
) -> None:
    for value in good:
        model.model_validate({**required, field: value})
    for value in bad:
        with pytest.raises(ValueError, match=field):
            model.model_validate({**required, field: value})


@pytest.mark.parametrize(
    ("service", "algorithm", "takes"),
    [
        ("vision", "object-detection", True),
        ("vision", "object-detection-v1", True),
        ("vision", "object-detection-v2", True),
        ("vision", "retail-execution", True),
        ("vision", "multilingual-intent", False),
        ("language", "intent", True),
        ("language", "multilingual-intent", True),
        ("language", "multilingual-intent-ood", True),
        ("language", "object-detection", False),
        ("language", "object-detection-v2", False),
        ("language", "best", False),
    ],
)
def test_E2_algorithms_are_of_their_service(service: str, algorithm: str, takes: bool) -> None:
    given = {**an_order().parameters, "service": service, "algorithm": algorithm}
    if takes:
        TrainParameters.model_validate(given)
        return
    with pytest.raises(ValueError, match="algorithm"):
        TrainParameters.model_validate(given)


@pytest.mark.parametrize(
    ("model", "required"),
    [(TrainParameters, an_order().parameters), (RetrainParameters, {"modelId": "ABC123"})],
)
def test_E2_epochs_of_language_have_no_documented_bound(
    model: type[TrainParameters], required: dict[str, Any]
) -> None:
    taken = model.model_validate({**required, "service": "language", "epochs": 1001})
    assert taken.epochs == 1001
    with pytest.raises(ValueError, match="epochs: Einstein vision takes 1 to 1000"):
        model.model_validate({**required, "service": "vision", "epochs": 1001})


def test_E2_a_detection_dataset_is_trained_with_version_2(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    """metamind.readme.io, retrain-a-dataset: object-detection-v2 needs as few as 50 boxes."""
    handle = einstein.start(an_order(datasetId=DETECTION_DATASET, algorithm="object-detection-v2"))
    assert simulator.account.models[handle["id"]].latest.algorithm == "object-detection-v2"


def test_E2_many_epochs_of_language_reach_the_service(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    handle = einstein.start(an_order(service="language", datasetId=INTENT_DATASET, epochs=1001))
    assert simulator.account.models[handle["id"]].latest.epochs == 1001


def test_it_says_that_vision_is_retired_since_when_and_who_says_so() -> None:
    status = PROVIDER.service
    assert (status.state, status.as_of) == ("retired", "2023-07-31")
    assert (
        '"As of July 31, 2023, Salesforce no longer offers the Object Detection and Image '
        'Classification APIs"'
    ) in status.note
    assert status.source == "https://blog.heroku.com/einstein-vision-image-recognition"


@pytest.mark.parametrize("given", [{"algorithm": "object-detection"}, {"service": "language"}])
def test_E2_no_learning_rate_for_detection_and_language(
    einstein: Einstein, simulator: EinsteinSimulator, given: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="learningRate: neither"):
        TrainParameters.model_validate({**an_order().parameters, "learningRate": 0.001, **given})
    model = simulator.account.add_model(DETECTION_DATASET, "Old")
    with pytest.raises(ProviderRejected, match="detection model"):
        einstein.start(a_retraining(model.id, learningRate=0.001))
    assert not simulator.starts


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("name", ["x", "x" * MAX_NAME], ["", " x", "x" * (MAX_NAME + 1), "[trainbell:01other]"]),
        ("datasetId", [1, 2**63 - 1], [0, 2**63, "57", True, None]),
    ],
)
def test_E2_bounds_of_train(field: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        TrainParameters.model_validate({**an_order().parameters, field: value})
    for value in bad:
        with pytest.raises(ValueError, match=field):
            TrainParameters.model_validate({**an_order().parameters, field: value})


@pytest.mark.parametrize("model_id", ["", "../x", "A B", "x" * 65, 7])
def test_E2_a_model_id_is_letters_and_digits(model_id: Any) -> None:
    with pytest.raises(ValueError, match="modelId"):
        RetrainParameters.model_validate({"modelId": model_id})


def test_E2_all_that_was_asked_for_arrives(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    handle = einstein.start(an_order(epochs=1000, learningRate=0.0001, name="x" * MAX_NAME))
    model = simulator.account.models[handle["id"]]
    assert (model.latest.epochs, model.latest.learning_rate) == (1000, 0.0001)
    assert len(model.name) == MAX_SENT_NAME
    detection = einstein.start(
        an_order(datasetId=DETECTION_DATASET, algorithm="object-detection-v1")
    )
    assert simulator.account.models[detection["id"]].latest.algorithm == "object-detection-v1"


def test_E2_parameters_are_kept_and_shown_as_the_service_spells_them() -> None:
    given = {**an_order().parameters, "trainParams": {"withFeedback": True}, "epochs": 3}
    kept = TrainParameters.model_validate(given).model_dump(mode="json", exclude_unset=True)
    assert kept == given
    schema = PROVIDER.kinds["train"].parameters.model_json_schema()
    assert "vision: 1 to 1000" in schema["properties"]["epochs"]["description"]
    assert PROVIDER.dataset_of
    assert PROVIDER.model_of
    assert (PROVIDER.dataset_of(kept), PROVIDER.model_of(kept)) == ("57", "Beaches")
    assert PROVIDER.dataset_of({"modelId": "M"}) is None
    assert PROVIDER.model_of({"modelId": "M"}) == "M"


# ---------------------------------------------------------------- E3: trainParams

PARAMS = {"withFeedback": True, "trainSplitRatio": 0.7, "withGlobalDatasetId": GLOBAL_DATASET}


@pytest.mark.parametrize("as_text", [False, True])
def test_E3_train_params_go_there_and_come_back_with_the_job(
    einstein: Einstein, simulator: EinsteinSimulator, as_text: bool
) -> None:
    """The vendor's documents disagree on whether they come as an object or as text."""
    simulator.account.as_text = as_text
    handle = einstein.start(an_order(trainParams=PARAMS))
    assert simulator.account.models[handle["id"]].latest.train_params == PARAMS
    seen = einstein.poll(handle)
    assert seen.message == (
        f"image model Beaches [trainbell:{JOB}] on dataset 57 "
        "(withFeedback True, trainSplitRatio 0.7, withGlobalDatasetId 1000)"
    )
    assert seen.performance.artifacts == {
        "model": f"einstein:models/{handle['id']}",
        "dataset": "einstein:datasets/57",
        "global_dataset": "einstein:datasets/1000",
    }


@pytest.mark.parametrize(
    "params",
    [
        {"withFeedback": "yes"},
        {"trainSplitRatio": 0.0},
        {"trainSplitRatio": 1.0},
        {"withGlobalDatasetId": 0},
        {"noSuchThing": 1},
    ],
)
def test_E3_bounds_of_train_params(params: dict[str, Any]) -> None:
    TrainParameters.model_validate({**an_order().parameters, "trainParams": PARAMS})
    with pytest.raises(ValueError, match=f"trainParams.{next(iter(params))}"):
        TrainParameters.model_validate({**an_order().parameters, "trainParams": params})


# ---------------------------------------------------------------- E4: one at a time per dataset


@pytest.mark.parametrize("kind", ["train", "retrain"])
def test_E4_a_second_training_of_a_dataset_is_refused_or_waits_as_the_caller_asks(
    einstein: Einstein,
    simulator: EinsteinSimulator,
    pass_time: Callable[[float], None],
    kind: str,
) -> None:
    """Somebody else's training, that is: Trainbell's own are told apart by its hold."""
    old = simulator.account.add_model(IMAGE_DATASET, "Old")
    other = simulator.account.train(simulator.account.datasets[IMAGE_DATASET], "Other", {})
    order = an_order() if kind == "train" else a_retraining(old.id)
    with pytest.raises(ProviderRejected, match=f"model {other.id} is QUEUED"):
        einstein.start(order)
    waits = replace(order, when_busy=WhenBusy.WAIT)
    with pytest.raises(ProviderUnavailable, match="waits its turn"):
        einstein.start(waits)
    assert not simulator.starts
    pass_time(22)
    einstein.start(waits)
    assert sum(simulator.starts.values()) == 1


def test_E4_a_retrained_model_that_is_busy_itself_is_told_before_anything_is_sent(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    einstein.start(a_retraining(model.id))
    with pytest.raises(ProviderRejected, match="is QUEUED"):
        einstein.start(a_retraining(model.id))
    with pytest.raises(ProviderUnavailable, match="waits its turn"):
        einstein.start(a_retraining(model.id, when_busy=WhenBusy.WAIT))
    assert simulator.starts[f"retrain:{model.id}"] == 1


def test_E4_who_would_wait_is_not_refused_because_the_reason_cannot_be_read(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    simulator.account.train(simulator.account.datasets[IMAGE_DATASET], "Other", {})
    for when_busy, kind in (
        (WhenBusy.WAIT, ProviderUnavailable),
        (WhenBusy.REFUSE, ProviderRejected),
    ):
        simulator.faults.add(Fault(kind=FaultKind.ERROR, path="/models$"))
        with pytest.raises(kind):
            einstein.start(an_order(when_busy=when_busy))
    assert PROVIDER.one_active_per_dataset


def test_E4_trainbells_own_jobs_hold_the_dataset_and_a_retrained_model() -> None:
    def holds(**fields: Any) -> tuple[str, ...]:
        job = a_job(provider="einstein", connection="einstein", **fields)
        connection = a_connection(name="einstein", provider="einstein")
        return busy_holds(cast(Services, None), job, PROVIDER, connection)

    assert holds(kind="train", dataset="57", model="Beaches") == ("dataset:einstein:57",)
    assert holds(kind="retrain", model="M1") == ("model:einstein:M1",)


# ---------------------------------------------------------------- E5: states


def test_E5_states_queue_position_and_progress(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    simulator.account.plan = Plan(queued_seconds=10, running_seconds=100)
    first = einstein.start(an_order())
    pass_time(1)
    handle = einstein.start(an_order("01second", datasetId=DETECTION_DATASET, epochs=10))
    assert einstein.poll(first).queue_position == 1
    seen = [einstein.poll(handle)]
    for seconds in (10, 50, 50):
        pass_time(seconds)
        seen.append(einstein.poll(handle))
    assert [s.vendor_status for s in seen] == ["QUEUED", "RUNNING", "RUNNING", "SUCCEEDED"]
    assert [s.progress for s in seen] == [0.0, 0.0, 0.5, 1.0]
    assert [s.queue_position for s in seen] == [2, None, None, None]
    assert [s.stage for s in seen] == [None, "epoch 0 of 10", "epoch 5 of 10", None]
    assert seen[-1].ended_at is not None
    assert (seen[-1].ended_at - NOON).total_seconds() == 111
    assert seen[-1].ended_at.utcoffset() == seen[-1].seen_at.utcoffset()


def test_E5_a_failed_training_says_why(einstein: Einstein, simulator: EinsteinSimulator) -> None:
    simulator.account.plan = Plan(failure="at least 100 examples per label", fails_at=0.25)
    handle = einstein.start(an_order())
    simulator.clock.advance(7)
    seen = einstein.poll(handle)
    assert (seen.state, seen.message) == (State.FAILED, "at least 100 examples per label")
    assert seen.progress == 0.25


@pytest.mark.parametrize(
    ("status", "state"), [("KILLED", State.CANCELLED), ("FAILED_WITH_RETRIES", State.FAILED)]
)
def test_E5_the_two_ends_that_only_the_openapi_document_names(
    einstein: Einstein, simulator: EinsteinSimulator, status: str, state: State
) -> None:
    handle = einstein.start(an_order())
    simulator.account.say(handle["id"], status)
    seen = einstein.poll(handle)
    assert (seen.vendor_status, seen.state) == (status, state)


# ---------------------------------------------------------------- E6: statistics and curve


def test_E6_statistics_metrics_and_learning_curve_of_an_image_model(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    simulator.account.plan = Plan(queued_seconds=1, running_seconds=100, stops_at_epoch=130)
    handle = einstein.start(an_order(epochs=200))
    pass_time(80)
    seen = einstein.poll(handle)
    end = seen.performance
    assert end.metrics["lastEpochDone"] == 130
    assert end.metrics["examples"] == 150
    assert (end.metrics["trainSplitSize"], end.metrics["testSplitSize"]) == (135, 15)
    assert 0 < end.metrics["testAccuracy"] <= 1
    assert set(end.per_tag) == {"Beaches", "Mountains"}
    assert set(end.per_tag["Beaches"]) == {"f1"}
    assert end.cost["total_seconds"] == pytest.approx(65)
    assert end.cost["training_seconds"] == pytest.approx(62.4)
    assert [point["epoch"] for point in end.curve] == list(range(1, 131))
    assert end.curve[-1]["testAccuracy"] == end.metrics["testAccuracy"]
    assert seen.message is not None
    assert seen.message.endswith("stopped early after epoch 130 of 200")


@pytest.mark.parametrize(
    ("dataset", "metric", "per_tag"),
    [
        (DETECTION_DATASET, "meanAveragePrecision", {"averagePrecision"}),
        (MULTI_LABEL_DATASET, "trainingLoss", {"testAccuracy", "trainingAccuracy"}),
        (INTENT_DATASET, "macroF1", {"f1", "precision", "recall"}),
    ],
)
def test_E6_every_kind_of_model_tells_its_worth(
    einstein: Einstein, simulator: EinsteinSimulator, dataset: int, metric: str, per_tag: set[str]
) -> None:
    service = simulator.account.datasets[dataset].service
    handle = einstein.start(an_order(service=service, datasetId=dataset))
    simulator.clock.advance(22)
    for as_text in (False, True):
        simulator.account.as_text = as_text
        end = einstein.poll(handle).performance
        assert end.metrics[metric] > 0
        assert all(set(values) == per_tag for values in end.per_tag.values())
        assert set(end.per_tag) == set(simulator.account.datasets[dataset].labels)
        assert len(end.curve) == 20
        assert metric in end.curve[-1]
        assert end.cost["total_seconds"] == 20


def test_E6_a_curve_of_a_thousand_epochs_is_read_in_pages(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    handle = einstein.start(an_order(epochs=1000))
    simulator.clock.advance(22)
    curve = einstein.poll(handle).performance.curve
    assert [point["epoch"] for point in curve] == list(range(1, 1001))
    assert simulator.requests["GET"] == 12


def test_E6_metrics_that_cannot_be_read_now_hold_the_end_back_for_a_while_only(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    handle = einstein.start(an_order())
    pass_time(22)
    simulator.faults.add(Fault(kind=FaultKind.ERROR, path="/models/", times=None))
    with pytest.raises(ProviderUnavailable):
        einstein.poll(handle)
    pass_time(900)
    end = einstein.poll(handle)
    assert end.state is State.SUCCEEDED
    assert end.performance.metrics["examples"] == 150
    assert not end.performance.curve


@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.TOO_DEEP, FaultKind.NOT_UTF8])
def test_E6_metrics_that_nobody_can_read_cost_no_job_its_end(
    einstein: Einstein, simulator: EinsteinSimulator, kind: FaultKind
) -> None:
    handle = einstein.start(an_order())
    simulator.clock.advance(22)
    simulator.faults.add(Fault(kind=kind, path="/models/"))
    assert einstein.poll(handle).state is State.SUCCEEDED


# ---------------------------------------------------------------- E7: refused, nothing started


def test_E7_a_dataset_that_is_gone_or_about_to_be_is_a_clear_refusal(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    orders = [an_order(), a_retraining(model.id)]
    simulator.account.delete_dataset(simulator.account.datasets[IMAGE_DATASET])
    for order in orders:
        with pytest.raises(ProviderRejected, match="DELETE_PENDING") as raised:
            einstein.start(order)
        assert raised.value.http_status == 400
        assert raised.value.details == {"message": "Dataset 57 has the status DELETE_PENDING"}
    simulator.clock.advance(5)
    for order in orders:
        with pytest.raises(ProviderRejected, match="it may have been deleted"):
            einstein.start(order)
    assert einstein.find(an_order()) is None
    assert not simulator.starts


def test_E7_a_model_that_was_deleted_is_a_clear_refusal(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    einstein.delete({"service": "vision", "id": model.id})
    with pytest.raises(ProviderRejected, match=f"model {model.id} does not exist"):
        einstein.start(a_retraining(model.id))
    assert einstein.find(a_retraining(model.id)) is None
    with pytest.raises(ProviderJobMissing):
        einstein.delete({"service": "vision", "id": model.id})
    assert not simulator.starts


def test_E7_only_a_model_at_rest_is_deleted(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    handle = einstein.start(an_order())
    with pytest.raises(ProviderRejected, match="QUEUED"):
        einstein.delete(handle)
    simulator.account.end_now(handle["id"])
    einstein.delete(handle)
    with pytest.raises(ProviderJobMissing):
        einstein.poll(handle)


def test_E7_an_unreadable_model_before_a_retraining_is_no_unclear_start(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    simulator.faults.add(Fault(kind=FaultKind.HTML, path="/train/"))
    with pytest.raises(ProviderUnavailable, match="nothing was sent"):
        einstein.start(a_retraining(model.id))
    assert not simulator.starts


# ---------------------------------------------------------------- E8: tokens


def test_E8_one_token_serves_until_shortly_before_its_end(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    handle = einstein.start(an_order())
    for _ in range(3):
        einstein.poll(handle)
    assert simulator.tokens.issued == 1
    pass_time(49)
    einstein.poll(handle)
    assert simulator.tokens.issued == 1
    pass_time(1)
    assert einstein.poll(handle).state is State.SUCCEEDED
    assert simulator.tokens.issued == 2


def test_E8_a_job_of_hours_is_watched_with_tokens_of_a_minute(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    simulator.account.plan = Plan(running_seconds=4 * 3600)
    handle = einstein.start(an_order())
    states = set()
    for _ in range(50):
        pass_time(290)
        states.add(einstein.poll(handle).state)
    assert states == {State.RUNNING, State.SUCCEEDED}
    assert simulator.tokens.issued == 51


def test_E8_a_token_that_is_refused_early_is_renewed_once_even_for_a_start(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    einstein.check()
    for call in (lambda: einstein.start(an_order()), einstein.check):
        simulator.tokens.revoke_all()
        call()
    assert simulator.starts == {f"trainbell:{JOB}": 1}
    assert simulator.tokens.issued == 3
    simulator.faults.add(Fault(kind=FaultKind.ERROR, status=401, path="/apiusage"))
    einstein.check()
    simulator.faults.add(Fault(kind=FaultKind.ERROR, status=401, path="/apiusage", times=2))
    with pytest.raises(ProviderAuthFailed):
        einstein.check()


def test_E8_a_longer_life_is_asked_for_where_it_is_wished(
    simulator: EinsteinSimulator,
    another: Callable[..., Einstein],
    pass_time: Callable[[float], None],
    clock: FakeClock,
) -> None:
    einstein = another(token_seconds=7200, clock=clock)
    einstein.check()
    pass_time(7000)
    einstein.check()
    assert simulator.tokens.issued == 1


@pytest.mark.parametrize(
    ("secret", "match"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "PEM form"),
        (PRIVATE_KEY.replace("RSA PRIVATE", "PUBLIC"), "PEM form"),
        ("no key at all", "PEM form"),
    ],
)
def test_E8_a_secret_that_is_no_key_is_one_clear_error(
    another: Callable[..., Einstein], secret: str, match: str
) -> None:
    with pytest.raises(ProviderAuthFailed, match=match) as raised:
        another(secret=secret).check()
    assert "MII" not in str(raised.value)


@pytest.mark.parametrize("size", [2048, None])
def test_E8_a_key_of_another_account_or_kind_is_refused(
    another: Callable[..., Einstein], size: int | None
) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = rsa.generate_private_key(65537, size) if size else ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    words = "signature does not match" if size else "not an RSA one"
    with pytest.raises(ProviderAuthFailed, match=words):
        another(secret=pem).check()


def test_E8_a_wrong_account_is_refused(another: Callable[..., Einstein]) -> None:
    with pytest.raises(ProviderAuthFailed, match="no such account") as raised:
        another(account="somebody@example.com").check()
    assert raised.value.http_status == 400


def test_E8_a_key_on_one_line_works_and_so_does_one_that_was_mended(
    another: Callable[..., Einstein],
) -> None:
    secret = OneSecret("no key")
    einstein = another(secret=secret)
    with pytest.raises(ProviderAuthFailed):
        einstein.check()
    secret.secret = PRIVATE_KEY.strip().replace("\n", "\\n")
    assert einstein.check() == "Einstein answered: 1 month of usage in this plan"


@pytest.mark.parametrize(
    "kind", [FaultKind.ERROR, FaultKind.DROPPED_AFTER, FaultKind.HTML, FaultKind.HALF_JSON]
)
def test_E8_no_token_means_that_no_start_was_sent(
    einstein: Einstein, simulator: EinsteinSimulator, kind: FaultKind
) -> None:
    simulator.faults.add(Fault(kind=kind, path="oauth2"))
    with pytest.raises(ProviderUnavailable):
        einstein.start(an_order())
    assert not simulator.starts
    einstein.start(an_order())


@pytest.mark.parametrize("status", [400, 429, 500])
def test_E8_neither_token_nor_assertion_is_shown(
    einstein: Einstein, simulator: EinsteinSimulator, status: int
) -> None:
    handle = einstein.start(an_order())
    token = next(iter(simulator.tokens._good_until))
    simulator.faults.add(Fault(kind=FaultKind.ECHO, status=status))
    with pytest.raises(Exception, match=str(status)) as raised:
        einstein.poll(handle)
    assert token not in str(raised.value) + repr(vars(raised.value))


@pytest.mark.parametrize("expires_in", ['"60"', "60", "60.0", '"soon"', "null", "-5", '"NaN"'])
def test_E8_the_life_of_a_token_is_a_string_of_seconds_or_anything_else(expires_in: str) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/oauth2/token":
            asked.append(request.content)
            body = f'{{"access_token": "T", "token_type": "Bearer", "expires_in": {expires_in}}}'
            return httpx.Response(200, content=body)
        assert request.headers["authorization"] == "Bearer T"
        assert request.headers["cache-control"] == "no-cache"
        return httpx.Response(200, json={"object": "list", "data": []})

    clock = FakeClock()
    einstein = a_provider(
        "https://api.einstein.ai", transport=httpx.MockTransport(answer), clock=clock
    )
    for seconds in (0, 49, 1):
        clock.advance(seconds)
        einstein.check()
    assert len(asked) == 2
    assert asked[0].startswith(b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"account": "nobody"},
        {"account": ACCOUNT, "token_seconds": 59},
        {"account": ACCOUNT, "x": 1},
        {"account": ACCOUNT, "token_seconds": 2_592_001},
    ],
)
def test_E8_the_connection_names_its_account(options: dict[str, Any]) -> None:
    catalog = Catalog(OneSecret(PRIVATE_KEY), FakeClock())
    with pytest.raises(ConfigInvalid, match="needs the option account"):
        catalog.client(a_connection(provider="einstein", options=options))
    EinsteinOptions.model_validate({"account": ACCOUNT, "token_seconds": 2_592_000})


# ---------------------------------------------------------------- E9: multipart requests


def test_E9_a_start_is_a_multipart_form_with_any_text() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if request.url.path == "/v2/oauth2/token":
            return httpx.Response(200, json={"access_token": "T", "expires_in": "60"})
        return httpx.Response(200, json={"modelId": "M1", "status": "QUEUED"})

    einstein = a_provider("https://api.einstein.ai", transport=httpx.MockTransport(answer))
    name = 'Möwen "am" Strand; --x'
    assert einstein.start(an_order(name=name)) == {"service": "vision", "id": "M1"}
    content_type = sent[1].headers["content-type"]
    kind, _, boundary = content_type.partition("; boundary=")
    assert kind == "multipart/form-data"
    assert sent[1].content.decode().split(f"--{boundary}")[1:] == [
        f'\r\nContent-Disposition: form-data; name="name"\r\n\r\n{name} [trainbell:{JOB}]\r\n',
        '\r\nContent-Disposition: form-data; name="datasetId"\r\n\r\n57\r\n',
        "--\r\n",
    ]


def test_E9_the_simulated_service_reads_what_was_sent(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    handle = einstein.start(an_order(name="Möwen am Strand", epochs=3))
    model = simulator.account.models[handle["id"]]
    assert model.name == f"Möwen am Strand [trainbell:{JOB}]"
    assert model.latest.epochs == 3


# ---------------------------------------------------------------- found again, page by page


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("place", [0, 99, 100, 215, 229])
def test_E1_the_list_of_models_is_read_to_its_end(
    einstein: Einstein, simulator: EinsteinSimulator, place: int, newest_first: bool
) -> None:
    simulator.newest_first = newest_first
    models = [
        simulator.account.add_model(
            IMAGE_DATASET, f"[trainbell:{JOB}]" if number == place else f"other {number}"
        )
        for number in range(230)
    ]
    assert einstein.find(an_order()) == {"service": "vision", "id": models[place].id}
    assert einstein.find(an_order("01jobbbbbbbbbbbbbbbbbbbbbb")) is None
    assert simulator.requests["GET"] <= 8


def a_list(*pages: list[str], dataset: int = IMAGE_DATASET) -> Einstein:
    """An Einstein whose list of models answers with these pages of ids, the last one for ever."""
    left = list(pages)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/oauth2/token":
            return httpx.Response(200, json={"access_token": "T", "expires_in": "60"})
        ids = left.pop(0) if len(left) > 1 else left[0]
        name = f"x [trainbell:{JOB}]" if dataset != IMAGE_DATASET else "x"
        data = [
            {"modelId": i, "status": "SUCCEEDED", "name": name, "datasetId": dataset} for i in ids
        ]
        return httpx.Response(200, json={"object": "list", "data": data})

    return a_provider("https://api.einstein.ai", transport=httpx.MockTransport(answer))


def test_E1_a_list_that_shrinks_while_it_is_read_is_never_not_found() -> None:
    first = [f"t{n}" for n in range(100)]
    for second in ([f"t{n}" for n in range(150, 200)], []):
        with pytest.raises(ProviderUnavailable, match="changed while"):
            a_list(first, second).find(an_order())


def test_E1_a_list_without_end_is_never_not_found() -> None:
    pages = [[f"t{n}" for n in range(page, page + 20)] for page in range(0, 10 * MAX_PAGES, 10)]
    with pytest.raises(ProviderReplyInvalid, match="more than"):
        a_list(*pages).find(an_order())


def test_E1_a_marker_on_another_dataset_is_not_ours() -> None:
    assert a_list(["t1"], dataset=DETECTION_DATASET).find(an_order()) is None


# ---------------------------------------------------------------- the documented answers


def a_replay(**answers: dict[str, Any]) -> Einstein:
    """An Einstein that gives these answers by the last part of the path."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/oauth2/token":
            return httpx.Response(200, json={"access_token": "T", "expires_in": "60"})
        found = answers.get(request.url.path.rpartition("/")[2])
        return httpx.Response(200, json=found) if found else httpx.Response(404, json={})

    return a_provider("https://api.einstein.ai", transport=httpx.MockTransport(answer))


def a_sample(name: str) -> dict[str, Any]:
    sample = files("trainbell.providers.einstein") / "samples" / f"{name}.json"
    document = json.loads(sample.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def test_E6_a_real_answer_of_2017_reads_as_documented() -> None:
    """Its metrics are gone (404), which costs the job nothing."""
    sample = a_sample("training_succeeded")
    model_id = sample["modelId"]
    seen = a_replay(**{model_id: sample}).poll({"service": "language", "id": model_id})
    assert seen.state is State.SUCCEEDED
    assert seen.ended_at == datetime(2017, 8, 18, 21, 42, 23, tzinfo=UTC)
    assert seen.performance.cost["training_seconds"] == pytest.approx(145.646)
    assert seen.performance.cost["total_seconds"] == pytest.approx(148.577)
    assert seen.performance.metrics["examples"] == 150


def test_E3_train_params_as_text_in_a_real_answer_are_read() -> None:
    sample = a_sample("retrain_queued")
    model_id = sample["modelId"]
    seen = a_replay(**{model_id: sample}).poll({"service": "vision", "id": model_id})
    assert (seen.state, seen.queue_position, seen.progress) == (State.QUEUED, 1, 0.0)
    assert (
        seen.message == "image model Beach and Mountain Model on dataset 57 (trainSplitRatio 0.7)"
    )


@pytest.mark.parametrize(
    "odd",
    [
        {"trainStats": "{", "trainParams": "[]", "updatedAt": "soon", "datasetId": [57]},
        {"trainStats": [1], "progress": True, "queuePosition": "first", "epochs": "many"},
        {"progress": None, "updatedAt": 7, "name": None, "failureMsg": {}, "modelType": 3},
    ],
)
def test_E5_what_is_odd_in_an_answer_is_left_out(odd: dict[str, Any]) -> None:
    sample = {**a_sample("training_succeeded"), **odd}
    model_id = sample["modelId"]
    seen = a_replay(**{model_id: sample}).poll({"service": "language", "id": model_id})
    assert seen.state is State.SUCCEEDED


@pytest.mark.parametrize("odd", [{"status": None}, {"status": ""}, {"modelId": "../x"}])
def test_E5_an_answer_without_a_readable_status_or_id_is_invalid(odd: dict[str, Any]) -> None:
    sample = {**a_sample("training_succeeded"), **odd}
    with pytest.raises(ProviderReplyInvalid):
        a_replay(M1=sample).poll({"service": "language", "id": "M1"})


@pytest.mark.parametrize(
    "data", [None, {}, {"labels": 3}, {"labels": ["a"], "f1": "x"}, {"f1": [1]}]
)
def test_E6_metrics_of_another_shape_are_left_out(data: Any) -> None:
    sample = a_sample("training_succeeded")
    model_id = sample["modelId"]
    curve = {
        "data": [{"epoch": "one", "metricsData": data}, {"metricsData": {"testAccuracy": 0.5}}]
    }
    answers = {model_id: {**sample, "metricsData": data}, "lc": curve}
    end = a_replay(**answers).poll({"service": "language", "id": model_id}).performance
    assert end.metrics["examples"] == 150
    assert end.curve[1] == {"epoch": 2.0, "testAccuracy": 0.5}


# ---------------------------------------------------------------- what it lacks


def test_it_says_in_clear_words_what_the_service_cannot_do(einstein: Einstein) -> None:
    with pytest.raises(NotSupported, match="Einstein has no call to cancel a training"):
        einstein.cancel({"service": "vision", "id": "x"})
    with pytest.raises(NotSupported, match="learning curve"):
        einstein.logs({"service": "vision", "id": "x"}, 5)
    assert not PROVIDER.can_cancel


@pytest.mark.parametrize(
    "handle",
    [
        {},
        {"id": "M"},
        {"service": "speech", "id": "M"},
        {"service": "vision", "id": ""},
        {"service": "vision", "id": 7},
        {"service": "vision", "id": "M", "after": "noon"},
        {"service": "vision", "id": "M", "sent_at": 5},
    ],
)
def test_a_handle_without_a_model_is_of_no_job(einstein: Einstein, handle: dict[str, Any]) -> None:
    with pytest.raises(ProviderJobMissing):
        einstein.poll(handle)
