"""SageMaker: the conformance suite on moto's server; from samples, what moto does not do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import boto3
import botocore.session
import httpx
import pytest

from tests.builders import NOON, FakeClock, a_connection
from tests.inner_provider import inner
from tests.open_secrets import OpenSecrets
from tests.sagemaker_on_moto import (
    ACCESS_KEY,
    ACCOUNT,
    KEYS,
    REFUSED_ROLE,
    REGION,
    SECRET_KEY,
    SageMakerOnMoto,
    a_channel,
    parameters,
    sagemaker_on_moto,
)
from trainbell.conformance import HttpConformance, HttpSubject
from trainbell.domain.job import EndReason, State
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
from trainbell.ports import Provider, StartOrder
from trainbell.providers.catalog import Catalog
from trainbell.providers.sagemaker import PROVIDER
from trainbell.providers.sagemaker.log_tail import PAGES_READ
from trainbell.providers.sagemaker.parameters import JOB_VARIABLE
from trainbell.providers.sagemaker.provider import SageMaker
from trainbell.providers.sagemaker.status_map import STATUS_MAP, TIME_IS_UP, WAITING_STAGES
from trainbell.providers.sagemaker.vendor_models import TrainingJob
from trainbell.providers.service_call import MAX_REPLY_BYTES

JOB = "01jobaaaaaaaaaaaaaaaaaaaaa"
NAME = f"trainbell-{JOB}"
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{NAME}"
HANDLE = {"name": NAME, "arn": ARN}


class OneSecret(OpenSecrets):
    def __init__(self, secret: str) -> None:
        self.secret = secret

    def read(self, reference: str) -> str:
        return self.secret


def a_provider(
    base_url: str,
    secret: str | OneSecret = KEYS,
    transport: httpx.BaseTransport | None = None,
    **options: Any,
) -> SageMaker:
    secrets = OneSecret(secret) if isinstance(secret, str) else secret
    catalog = Catalog(secrets, FakeClock(), transport=transport)
    connection = a_connection(
        name="sagemaker",
        provider="sagemaker",
        base_url=base_url,
        options={"region": REGION, "logs_url": base_url, **options},
    )
    client = inner(catalog.client(connection))
    assert isinstance(client, SageMaker)
    return client


def an_order(job_id: str = JOB, **changes: Any) -> StartOrder:
    return StartOrder(job_id=job_id, kind="train", parameters=parameters(**changes))


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[SageMakerOnMoto, str]]:
    with sagemaker_on_moto() as both:
        yield both


@pytest.fixture
def service(served: tuple[SageMakerOnMoto, str]) -> SageMakerOnMoto:
    """The one server, as if it had just started."""
    service = served[0]
    service.jobs().clear()
    service.starts.clear()
    service.calls.clear()
    service.faults.replace()
    return service


@pytest.fixture
def made() -> Iterator[list[Provider]]:
    providers: list[Provider] = []
    yield providers
    for provider in providers:
        provider.close()


@pytest.fixture
def base_url(served: tuple[SageMakerOnMoto, str], service: SageMakerOnMoto) -> str:
    return served[1]


@pytest.fixture(scope="module")
def shared_provider(served: tuple[SageMakerOnMoto, str]) -> Iterator[SageMaker]:
    """botocore takes its time to load SageMaker's model, so it is done once."""
    provider = a_provider(served[1])
    yield provider
    provider.close()


@pytest.fixture
def sagemaker(service: SageMakerOnMoto, shared_provider: SageMaker) -> SageMaker:
    return shared_provider


class TestConformance(HttpConformance):
    spec = PROVIDER

    @pytest.fixture
    def subject(
        self, service: SageMakerOnMoto, base_url: str, sagemaker: SageMaker, made: list[Provider]
    ) -> HttpSubject:
        def another(url: str = base_url, **wanted: Any) -> SageMaker:
            made.append(provider := a_provider(url, **wanted))
            return provider

        def keys(secret: str) -> str:
            return json.dumps({"access_key_id": ACCESS_KEY, "secret_access_key": secret})

        return HttpSubject(
            spec=PROVIDER,
            provider=sagemaker,
            order=an_order,
            bad_order=lambda job_id: an_order(job_id, RoleArn=REFUSED_ROLE),
            starts=lambda job_id: service.starts[job_id],
            finish=lambda handle: service.finish(handle["name"]),
            unknown_handle={"name": "trainbell-01nobody", "arn": ARN},
            status_map=STATUS_MAP,
            documented_statuses=frozenset(_enum("TrainingJobStatus")),
            package="trainbell.providers.sagemaker",
            fault=service.faults.add,
            secret=SECRET_KEY,
            with_secret=lambda secret: another(secret=keys(secret)),
            through=lambda transport: another(transport=transport),
            unreachable=another("http://127.0.0.1:1"),
            say=lambda handle, status: service.say(handle["name"], status),
            get_on=service.get_on,
        )


