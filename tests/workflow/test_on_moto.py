"""The state machine on moto's engine, which is strict about definitions and error names, with our
own handlers behind it and the simulated service behind those."""

from __future__ import annotations

import importlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend

from tests.builders import a_caller, a_running_job
from tests.workflow import definition
from trainbell.bootstrap.cloud import cloud_environment, cloud_services
from trainbell.domain.job import Job, State
from trainbell.domain.secret_bounds import Destination
from trainbell.domain.settings import Schedule
from trainbell.errors import NotFound, StoreTooNew, StoreUnavailable
from trainbell.ports import Change, JobQuery
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.deepva.service import API_KEY, DeepVASimulator
from trainbell.simulators.deepva.trainings import FACE_DATASET
from trainbell.simulators.server import running
from trainbell.stores.dynamodb.schema import VERSION
from trainbell.stores.dynamodb.table import schema_key, table_definition
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.settings.configure_connections import put_connection

pytestmark = pytest.mark.timeout(60)

REGION = "eu-west-1"
ACCOUNT = "123456789012"
TABLE_NAME = "trainbell"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:job-lifecycle"
CONFIG: Any = {"lambda": {"use_docker": False}, "stepfunctions": {"execute_state_machine": True}}
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "TRAINBELL_TABLE_NAME": TABLE_NAME,
    "TRAINBELL_SECRET_PREFIX": "trainbell/",
    "TRAINBELL_PRIVATE_NETWORKS": "127.0.0.0/8",  # The simulator is on this machine.
    "TRAINBELL_STATE_MACHINE_ARN": MACHINE,
    "POWERTOOLS_TRACE_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "test",
}
CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="1"
)


