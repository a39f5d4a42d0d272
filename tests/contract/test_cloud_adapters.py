"""Watchers, scheduler and secrets of the cloud, on moto; their refusals by botocore's stubber."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from tests.builders import FakeClock, a_job
from trainbell.cloud.clients import AwsClients
from trainbell.cloud.environment import ScheduleTarget
from trainbell.cloud.eventbridge_scheduler import SCHEDULED_TIME, EventBridgeScheduler
from trainbell.cloud.not_granted import NoScheduler, NoWatchers
from trainbell.cloud.secrets import ASKED_AGAIN_AFTER, KEPT, RENEWED_AFTER, CloudSecrets
from trainbell.cloud.step_functions_watchers import StepFunctionsWatchers
from trainbell.domain.secret_bounds import AMBIENT, Destination, HostPattern, SecretUse
from trainbell.domain.settings import Schedule
from trainbell.errors import ConfigInvalid, ProviderUnavailable, StoreFull, StoreUnavailable

DEEPVA = HostPattern.of("api.deepva.com")
ACCOUNT = "arn:aws:iam::123456789012:role/any"
TARGET = ScheduleTarget(
    group="trainbell",
    function_arn="arn:aws:lambda:eu-west-1:123456789012:function:run_schedule",
    role_arn=ACCOUNT,
    dead_letter_arn="arn:aws:sqs:eu-west-1:123456789012:failed",
)
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:job-lifecycle"


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsClients]:
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield AwsClients()


# ---------------------------------------------------------------- watchers


def test_a_job_is_watched_once_by_each_watcher_number(clients: AwsClients) -> None:
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    clients.stepfunctions.create_state_machine(
        name="job-lifecycle", definition=definition, roleArn=ACCOUNT
    )
    watchers = StepFunctionsWatchers(clients.stepfunctions, MACHINE)
    job = a_job()
    for watch in (0, 0, 1):
        watchers.watch(a_job(watch=watch))
    found = clients.stepfunctions.list_executions(stateMachineArn=MACHINE)["executions"]
    assert {each["name"] for each in found} == {f"{job.id}-0", f"{job.id}-1"}
    arn = next(each["executionArn"] for each in found if each["name"].endswith("-1"))
    given = clients.stepfunctions.describe_execution(executionArn=arn)["input"]
    assert json.loads(given) == {"job_id": job.id, "watch": 1, "loops": 0}


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("ThrottlingException", 400, StoreUnavailable),
        ("InternalFailure", 500, StoreUnavailable),
        ("ExecutionLimitExceeded", 400, StoreFull),
        ("StateMachineDoesNotExist", 400, ConfigInvalid),
        ("AccessDeniedException", 400, ConfigInvalid),
    ],
)
def test_what_step_functions_refuses_has_a_meaning(
    clients: AwsClients, code: str, status: int, meaning: type[Exception]
) -> None:
    with Stubber(clients.stepfunctions) as stub:
        stub.add_client_error("start_execution", code, "no", status)
        with pytest.raises(meaning, match=code):
            StepFunctionsWatchers(clients.stepfunctions, MACHINE).watch(a_job())


def test_an_execution_of_that_name_is_a_success(clients: AwsClients) -> None:
    with Stubber(clients.stepfunctions) as stub:
        stub.add_client_error("start_execution", "ExecutionAlreadyExists", "there is one", 400)
        StepFunctionsWatchers(clients.stepfunctions, MACHINE).watch(a_job())
        stub.assert_no_pending_responses()


def test_a_function_without_the_right_says_which_setting_it_lacks() -> None:
    with pytest.raises(ConfigInvalid, match="STATE_MACHINE_ARN"):
        NoWatchers().watch(a_job())
    with pytest.raises(ConfigInvalid, match="SCHEDULE"):
        NoScheduler().put(a_schedule())
    with pytest.raises(ConfigInvalid, match="SCHEDULE"):
        NoScheduler().delete("nightly")


# ---------------------------------------------------------------- scheduler


def a_schedule(**fields: Any) -> Schedule:
    given = {"name": "nightly", "expression": "cron(30 2 * * MON-FRI)", "job": {}}
    return Schedule(**{**given, "time_zone": "Europe/Berlin", **fields})


@pytest.fixture
def scheduler(clients: AwsClients) -> EventBridgeScheduler:
    clients.scheduler.create_schedule_group(Name=TARGET.group)
    return EventBridgeScheduler(clients.scheduler, TARGET)


def test_a_schedule_is_kept_as_it_is_written(
    clients: AwsClients, scheduler: EventBridgeScheduler
) -> None:
    scheduler.put(a_schedule())
    kept = clients.scheduler.get_schedule(Name="nightly", GroupName=TARGET.group)
    assert kept["ScheduleExpression"] == "cron(30 2 ? * MON,TUE,WED,THU,FRI *)"
    assert kept["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert kept["State"] == "ENABLED"
    assert kept["FlexibleTimeWindow"] == {"Mode": "OFF"}
    target = kept["Target"]
    assert (target["Arn"], target["RoleArn"]) == (TARGET.function_arn, TARGET.role_arn)
    assert json.loads(target["Input"]) == {"name": "nightly", "due_at": SCHEDULED_TIME}
    assert target["DeadLetterConfig"] == {"Arn": TARGET.dead_letter_arn}


def test_a_schedule_is_replaced(clients: AwsClients, scheduler: EventBridgeScheduler) -> None:
    scheduler.put(a_schedule())
    scheduler.put(a_schedule(expression="rate(1 hour)", time_zone="UTC", enabled=False))
    kept = clients.scheduler.get_schedule(Name="nightly", GroupName=TARGET.group)
    assert (kept["ScheduleExpression"], kept["State"]) == ("rate(1 hour)", "DISABLED")


def test_a_schedule_is_deleted_once_and_again(
    clients: AwsClients, scheduler: EventBridgeScheduler
) -> None:
    scheduler.put(a_schedule())
    scheduler.delete("nightly")
    scheduler.delete("nightly")
    assert clients.scheduler.list_schedules(GroupName=TARGET.group)["Schedules"] == []


def test_too_many_schedules_are_said_to_be_too_many(clients: AwsClients) -> None:
    with Stubber(clients.scheduler) as stub:
        stub.add_client_error("update_schedule", "ResourceNotFoundException", "none", 404)
        stub.add_client_error("create_schedule", "ServiceQuotaExceededException", "full", 402)
        with pytest.raises(StoreFull, match="nightly"):
            EventBridgeScheduler(clients.scheduler, TARGET).put(a_schedule())


# ---------------------------------------------------------------- secrets


def test_secrets_are_read_by_both_kinds_of_reference(clients: AwsClients) -> None:
    clients.secretsmanager.create_secret(Name="trainbell/deepva", SecretString="one")
    clients.ssm.put_parameter(Name="/trainbell/slack", Value="two", Type="SecureString")
    secrets = CloudSecrets(clients, "trainbell/", FakeClock())
    assert secrets.read("secretsmanager:trainbell/deepva") == "one"
    assert secrets.read("ssm:/trainbell/slack") == secrets.read("ssm:trainbell/slack") == "two"


def test_a_secret_is_kept_for_a_minute(clients: AwsClients) -> None:
    clients.secretsmanager.create_secret(Name="trainbell/deepva", SecretString="old")
    clock = FakeClock()
    secrets = CloudSecrets(clients, "trainbell/", clock)
    assert secrets.read("secretsmanager:trainbell/deepva") == "old"
    clients.secretsmanager.put_secret_value(SecretId="trainbell/deepva", SecretString="new")
    clock.advance(KEPT.total_seconds() - 0.1)
    assert secrets.read("secretsmanager:trainbell/deepva") == "old"
    clock.advance(0.2)
    assert secrets.read("secretsmanager:trainbell/deepva") == "new"


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("env:HOME", "does not work in the cloud"),
        ("file:/etc/passwd", "does not work in the cloud"),
        ("plain-text-secret", "does not work in the cloud"),
        ("secretsmanager:other/secret", "must begin with trainbell/"),
        ("ssm:/other", "must begin with trainbell/"),
        ("secretsmanager:trainbell/none", "ResourceNotFoundException"),
        ("ssm:/trainbell/none", "ParameterNotFound"),
        ("secretsmanager:trainbell/binary", "not a text"),
    ],
)
def test_what_is_no_readable_secret_is_said(clients: AwsClients, reference: str, says: str) -> None:
    clients.secretsmanager.create_secret(Name="trainbell/binary", SecretBinary=b"\x00")
    with pytest.raises(ConfigInvalid, match=says) as refused:
        CloudSecrets(clients, "trainbell/", FakeClock()).read(reference)
    assert "plain-text" not in str(refused.value)


def test_a_busy_secret_store_is_no_wrong_setting(clients: AwsClients) -> None:
    secrets = CloudSecrets(clients, "trainbell/", FakeClock())
    with Stubber(clients.secretsmanager) as stub:
        stub.add_client_error("get_secret_value", "ThrottlingException", "slow down", 400)
        stub.add_client_error("get_secret_value", "InternalServiceError", "broken", 500)
        for _ in range(2):
            with pytest.raises(ProviderUnavailable):
                secrets.read("secretsmanager:trainbell/deepva")


def test_what_was_refused_is_not_kept(clients: AwsClients) -> None:
    secrets = CloudSecrets(clients, "trainbell/", FakeClock())
    with pytest.raises(ConfigInvalid):
        secrets.read("secretsmanager:trainbell/late")
    boto3.client("secretsmanager").create_secret(Name="trainbell/late", SecretString="now")
    assert secrets.read("secretsmanager:trainbell/late") == "now"


def test_a_refused_secret_is_fetched_anew_but_not_for_every_refusal(clients: AwsClients) -> None:
    clients.secretsmanager.create_secret(Name="trainbell/deepva", SecretString="old")
    clock = FakeClock()
    secrets = CloudSecrets(clients, "trainbell/", clock)
    reference = "secretsmanager:trainbell/deepva"
    assert secrets.read(reference) == "old"
    clients.secretsmanager.put_secret_value(SecretId="trainbell/deepva", SecretString="new")
    secrets.renew(reference)
    assert secrets.read(reference) == "old"
    clock.advance(RENEWED_AFTER.total_seconds())
    secrets.renew(reference)
    assert secrets.read(reference) == "new"


# ---------------------------------------------------------------- where a secret may go

OWN = SecretUse("deepva", (Destination.of_url("https://api.deepva.com"),), (DEEPVA,))
THEIRS = SecretUse("deepva", (Destination.of_url("https://evil.example:8443"),), (DEEPVA,))
LISTED = SecretUse("deepva", (Destination.of_url("https://dva.corp.example"),), (DEEPVA,))


def keep(clients: AwsClients, kind: str, **tags: str) -> str:
    """A secret with these tags; its reference."""
    given = [{"Key": f"trainbell:{name}", "Value": value} for name, value in tags.items()]
    if kind == "ssm":
        ssm: Any = clients.ssm
        ssm.put_parameter(Name="/trainbell/x", Value="v", Type="SecureString", Tags=given)
        return "ssm:trainbell/x"
    manager: Any = clients.secretsmanager
    manager.create_secret(Name="trainbell/x", SecretString="v", Tags=given)
    return "secretsmanager:trainbell/x"


@pytest.mark.parametrize("kind", ["secretsmanager", "ssm"])
@pytest.mark.parametrize(
    ("tags", "allowed"),
    [
        ({}, [OWN]),
        ({"provider": "deepva"}, [OWN]),
        ({"provider": "einstein deepva"}, [OWN]),
        ({"provider": "einstein"}, []),
        ({"hosts": "dva.corp.example"}, [LISTED]),
        ({"hosts": "api.deepva.com .corp.example"}, [OWN, LISTED]),
        ({"hosts": "dva.corp.example", "provider": "deepva"}, [LISTED]),
        ({"hosts": "dva.corp.example", "provider": "einstein"}, []),
        ({"hosts": " "}, []),
        ({"hosts": " ", "provider": "deepva"}, []),
        ({"hosts": "dva.corp.example", "provider": " "}, []),
        ({"hosts": "https://dva.corp.example/"}, []),
    ],
)
def test_tags_say_where_a_secret_may_go(
    clients: AwsClients, kind: str, tags: Mapping[str, str], allowed: list[SecretUse]
) -> None:
    reference = keep(clients, kind, **tags)
    secrets = CloudSecrets(clients, "trainbell/", FakeClock())
    uses = [OWN, LISTED, THEIRS]
    assert [use for use in uses if secrets.refusal(reference, use) is None] == allowed


def test_a_version_of_a_parameter_is_bound_as_the_parameter_is(clients: AwsClients) -> None:
    reference = keep(clients, "ssm", hosts="dva.corp.example")
    secrets = CloudSecrets(clients, "trainbell/", FakeClock())
    assert secrets.read(f"{reference}:1") == "v"
    tags: Any = {"TagList": [{"Key": "trainbell:hosts", "Value": "dva.corp.example"}]}
    # AWS knows no tags of a version, where moto takes it for the parameter.
    asked = {"ResourceType": "Parameter", "ResourceId": "/trainbell/x"}
    with Stubber(clients.ssm) as stub:
        stub.add_response("list_tags_for_resource", tags, asked)
        assert secrets.refusal(f"{reference}:1", LISTED) is None
        assert secrets.refusal(f"{reference}:1", OWN) is not None


def test_what_is_refused_says_what_its_owner_can_run(clients: AwsClients) -> None:
    secrets = CloudSecrets(clients, "trainbell/", FakeClock())
    for kind, command in (
        ("secretsmanager", "aws secretsmanager tag-resource --secret-id trainbell/x"),
        ("ssm", "add-tags-to-resource --resource-type Parameter --resource-id /trainbell/x"),
    ):
        said = secrets.refusal(keep(clients, kind), THEIRS)
        assert said is not None
        assert command in said
        assert "Key=trainbell:hosts,Value=evil.example:8443" in said
        assert "Key=trainbell:provider,Value=deepva" in said


def test_a_secret_that_is_still_to_come_may_go_to_its_providers_own_hosts(
    clients: AwsClients,
) -> None:
    secrets = CloudSecrets(clients, "trainbell/", FakeClock())
    for reference in ("secretsmanager:trainbell/none", "ssm:/trainbell/none"):
        assert secrets.refusal(reference, OWN) is None
        assert secrets.refusal(reference, THEIRS) is not None
    assert "must begin with" in str(secrets.refusal("secretsmanager:other/x", OWN))


def test_what_its_owner_allows_counts_at_once_and_what_is_withdrawn_within_a_minute(
    clients: AwsClients,
) -> None:
    reference = keep(clients, "secretsmanager")
    clock = FakeClock()
    secrets = CloudSecrets(clients, "trainbell/", clock)
    assert secrets.refusal(reference, LISTED) is not None
    tag = {"Key": "trainbell:hosts", "Value": "dva.corp.example"}
    clients.secretsmanager.tag_resource(SecretId="trainbell/x", Tags=[tag])  # type: ignore[list-item]
    clock.advance(ASKED_AGAIN_AFTER.total_seconds())
    assert secrets.refusal(reference, LISTED) is None
    clients.secretsmanager.untag_resource(SecretId="trainbell/x", TagKeys=["trainbell:hosts"])
    clock.advance(KEPT.total_seconds())
    assert secrets.refusal(reference, LISTED) is not None


def test_the_functions_own_credentials_go_to_aws_alone(clients: AwsClients) -> None:
    secrets = CloudSecrets(clients, "trainbell/", FakeClock())
    assert secrets.refusal(AMBIENT, SecretUse("sagemaker")) is None
    assert secrets.refusal(AMBIENT, OWN) is None
    assert "own credentials go to AWS's hosts" in str(secrets.refusal(AMBIENT, THEIRS))


def test_tags_that_aws_does_not_give_now_are_no_permission(clients: AwsClients) -> None:
    with Stubber(clients.secretsmanager) as stub:
        stub.add_client_error("describe_secret", "ThrottlingException", "slow down", 400)
        stub.add_client_error("describe_secret", "AccessDeniedException", "no", 400)
        secrets = CloudSecrets(clients, "trainbell/", FakeClock())
        with pytest.raises(ProviderUnavailable):
            secrets.refusal("secretsmanager:trainbell/x", OWN)
        assert "AccessDenied" in str(secrets.refusal("secretsmanager:trainbell/x", OWN))