def _enum(shape: str) -> list[str]:
    model: Any = botocore.session.get_session().get_service_model("sagemaker")
    values: list[str] = model.shape_for(shape).enum
    return values


def recorded(name: str, **changes: Any) -> dict[str, Any]:
    sample = files("trainbell.providers.sagemaker") / "samples" / f"{name}.json"
    return {**json.loads(sample.read_text(encoding="utf-8")), **changes}


@pytest.fixture(scope="module")
def answering() -> Iterator[Callable[..., SageMaker]]:
    """A provider whose service gives these answers, one after the other, the last one for ever."""
    left: list[httpx.Response] = []
    transport = httpx.MockTransport(lambda _: left.pop(0) if len(left) > 1 else left[0])
    provider = a_provider("https://api.sagemaker.example", transport=transport)

    def set_answers(*answers: dict[str, Any] | httpx.Response) -> SageMaker:
        left[:] = [a if isinstance(a, httpx.Response) else reply(a) for a in answers]
        return provider

    yield set_answers
    provider.close()


def reply(body: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=json.dumps(body).encode())


def refusal(code: str, words: str = "", status: int = 400) -> httpx.Response:
    return reply({"__type": code, "message": words}, status)


# ---------------------------------------------------------------- one name, one training


def test_the_name_is_the_job_and_the_whole_input_arrives(
    sagemaker: SageMaker, service: SageMakerOnMoto
) -> None:
    order = an_order(
        Environment={"EPOCHS": "3"},
        Tags=[{"Key": "team", "Value": "faces"}],
        StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90},
        EnableManagedSpotTraining=True,
        CheckpointConfig={"S3Uri": "s3://models/checkpoints"},
    )
    assert sagemaker.start(order) == HANDLE
    job = service.jobs()[NAME]
    assert job.role_arn == order.parameters["RoleArn"]
    assert job.input_data_config == order.parameters["InputDataConfig"]
    assert job.tags == order.parameters["Tags"]
    assert job.enable_managed_spot_training is True
    shown = sagemaker.client.training_job(NAME)
    assert shown.Environment == {"EPOCHS": "3", JOB_VARIABLE: JOB}


def test_a_repeated_start_adopts_the_first(sagemaker: SageMaker, service: SageMakerOnMoto) -> None:
    assert sagemaker.start(an_order()) == sagemaker.start(an_order()) == HANDLE
    assert service.starts[JOB] == 1


def test_a_job_of_somebody_else_with_our_name_is_not_adopted(
    sagemaker: SageMaker, service: SageMakerOnMoto
) -> None:
    sagemaker.start(an_order())
    service._environments[NAME] = {JOB_VARIABLE: "01somebodyelse"}
    assert sagemaker.find(an_order()) is None
    with pytest.raises(ProviderRejected) as raised:
        sagemaker.start(an_order())
    assert raised.value.vendor_code == "ResourceInUse"