@dataclass
class Functions:
    """Lambda, as far as the state machine sees it. `failures`: what the next calls raise."""

    failures: dict[str, list[Exception]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def invoke(self, name: str, event: Mapping[str, Any]) -> tuple[Any, bool]:
        self.calls[name] += 1
        try:
            if self.failures.get(name):
                raise self.failures[name].pop(0)
            return importlib.import_module(name).handler(event, CONTEXT), False
        except Exception as error:  # noqa: BLE001 - what a runtime does
            # The bare class name, as Lambda's own runtime client reports it.
            return {"errorType": type(error).__name__, "errorMessage": str(error)}, True


@dataclass
class Engine:
    functions: Functions
    simulator: DeepVASimulator
    client: Any

    def request(self) -> Job:
        body = {
            "provider": "deepva",
            "parameters": parameters(),
            "min_interval_seconds": 1,
            "max_interval_seconds": 1,
        }
        return request_job(cloud_services(), body, by=a_caller("test"), idempotency_key=None)[0]

    def finished(self, name: str) -> str:
        """How this execution ended."""
        arn = f"{MACHINE.replace('stateMachine', 'execution')}:{name}"
        return wait_for(lambda: self._status(arn))

    def history(self, name: str) -> list[str]:
        arn = f"{MACHINE.replace('stateMachine', 'execution')}:{name}"
        events = self.client.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        return [event["type"] for event in events]

    def _status(self, arn: str) -> str | None:
        try:
            status: str = self.client.describe_execution(executionArn=arn)["status"]
        except self.client.exceptions.ExecutionDoesNotExist:
            return None
        return None if status == "RUNNING" else status


def parameters() -> dict[str, Any]:
    return {"source_dataset_id": FACE_DATASET, "output_model_name": "digits"}


def wait_for(look: Callable[[], str | None], seconds: float = 30.0) -> str:
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def quick_definition() -> str:
    """The definition with its functions' names put in, and its longest wait cut to a second."""
    text = definition.PATH.read_text()
    for name, value in {
        "Partition": "aws",
        "StartJobFunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:start_job",
        "AdvanceJobFunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:advance_job",
    }.items():
        text = text.replace(f"${{{name}}}", value)
    machine = json.loads(text)
    machine["States"]["CountFailure"]["Parameters"]["wait_seconds"] = 1
    for task in definition.TASKS:
        for rule in machine["States"][task]["Retry"]:
            if rule["MaxAttempts"]:
                rule["IntervalSeconds"] = 1
    return json.dumps(machine)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    functions = Functions()

    def invoke(
        _self: Any, name: str, _qualifier: Any, body: Any, _headers: Any, response_headers: Any
    ) -> bytes:
        result, failed = functions.invoke(name.rpartition(":")[2], json.loads(body))
        if failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        return json.dumps(result).encode()

    monkeypatch.setattr(LambdaSimpleBackend, "invoke", invoke)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    forget_services()
    simulator = DeepVASimulator(SimulatorClock(speed=20.0))
    with mock_aws(config=CONFIG), running(simulator) as url:
        boto3.client("dynamodb").create_table(**table_definition(TABLE_NAME))
        secrets = boto3.client("secretsmanager")
        host = str(Destination.of_url(url))
        secrets.create_secret(
            Name="trainbell/deepva",
            SecretString=API_KEY,
            Tags=[
                {"Key": "trainbell:hosts", "Value": host},
                {"Key": "trainbell:provider", "Value": "deepva"},
            ],
        )
        client = boto3.client("stepfunctions")
        client.create_state_machine(
            name="job-lifecycle",
            definition=quick_definition(),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/any",
        )
        body = {
            "provider": "deepva",
            "base_url": url + simulator.base_path,
            "secret": "secretsmanager:trainbell/deepva",
        }
        put_connection(cloud_services(), "deepva", body)
        yield Engine(functions, simulator, client)
        cloud_services().providers.close()
    forget_services()


def forget_services() -> None:
    cloud_services.cache_clear()
    cloud_environment.cache_clear()


def test_a_table_of_a_newer_trainbell_is_refused_by_every_function(engine: Engine) -> None:
    item = {**schema_key(), "version": {"N": str(VERSION + 1)}}
    boto3.client("dynamodb").put_item(TableName=TABLE_NAME, Item=item)
    cloud_services.cache_clear()
    with pytest.raises(StoreTooNew):
        cloud_services()
    boto3.client("dynamodb").delete_item(TableName=TABLE_NAME, Key=schema_key())


def test_a_job_is_watched_to_its_end_in_nine_events_a_loop(engine: Engine) -> None:
    job = engine.request()
    assert engine.finished(f"{job.id}-0") == "SUCCEEDED"
    ended = cloud_services().store.get(job.id)
    assert ended.state is State.SUCCEEDED
    assert engine.simulator.starts[f"trainbell:{job.id}"] == 1
    loops = engine.functions.calls["advance_job"]
    # Started and succeeded; StartJob and its choice; the loops; the end state.
    assert len(engine.history(f"{job.id}-0")) == 2 + 5 + 2 + 9 * loops + 2


def test_transient_errors_are_retried_and_others_wait_for_another_poll(engine: Engine) -> None:
    engine.functions.failures = {
        "start_job": [StoreUnavailable("throttled")],
        "advance_job": [StoreUnavailable("throttled"), ZeroDivisionError("a fault of ours")],
    }
    job = engine.request()
    assert engine.finished(f"{job.id}-0") == "SUCCEEDED"
    assert cloud_services().store.get(job.id).state is State.SUCCEEDED
    history = Counter(engine.history(f"{job.id}-0"))
    assert history["TaskFailed"] == 3
    assert history["PassStateEntered"] == 1
    assert engine.functions.calls["start_job"] == 2
    assert engine.simulator.starts[f"trainbell:{job.id}"] == 1


def test_a_deleted_job_is_no_longer_watched(engine: Engine) -> None:
    engine.functions.failures = {"start_job": [NotFound("no such job")]}
    job = engine.request()
    assert engine.finished(f"{job.id}-0") == "SUCCEEDED"
    assert engine.functions.calls == {"start_job": 1}


def test_a_schedule_that_is_due_requests_one_job_whatever_is_repeated(engine: Engine) -> None:
    body: dict[str, Any] = {"provider": "deepva", "parameters": parameters()}
    body |= {"min_interval_seconds": 1, "max_interval_seconds": 1}
    cloud_services().store.put_config(Schedule(name="nightly", expression="rate(1 day)", job=body))
    event = {"name": "nightly", "due_at": "2026-03-22T18:59:43Z"}
    for _ in range(2):
        _, failed = engine.functions.invoke("run_schedule", event)
        assert not failed
    [job] = cloud_services().store.list(JobQuery(project="default")).items
    assert job.origin.schedule == "nightly"
    assert engine.finished(f"{job.id}-0") == "SUCCEEDED"
    assert engine.simulator.starts[f"trainbell:{job.id}"] == 1


def test_an_event_that_is_no_due_schedule_goes_to_the_dead_letters(engine: Engine) -> None:
    wrong = {"name": "nightly", "due_at": "2026-03-22T18:59:43"}
    answer, failed = engine.functions.invoke("run_schedule", wrong)
    assert failed
    assert answer["errorType"] == "ValidationError"


def test_a_poll_hands_over_to_the_next_watcher_and_supersedes_itself(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The step that follows, HandOver, is run end to end: moto 5.2.5 cannot start executions from
    # within one.
    monkeypatch.setenv("TRAINBELL_LOOPS_PER_EXECUTION", "3")
    cloud_environment.cache_clear()
    job, _ = cloud_services().store.create(Change(job=a_running_job()))
    event = {"job_id": job.id, "watch": 0, "loops": 1}
    second, _ = engine.functions.invoke("advance_job", event)
    assert (second["hand_over"], second["loops"], second["watch"]) == (False, 2, 0)
    third, _ = engine.functions.invoke("advance_job", second)
    assert (third["hand_over"], third["superseded"], third["watch"]) == (True, False, 1)
    polls = cloud_services().store.get(job.id).watch.polls
    late, failed = engine.functions.invoke("advance_job", second)
    assert not failed
    assert (late["superseded"], late["hand_over"], late["ended"]) == (True, False, False)
    assert cloud_services().store.get(job.id).watch.polls == polls == 2
