"""Who may do what: no wildcard action, no wildcard resource, no Scan; each exception by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.infra.test_template import FUNCTIONS, resource_of
from tests.infra.translated import of_type, resources
from trainbell.providers.sagemaker.client import LOG_GROUP
from trainbell.providers.sagemaker.options import JOB_ID_LENGTH
from trainbell.stores.dynamodb.table import ACTIONS

# X-Ray and log deliveries know no resources:
# docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
# docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
WITHOUT_RESOURCES = {
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}

OUR_JOB = "${AWS::StackName}-" + "?" * JOB_ID_LENGTH

# What does not exist yet when the role is made, or has a suffix that AWS chooses.
UNDER_A_PREFIX = {
    "dynamodb:ListStreams": "/stream/*",
    "logs:DescribeLogStreams": f":log-group:{LOG_GROUP}:*",
    "logs:GetLogEvents": f":log-group:{LOG_GROUP}:log-stream:{OUR_JOB}/*",
    "s3:DeleteObject": ":s3:::${OverflowBucket}/${AWS::StackName}/jobs/*",
    "s3:GetObject": ":s3:::${OverflowBucket}/${AWS::StackName}/jobs/*",
    "s3:PutObject": ":s3:::${OverflowBucket}/${AWS::StackName}/jobs/*",
    "sagemaker:AddTags": f":training-job/{OUR_JOB}",
    "sagemaker:CreateTrainingJob": f":training-job/{OUR_JOB}",
    "sagemaker:DescribeTrainingJob": f":training-job/{OUR_JOB}",
    "sagemaker:StopTrainingJob": f":training-job/{OUR_JOB}",
    "scheduler:CreateSchedule": "schedule/${Schedules}/*",
    "scheduler:DeleteSchedule": "schedule/${Schedules}/*",
    "scheduler:UpdateSchedule": "schedule/${Schedules}/*",
    "secretsmanager:DescribeSecret": "secret:${Prefix}*",
    "secretsmanager:GetSecretValue": "secret:${Prefix}*",
    "ssm:GetParameter": "parameter/${Prefix}*",
    "ssm:ListTagsForResource": "parameter/${Prefix}*",
}

STORE = {"UseTablePolicy", "WriteTracesPolicy"}
POLICIES_OF = {
    "StartJobFunction": STORE | {"ReadSecretsPolicy"},
    "AdvanceJobFunction": STORE | {"ReadSecretsPolicy"},
    "PollOnEventFunction": STORE | {"StartWatchersPolicy"},
    "PublishChangesFunction": STORE | {"ReadSecretsPolicy"},
    "ReconcileJobsFunction": STORE | {"StartWatchersPolicy"},
    "RunScheduleFunction": STORE | {"StartWatchersPolicy"},
    "ApiFunction": STORE | {"ReadSecretsPolicy", "StartWatchersPolicy"},
}

Statement = Mapping[str, Any]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements() -> Iterator[tuple[str, Statement]]:
    for name, resource in resources().items():
        properties = resource.get("Properties", {})
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
        if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            documents.append(properties["PolicyDocument"])
        for document in documents:
            for statement in document["Statement"]:
                yield name, statement


def actions_of(role: str) -> set[str]:
    wanted = {role, *map(resource_of, resources()[role]["Properties"].get("ManagedPolicyArns", []))}
    wanted |= {name for name in resources() if role in roles_with(name)}
    return {
        action
        for name, statement in statements()
        if name in wanted
        for action in as_list(statement["Action"])
    }


def roles_with(policy: str) -> set[str]:
    """The roles that a policy names by itself."""
    return set(map(resource_of, resources()[policy].get("Properties", {}).get("Roles", ())))


ALL = list(statements())


def test_no_action_has_a_wildcard_and_none_scans() -> None:
    assert ALL
    for name, statement in ALL:
        for action in as_list(statement["Action"]):
            assert "*" not in action, (name, action)
            assert action != "dynamodb:Scan", name


def test_a_wildcard_resource_only_where_there_is_none_to_name() -> None:
    for name, statement in ALL:
        if "*" in as_list(statement["Resource"]):
            assert set(as_list(statement["Action"])) <= WITHOUT_RESOURCES, name


def text_of(resource: Any) -> str:
    given: Any = resource if isinstance(resource, str) else resource.get("Fn::Sub", "")
    return str(given[0] if isinstance(given, list) else given)


def test_a_prefix_only_where_the_name_is_not_known() -> None:
    for name, statement in ALL:
        for resource in as_list(statement["Resource"]):
            text = text_of(resource)
            if ("*" in text or "?" in text) and text != "*":
                for action in as_list(statement["Action"]):
                    assert text.endswith(UNDER_A_PREFIX[action]), (name, action)


def test_every_statement_allows_and_names_what() -> None:
    for name, statement in ALL:
        assert statement["Effect"] == "Allow", name
        assert not {"NotAction", "NotResource"} & set(statement), name


def test_no_role_borrows_a_policy_of_aws() -> None:
    for name, role in of_type("AWS::IAM::Role"):
        for policy in role.get("ManagedPolicyArns", ()):
            assert resource_of(policy) in resources(), name


def test_roles_trust_one_service_each() -> None:
    trusted = {}
    for name, role in of_type("AWS::IAM::Role"):
        [statement] = role["AssumeRolePolicyDocument"]["Statement"]
        trusted[name] = statement["Principal"]
    of_functions = {resource_of(function["Role"]) for function in FUNCTIONS.values()}
    assert {name for name in trusted if name not in of_functions} == {
        "JobLifecycleRole",
        "ScheduleRole",
    }
    assert {str(trusted[name]) for name in of_functions} == {"{'Service': 'lambda.amazonaws.com'}"}


@pytest.mark.parametrize("function", POLICIES_OF)
def test_each_function_has_the_shared_rights_that_it_uses(function: str) -> None:
    role = resources()[resource_of(FUNCTIONS[function]["Role"])]["Properties"]
    assert {resource_of(policy) for policy in role["ManagedPolicyArns"]} == POLICIES_OF[function]


def test_the_roles_together_allow_all_that_the_store_calls() -> None:
    allowed = {
        action
        for _, statement in ALL
        for action in as_list(statement["Action"])
        if action.startswith("dynamodb:") and "Stream" not in str(statement["Resource"])
    }
    assert allowed - {"dynamodb:ListStreams"} == set(ACTIONS)


def test_only_the_api_may_keep_schedules_and_only_it_and_the_reconciler_forget_jobs() -> None:
    few = {"dynamodb:BatchWriteItem", "scheduler:CreateSchedule"}
    allowed = {"ApiFunction": few, "ReconcileJobsFunction": {"dynamodb:BatchWriteItem"}}
    for function, properties in FUNCTIONS.items():
        held = actions_of(resource_of(properties["Role"])) & few
        assert held == allowed.get(function, set()), function


def test_each_role_that_is_passed_is_one_role_for_one_service() -> None:
    passed = {
        name: (statement["Resource"], statement["Condition"])
        for name, statement in ALL
        if "iam:PassRole" in as_list(statement["Action"])
    }
    assert passed == {
        "ApiRole": (
            {"Fn::GetAtt": ["ScheduleRole", "Arn"]},
            {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
        ),
        "TrainOnSageMakerPolicy": (
            {"Ref": "SageMakerRoleArn"},
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
    }


def test_only_who_starts_and_polls_may_train_on_sagemaker_and_only_where_it_is_used() -> None:
    on_sagemaker = {"sagemaker:CreateTrainingJob", "sagemaker:AddTags"}
    may = {
        function
        for function, properties in FUNCTIONS.items()
        if actions_of(resource_of(properties["Role"])) & on_sagemaker
    }
    assert may == {"StartJobFunction", "AdvanceJobFunction"}
    policies = {name for name, statement in ALL if "sagemaker:" in str(statement["Action"])}
    assert policies == {"TrainOnSageMakerPolicy", "LookAtSageMakerPolicy"}
    assert {resources()[name]["Condition"] for name in policies} == {"UsesSageMaker"}
    assert not any("sagemaker:List" in str(statement["Action"]) for _, statement in ALL)