@pytest.mark.parametrize("environment", [None, {}])
def test_without_an_environment_the_same_input_makes_it_ours(
    sagemaker: SageMaker, service: SageMakerOnMoto, environment: dict[str, str] | None
) -> None:
    sagemaker.start(an_order())
    service._environments[NAME] = environment
    assert sagemaker.find(an_order()) == HANDLE
    for other in (
        {"HyperParameters": {"epochs": "4"}},
        {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/other"},
        {"InputDataConfig": [a_channel(), a_channel(ChannelName="more")]},
        {"AlgorithmSpecification": {"AlgorithmName": "xgboost", "TrainingInputMode": "File"}},
    ):
        assert sagemaker.find(an_order(**other)) is None


def test_another_prefix_is_another_name(base_url: str, made: list[Provider]) -> None:
    made.append(team := a_provider(base_url, name_prefix="trainbell-team-"))
    assert team.start(an_order())["name"] == f"trainbell-team-{JOB}"


def test_it_is_never_watched_by_a_list(sagemaker: SageMaker, service: SageMakerOnMoto) -> None:
    handle = sagemaker.start(an_order())
    sagemaker.find(an_order())
    sagemaker.poll(handle)
    sagemaker.check()
    sagemaker.cancel(handle)
    assert set(service.calls) == {"CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob"}


# ---------------------------------------------------------------- watched to the end


def test_a_job_goes_through_its_stages(sagemaker: SageMaker, service: SageMakerOnMoto) -> None:
    handle = sagemaker.start(an_order())
    waiting = sagemaker.poll(handle)
    assert (waiting.state, waiting.stage, waiting.started_at) == (State.QUEUED, "Starting", None)
    service.begin(NAME)
    running = sagemaker.poll(handle)
    assert (running.state, running.stage) == (State.RUNNING, "Training")
    assert running.started_at is not None
    service.finish(NAME, billable_seconds=100)
    end = sagemaker.poll(handle)
    assert (end.state, end.vendor_status) == (State.SUCCEEDED, "Completed")
    assert end.performance.cost == {"billable_seconds": 100.0, "instances": 1.0}
    assert end.performance.artifacts == {"model": f"s3://models/out/{NAME}/output/model.tar.gz"}


def test_final_metrics_cost_and_times_of_a_completed_job(answering: Any) -> None:
    seen = answering(recorded("training_job_completed")).poll(HANDLE)
    assert seen.state is State.SUCCEEDED
    assert seen.performance.metrics == {"validation:accuracy": 0.9375, "train:loss": 0.125}
    assert seen.performance.cost == {
        "training_seconds": 500.0,
        "billable_seconds": 100.0,
        "instances": 2.0,
    }
    assert seen.started_at == datetime(2026, 3, 2, 12, 1, 0, 500_000, tzinfo=UTC)
    assert seen.ended_at == datetime(2026, 3, 2, 12, 9, 20, 500_000, tzinfo=UTC)
    assert seen.message == "Training job completed"


@pytest.mark.parametrize("stage", ["Interrupted", "Restarting", "Starting", "Pending", "Updating"])
def test_a_spot_interruption_keeps_it_running(answering: Any, stage: str) -> None:
    seen = answering(recorded("training_job_interrupted", SecondaryStatus=stage)).poll(HANDLE)
    assert (seen.state, seen.stage) == (State.RUNNING, stage)
    words = "Training job interrupted, waiting for spot capacity"
    assert seen.message == (words if stage == "Interrupted" else None)


@pytest.mark.parametrize("stage", [*sorted(WAITING_STAGES)])
def test_before_its_first_instance_it_is_queued(answering: Any, stage: str) -> None:
    answer = recorded("training_job_interrupted", SecondaryStatus=stage)
    del answer["TrainingStartTime"]
    assert answering(answer).poll(HANDLE).state is State.QUEUED


def test_an_unknown_stage_is_only_a_stage(answering: Any) -> None:
    seen = answering(recorded("training_job_interrupted", SecondaryStatus="Meditating")).poll(
        HANDLE
    )
    assert (seen.state, seen.stage, seen.vendor_status) == (
        State.RUNNING,
        "Meditating",
        "InProgress",
    )


def test_the_stages_with_a_meaning_are_documented() -> None:
    assert set(_enum("SecondaryStatus")) >= WAITING_STAGES | TIME_IS_UP


@pytest.mark.parametrize(
    ("stage", "state", "reason"),
    [
        ("Stopped", State.CANCELLED, None),
        ("MaxRuntimeExceeded", State.EXPIRED, EndReason.DEADLINE_EXCEEDED),
        ("MaxWaitTimeExceeded", State.EXPIRED, EndReason.DEADLINE_EXCEEDED),
    ],
)
def test_stopped_by_somebody_or_by_its_own_condition(
    answering: Any, stage: str, state: State, reason: EndReason | None
) -> None:
    answer = recorded("training_job_completed", TrainingJobStatus="Stopped", SecondaryStatus=stage)
    seen = answering(answer).poll(HANDLE)
    assert (seen.state, seen.end_reason) == (state, reason)


@pytest.mark.parametrize(
    ("stage", "state"),
    [("Completed", State.SUCCEEDED), ("Failed", State.FAILED), ("Training", State.RUNNING)],
)
def test_a_job_that_is_being_deleted_ended_as_its_stage_says(
    answering: Any, stage: str, state: State
) -> None:
    answer = recorded("training_job_completed", TrainingJobStatus="Deleting", SecondaryStatus=stage)
    assert answering(answer).poll(HANDLE).state is state


def test_a_failed_job_says_why(answering: Any) -> None:
    reason = "AlgorithmError: , exit code: 137\nout of memory"
    answer = recorded(
        "training_job_completed",
        TrainingJobStatus="Failed",
        SecondaryStatus="Failed",
        FailureReason=reason,
    )
    del answer["TrainingEndTime"]
    seen = answering(answer).poll(HANDLE)
    assert (seen.state, seen.message, seen.vendor_code) == (State.FAILED, reason, "AlgorithmError")
    assert (seen.exit_code, seen.ended_at) == (137, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"FinalMetricDataList": [{"MetricName": "loss", "Value": float("nan")}, {"Value": 1.0}]},
        {"FinalMetricDataList": [], "BillableTimeInSeconds": True, "ModelArtifacts": {}},
        {"FailureReason": ""},
    ],
)
def test_what_is_odd_does_not_spoil_the_answer(answering: Any, changes: dict[str, Any]) -> None:
    seen = answering(recorded("training_job_completed", **changes)).poll(HANDLE)
    assert seen.state is State.SUCCEEDED
    if "FinalMetricDataList" in changes:
        assert seen.performance.metrics == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"TrainingJobStatus": None},
        {"TrainingJobStatus": 7},
        {"TrainingJobArn": "elsewhere"},
        {"CreationTime": "soon"},
        {"FinalMetricDataList": 7},
    ],
)
def test_an_answer_that_cannot_be_read_is_invalid(answering: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(ProviderReplyInvalid):
        answering(recorded("training_job_completed", **changes)).poll(HANDLE)


def test_a_connection_that_moved_does_not_lose_the_job(answering: Any) -> None:
    moved = {**HANDLE, "arn": ARN.replace(REGION, "us-east-1")}
    with pytest.raises(ConfigInvalid, match="us-east-1"):
        answering(refusal("ValidationException", "Requested resource not found.")).poll(moved)


# ---------------------------------------------------------------- cancelled for real


def test_a_stop_goes_through_stopping_to_stopped(
    sagemaker: SageMaker, service: SageMakerOnMoto
) -> None:
    handle = sagemaker.start(an_order())
    sagemaker.cancel(handle)
    assert sagemaker.poll(handle).state is State.CANCELLING
    service.say(NAME, "Stopped")
    assert sagemaker.poll(handle).state is State.CANCELLED
    sagemaker.cancel(handle)


def test_a_stop_of_an_unknown_job_says_so(sagemaker: SageMaker) -> None:
    with pytest.raises(ProviderJobMissing):
        sagemaker.cancel(HANDLE)


def test_another_refusal_of_a_stop_is_not_swallowed(answering: Any) -> None:
    with pytest.raises(ProviderRejected, match="1 validation error"):
        answering(refusal("ValidationException", "1 validation error detected")).cancel(HANDLE)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("answer", "on_poll", "on_start"),
    [
        (refusal("ThrottlingException", "Rate exceeded"), ProviderThrottled, ProviderThrottled),
        (refusal("RequestLimitExceeded", status=503), ProviderThrottled, ProviderThrottled),
        (refusal("AccessDeniedException"), ProviderAuthFailed, ProviderAuthFailed),
        (refusal("ExpiredTokenException"), ProviderAuthFailed, ProviderAuthFailed),
        (refusal("Surprise", status=403), ProviderAuthFailed, ProviderAuthFailed),
        (refusal("InternalFailure", status=500), ProviderUnavailable, StartOutcomeUnknown),
        (refusal("ServiceUnavailable", status=503), ProviderUnavailable, StartOutcomeUnknown),
        (refusal("RequestTimeout", status=408), ProviderUnavailable, ProviderUnavailable),
        (refusal("ResourceLimitExceeded", "limit"), ProviderRejected, ProviderRejected),
        (refusal("ValidationException", "bad"), ProviderRejected, ProviderRejected),
        (refusal("ResourceNotFound", "no role"), ProviderJobMissing, ProviderRejected),
        (httpx.Response(302, headers={"location": "/"}), ProviderReplyInvalid, StartOutcomeUnknown),
        (httpx.Response(502, content=b"<html>\xff"), ProviderUnavailable, StartOutcomeUnknown),
    ],
)
def test_refusals_of_aws(
    answering: Any,
    answer: httpx.Response,
    on_poll: type[ProviderError],
    on_start: type[ProviderError],
) -> None:
    provider = answering(answer)
    with pytest.raises(on_poll) as raised:
        provider.poll(HANDLE)
    assert type(raised.value) is on_poll
    with pytest.raises(on_start) as raised:
        provider.start(an_order())
    assert type(raised.value) is on_start


