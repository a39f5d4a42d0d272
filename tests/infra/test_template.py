"""House rules of the template, checked on what SAM makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.infra.translated import ROOT, nested, of_type, resources, source
from tests.workflow.definition import PATH as DEFINITION
from tests.workflow.definition import load
from trainbell.channels import aws_clients, webhook
from trainbell.cloud.clients import CALL_SECONDS, EXCHANGE_SECONDS
from trainbell.cloud.environment import PREFIX, CloudEnvironment
from trainbell.domain.starting import START_LEASE_SECONDS
from trainbell.ports import INSTALLATION
from trainbell.stores.dynamodb.table import (
    STREAM_FILTER,
    TTL_ATTRIBUTE,
    table_definition,
)
from trainbell.use_cases.ground.door import ANSWER_SECONDS, OPERATION_SECONDS
from trainbell.use_cases.telling.publish_changes import (
    LEASE_SECONDS,
    LONGEST_ATTEMPT_SECONDS,
    SENDING_SECONDS,
)

FUNCTIONS = dict(of_type("AWS::Lambda::Function"))


def resource_of(reference: Any) -> str:
    """The logical id behind a Ref or a GetAtt."""
    if "Ref" in reference:
        name: str = reference["Ref"]
        return name
    target = reference["Fn::GetAtt"]
    return str(target[0] if isinstance(target, list) else target.split(".")[0])


def test_there_is_one_function_for_each_handler_file() -> None:
    files = {path.stem for path in (ROOT / "functions").glob("*.py")}
    assert len(files) == len(FUNCTIONS) == 7
    assert {properties["Handler"] for properties in FUNCTIONS.values()} == {
        f"{name}.handler" for name in files
    }
    for name in files:
        logical_id = "".join(part.capitalize() for part in name.split("_")) + "Function"
        assert FUNCTIONS[logical_id]["Handler"] == f"{name}.handler"


@pytest.mark.parametrize("path", sorted((ROOT / "functions").glob("*.py")), ids=lambda p: p.stem)
def test_a_handler_is_at_most_30_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 30


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_complete(name: str) -> None:
    function = FUNCTIONS[name]
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert 0 < function["Timeout"] <= 120
    assert function["TracingConfig"] == {"Mode": "Active"}
    logs = resources()[resource_of(function["LoggingConfig"]["LogGroup"])]
    assert logs["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_every_function_has_a_role_of_its_own() -> None:
    roles = [resource_of(function["Role"]) for function in FUNCTIONS.values()]
    assert len(set(roles)) == len(FUNCTIONS)
    assert {resources()[role]["Type"] for role in roles} == {"AWS::IAM::Role"}


def test_what_nobody_waits_for_has_a_dead_letter_queue() -> None:
    asynchronous = {
        "PollOnEventFunction",
        "PublishChangesFunction",
        "ReconcileJobsFunction",
        "RunScheduleFunction",
    }
    covered = {
        resource_of(config["FunctionName"])
        for _, config in of_type("AWS::Lambda::EventInvokeConfig")
        if "OnFailure" in config["DestinationConfig"]
    }
    assert covered == asynchronous
    [(_, stream)] = of_type("AWS::Lambda::EventSourceMapping")
    assert resource_of(stream["DestinationConfig"]["OnFailure"]["Destination"]) == (
        "FailedStreamBatches"
    )
    assert stream["BisectBatchOnFunctionError"] is True
    assert stream["MaximumRetryAttempts"] > 0


def test_the_stream_wakes_the_publisher_for_new_outbox_entries_only() -> None:
    [(_, stream)] = of_type("AWS::Lambda::EventSourceMapping")
    [pattern] = stream["FilterCriteria"]["Filters"]
    assert json.loads(pattern["Pattern"]) == STREAM_FILTER


def test_sagemakers_events_of_our_training_jobs_cause_a_poll() -> None:
    [rule] = [rule for _, rule in of_type("AWS::Events::Rule") if "EventPattern" in rule]
    sample = files("trainbell.providers.sagemaker") / "samples" / "state_change_event.json"
    event = json.loads(sample.read_text(encoding="utf-8"))
    assert rule["EventPattern"] == {
        "source": [event["source"]],
        "detail-type": [event["detail-type"]],
        "detail": {"TrainingJobName": [{"prefix": {"Fn::Sub": "${AWS::StackName}-"}}]},
    }
    assert event["detail"]["TrainingJobName"].startswith(f"{INSTALLATION}-")
    [target] = rule["Targets"]
    assert resource_of(target["Arn"]) == "PollOnEventFunction"


def test_the_table_is_the_one_that_the_store_is_written_for() -> None:
    [(_, table)] = of_type("AWS::DynamoDB::Table")
    wanted = table_definition("any")
    for part in ("BillingMode", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes"):
        assert table[part] == wanted[part], part
    assert table["StreamSpecification"] == {
        "StreamViewType": wanted["StreamSpecification"]["StreamViewType"]
    }
    assert table["TimeToLiveSpecification"] == {"AttributeName": TTL_ATTRIBUTE, "Enabled": True}


def test_the_table_outlives_mistakes() -> None:
    table = resources()["Table"]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    properties = table["Properties"]
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["DeletionProtectionEnabled"] is True


def test_no_route_is_open() -> None:
    routes = list(of_type("AWS::ApiGatewayV2::Route"))
    assert [route["AuthorizationType"] for _, route in routes] == ["AWS_IAM"]
    assert not list(of_type("AWS::Lambda::Url"))


def test_the_machine_is_the_one_definition() -> None:
    uri = source()["Resources"]["JobLifecycle"]["Properties"]["DefinitionUri"]
    assert (ROOT / uri).resolve() == DEFINITION.resolve()


def test_a_start_ends_before_anybody_looks_for_it() -> None:
    states = load()["States"]
    for name in ("StartJob", "AdvanceJob"):
        timeout = FUNCTIONS[f"{name}Function"]["Timeout"]
        assert timeout < START_LEASE_SECONDS
        assert timeout < states[name]["TimeoutSeconds"]


def test_what_came_of_a_call_is_stored_before_its_function_ends() -> None:
    def seconds(name: str) -> float:
        return float(FUNCTIONS[f"{name}Function"]["Timeout"])

    for name in ("StartJob", "AdvanceJob"):
        assert seconds(name) > OPERATION_SECONDS + CALL_SECONDS
    assert seconds("Api") > ANSWER_SECONDS + EXCHANGE_SECONDS
    telling = SENDING_SECONDS + LONGEST_ATTEMPT_SECONDS
    assert telling + EXCHANGE_SECONDS < min(LEASE_SECONDS, seconds("PublishChanges"))
    assert max(aws_clients.WHOLE_SECONDS, webhook.EXCHANGE_SECONDS) <= LONGEST_ATTEMPT_SECONDS
    assert all(float(each["Timeout"]) > CALL_SECONDS for each in FUNCTIONS.values())


def test_every_variable_is_one_that_the_functions_read() -> None:
    known = {PREFIX + name.upper() for name in CloudEnvironment.model_fields}
    needed = {
        PREFIX + name.upper()
        for name, field in CloudEnvironment.model_fields.items()
        if field.is_required()
    }
    for name, function in FUNCTIONS.items():
        ours = {key for key in function["Environment"]["Variables"] if key.startswith(PREFIX)}
        assert needed <= ours <= known, name


def test_the_loop_limits_of_template_and_code_agree() -> None:
    parameter = source()["Parameters"]["LoopsPerExecution"]
    field = CloudEnvironment.model_fields["loops_per_execution"]
    most = next(rule.le for rule in field.metadata if hasattr(rule, "le"))
    assert (parameter["Default"], parameter["MaxValue"]) == (field.default, most)


@pytest.mark.parametrize("name", ["Alarms", "Dashboard"])
def test_nested_stacks_get_the_parameters_that_they_declare(name: str) -> None:
    template = nested(f"{name.lower()}.yaml")
    given = source()["Resources"][name]["Properties"]["Parameters"]
    assert set(given) == set(template["Parameters"])


def test_every_dead_letter_queue_has_an_alarm() -> None:
    watched = {
        resource_of(alarm["Properties"]["Dimensions"][0]["Value"])
        for alarm in nested("alarms.yaml")["Resources"].values()
        if alarm["Properties"]["Namespace"] == "AWS/SQS"
    }
    queues = {name for name, _ in of_type("AWS::SQS::Queue")}
    assert watched == {f"{name}Name" for name in queues}


def test_our_metrics_on_alarms_and_dashboard_are_counted_by_a_handler() -> None:
    code = "".join(path.read_text() for path in (ROOT / "functions").glob("*.py"))
    used = {
        alarm["Properties"]["MetricName"]
        for alarm in nested("alarms.yaml")["Resources"].values()
        if alarm["Properties"]["Namespace"] == "Trainbell"
    } | set(_own_metrics_of(dashboard_body()))
    assert used
    for metric in used:
        assert f'"{metric}":' in code, metric


def dashboard_body() -> Mapping[str, Any]:
    body = nested("dashboard.yaml")["Resources"]["Dashboard"]["Properties"]["DashboardBody"]
    parsed: Mapping[str, Any] = json.loads(body["Fn::Sub"])
    return parsed


def _own_metrics_of(dashboard: Mapping[str, Any]) -> Iterator[str]:
    for widget in dashboard["widgets"]:
        namespace = ""
        for line in widget["properties"]["metrics"]:
            namespace = namespace if line[0] in (".", "...") else line[0]
            if namespace == "Trainbell" and line[0] != "...":
                yield line[1]