def test_an_error_keeps_the_services_own_words(answering: Any) -> None:
    answer = refusal("ThrottlingException", "Rate exceeded")
    answer.headers.update({"x-amzn-RequestId": "r-1", "Retry-After": "7"})
    with pytest.raises(ProviderThrottled, match="Rate exceeded") as raised:
        answering(answer).poll(HANDLE)
    error = raised.value
    assert (error.vendor_code, error.http_status, error.request_id) == (
        "ThrottlingException",
        400,
        "r-1",
    )
    assert error.retry_after_seconds == 7
    assert error.details == {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"[1]", b'"ok"', b"<html>"])
def test_a_created_without_an_arn_is_an_unclear_start(answering: Any, body: bytes) -> None:
    with pytest.raises(StartOutcomeUnknown):
        answering(httpx.Response(200, content=body)).start(an_order())


def test_a_portals_page_is_no_confirmation_of_a_stop(answering: Any) -> None:
    with pytest.raises(ProviderReplyInvalid):
        answering(httpx.Response(200, content=b"<html>sign in</html>")).cancel(HANDLE)


def test_a_readable_answer_that_is_too_large_is_refused(answering: Any) -> None:
    much = recorded("training_job_completed", Surprise="x" * MAX_REPLY_BYTES)
    with pytest.raises(ProviderReplyInvalid, match="larger than"):
        answering(much).poll(HANDLE)


def test_a_compressed_answer_is_refused(answering: Any) -> None:
    packed = httpx.Response(200, content=b"{}", headers={"x-note": "packed"})
    packed.headers["content-encoding"] = "gzip"
    with pytest.raises(ProviderReplyInvalid, match="compressed"):
        answering(packed).poll(HANDLE)


# ---------------------------------------------------------------- log


@pytest.fixture
def aws_logs(served: tuple[SageMakerOnMoto, str]) -> Iterator[Any]:
    session: Any = boto3
    client = session.client(
        "logs",
        endpoint_url=served[1],
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )
    client.create_log_group(logGroupName="/aws/sagemaker/TrainingJobs")
    yield client
    client.delete_log_group(logGroupName="/aws/sagemaker/TrainingJobs")
    client.close()


def write_log(aws_logs: Any, stream: str, since: int, lines: dict[int, str]) -> None:
    """`since` and the lines' keys are in milliseconds."""
    group = "/aws/sagemaker/TrainingJobs"
    aws_logs.create_log_stream(logGroupName=group, logStreamName=stream)
    events = [{"timestamp": since + at, "message": text} for at, text in lines.items()]
    aws_logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def test_the_log_tail_merges_the_instances_by_time(sagemaker: SageMaker, aws_logs: Any) -> None:
    handle = sagemaker.start(an_order())
    assert sagemaker.logs(handle, 5) == []
    # Not noon of the fake clock: CloudWatch takes no lines older than two weeks.
    now = int(datetime.now(UTC).timestamp() * 1000)
    write_log(aws_logs, f"{NAME}/algo-1-1772452860", now, {0: "one", 20: "three\n", 40: "five"})
    write_log(aws_logs, f"{NAME}/algo-2-1772452861", now, {10: "two", 30: "four"})
    write_log(aws_logs, f"{NAME}x/algo-1-1772452860", now, {50: "of another job"})
    assert sagemaker.logs(handle, 10) == ["one", "two", "three", "four", "five"]
    assert sagemaker.logs(handle, 2) == ["four", "five"]


def test_an_account_that_never_trained_has_no_log(sagemaker: SageMaker) -> None:
    assert sagemaker.logs(HANDLE, 5) == []


def test_a_connection_that_is_led_elsewhere_never_asks_the_public_log_service() -> None:
    led_elsewhere = a_provider("http://127.0.0.1:9", logs_url=None)
    with pytest.raises(NotSupported, match="logs_url"):
        led_elsewhere.logs({"name": "trainbell-x", "arn": "arn"}, 10)


def test_an_empty_page_of_the_log_is_not_its_end(answering: Any) -> None:
    """GetLogEvents may give no events though there are some behind its token."""
    stream = {"logStreams": [{"logStreamName": f"{NAME}/algo-1-1"}]}
    empty = {"events": [], "nextBackwardToken": "b/1"}
    page = {"events": [{"timestamp": 1, "message": "found"}], "nextBackwardToken": "b/2"}
    assert answering(stream, empty, page, {"events": []}).logs(HANDLE, 5) == ["found"]


def test_a_log_is_read_in_few_calls(answering: Any) -> None:
    stream = {"logStreams": [{"logStreamName": f"{NAME}/algo-1-1"}]}
    pages = [{"events": [], "nextBackwardToken": f"b/{n}"} for n in range(PAGES_READ)]
    never = {"events": [{"timestamp": 1, "message": "too far"}]}
    assert answering(stream, *pages, never).logs(HANDLE, 5) == []


# ---------------------------------------------------------------- keys and options


def test_keys_that_were_mended_at_their_source_work_without_a_restart(
    base_url: str, made: list[Provider]
) -> None:
    secret = OneSecret(json.dumps({"access_key_id": "AKIAWRONG", "secret_access_key": "x" * 40}))
    made.append(provider := a_provider(base_url, secret))
    with pytest.raises(ProviderAuthFailed):
        provider.check()
    secret.secret = KEYS
    assert provider.check() == f"SageMaker answered in {REGION}"
    secret.secret = "nothing any more"
    with pytest.raises(ProviderAuthFailed, match="must be JSON"):
        provider.check()


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "AKIA:plain",
        "[]",
        json.dumps({"access_key_id": ACCESS_KEY}),
        json.dumps({"access_key_id": "no spaces", "secret_access_key": "hush-hush-hush"}),
        json.dumps({"access_key_id": ACCESS_KEY, "secret_access_key": "hush-hush", "more": 1}),
    ],
)
def test_a_secret_of_another_form_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(ConfigInvalid, match="access_key_id, secret_access_key") as raised:
        a_provider("https://api.sagemaker.example", secret)
    assert "hush" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_without_a_secret_the_default_chain_is_used(
    base_url: str, made: list[Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    connection = a_connection(
        name="s", provider="sagemaker", secret=None, base_url=base_url, options={}
    )
    made.append(provider := Catalog(OneSecret(""), FakeClock()).client(connection))
    assert provider.check() == f"SageMaker answered in {REGION}"


def test_no_region_anywhere_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(ConfigInvalid, match="no AWS region"):
        a_provider("https://api.sagemaker.example", region=None)


def test_no_credentials_anywhere_is_an_auth_failure(
    base_url: str, made: list[Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    connection = a_connection(
        name="s", provider="sagemaker", secret=None, base_url=base_url, options={"region": REGION}
    )
    made.append(provider := Catalog(OneSecret(""), FakeClock()).client(connection))
    with pytest.raises(ProviderAuthFailed, match="credentials"):
        provider.start(an_order())


@pytest.mark.parametrize(
    ("option", "good", "bad"),
    [
        ("region", ["eu-west-1", "us-gov-west-1", None], ["eu-west", "EU-WEST-1", "", 1]),
        (
            "name_prefix",
            ["trainbell-", "a-", "", "a" * 36 + "-", None],
            ["trainbell", "-a-", "a_b-", "a" * 37 + "-", "ü-"],
        ),
        ("logs_url", ["https://logs.example", None], ["logs.example", "ftp://x", "https://u@x"]),
    ],
)
def test_options_and_their_bounds(option: str, good: list[Any], bad: list[Any]) -> None:
    assert PROVIDER.options is not None
    for value in good:
        PROVIDER.options.model_validate({option: value})
    for value in bad:
        with pytest.raises(ValueError, match=option):
            PROVIDER.options.model_validate({option: value})


# ---------------------------------------------------------------- before anything is sent


def test_stored_parameters_that_are_wrong_now_are_rejected_before_anything_is_sent(
    sagemaker: SageMaker, service: SageMakerOnMoto
) -> None:
    with pytest.raises(ProviderRejected, match="RoleArn"):
        sagemaker.start(an_order(RoleArn="nobody"))
    assert not service.calls


def test_times_of_a_model_are_in_utc() -> None:
    at_noon = {"TrainingJobArn": ARN, "TrainingJobName": NAME, "TrainingJobStatus": "Failed"}
    shown = TrainingJob.model_validate({**at_noon, "CreationTime": NOON})
    assert shown.CreationTime == NOON
    naive = TrainingJob.model_validate({**at_noon, "CreationTime": NOON.replace(tzinfo=None)})
    assert naive.CreationTime is None
