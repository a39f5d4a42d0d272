"""Two installations in one account: no name of theirs is the same, and no right of one reaches the
other, whatever the stacks are called."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import permutations
from typing import Any

import pytest

from tests.builders import a_job
from tests.infra.test_roles import ALL, WITHOUT_RESOURCES, as_list
from tests.infra.translated import nested, resources, source

REGION = {"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012"}
# One a prefix of the other, in every way that a stack's name allows.
STACKS = ("trainbell", "trainbell-2", "trainbell-", "trainbell--2", "train", "t", "T")
NAMING = {"Name", "LogGroupName", "DashboardName", "TableName", "TopicName", "QueueName"}
NAMING |= {"FunctionName", "RoleName", "ManagedPolicyName", "StateMachineName", "AlarmName"}
NAMING |= {"LayerName", "GroupName"}
SHARED_ON_PURPOSE = {"SageMakerRoleArn"}
LISTS_FOR_THE_ACCOUNT = {"logs:DescribeLogStreams"}
"""It knows no resource below the log group, of which SageMaker has one: it gives names of streams,
and no lines."""


class Stack:
    """The template's values as CloudFormation gives them, in a stack of this name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values: dict[str, str] = {**REGION, "AWS::StackName": name}
        template = source()
        for parameter, given in template["Parameters"].items():
            self.values[parameter] = str(given.get("Default", ""))
        self.values["SageMakerRoleArn"] = "arn:aws:iam::123456789012:role/training"
        self.conditions = template["Conditions"]
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Ref": self._named,
            "Fn::GetAtt": lambda given: self._own(given if isinstance(given, str) else given[0]),
            "Fn::If": lambda given: self.of(given[1 if self.holds(given[0]) else 2]),
            "Fn::Sub": lambda given: self._filled(*(given if isinstance(given, list) else [given])),
        }

    def of(self, value: Any) -> Any:
        """A value without its functions; of a resource of this stack, what names it as such."""
        if isinstance(value, list):
            return [self.of(each) for each in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, given)] = value.items()
            if function in self._functions:
                return self._functions[function](given)
        return {key: self.of(each) for key, each in value.items()}

    def holds(self, condition: Any) -> bool:
        match self.conditions[condition] if isinstance(condition, str) else condition:
            case {"Fn::Not": [inner]}:
                return not self.holds(inner)
            case {"Fn::Equals": [left, right]}:
                return bool(self.of(left) == self.of(right))
        raise AssertionError(condition)

    def names(self) -> Iterator[str]:
        """Every name that the template gives, with the kind of thing that it names."""
        for kind, properties in self._resources():
            for key in NAMING & set(properties):
                if not isinstance(properties[key], dict) or not self._is_own(properties[key]):
                    yield f"{kind} {self.of(properties[key])}"

    def rights(self) -> Iterator[tuple[str, str]]:
        """Each action with the resource that it is allowed on."""
        for _, statement in ALL:
            for action in as_list(statement["Action"]):
                for resource in as_list(statement["Resource"]):
                    yield action, str(self.of(resource))

    def things(self) -> list[str]:
        """ARNs of what comes to be in this stack, and is not in its template."""
        id_, where = a_job().id, "eu-west-1:123456789012"
        job = f"{self.name}-{id_}"
        logs = f"arn:aws:logs:{where}:log-group:/aws/sagemaker/TrainingJobs"
        return [
            f"arn:aws:secretsmanager:{where}:secret:{self.name}/deepva-AbCdEf",
            f"arn:aws:ssm:{where}:parameter/{self.name}/slack",
            f"arn:aws:sagemaker:{where}:training-job/{job}",
            f"{logs}:log-stream:{job}/algo-1-1712345678",
        ]

    def _resources(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for resource in resources().values():
            yield resource["Type"], resource.get("Properties", {})
        for each in ("alarms.yaml", "dashboard.yaml"):
            for resource in nested(each)["Resources"].values():
                # What the outer stack hands on: its name, and its own resources.
                labelled = json.dumps(resource["Properties"]).replace(
                    "StackLabel", "AWS::StackName"
                )
                yield resource["Type"], json.loads(labelled)

    def _named(self, name: str) -> str:
        return self.values[name] if name in self.values else self._own(name)

    def _own(self, name: str) -> str:
        name = name.split(".", maxsplit=1)[0]
        assert name in resources(), name
        return f"<{name} of {self.name}>"

    def _is_own(self, value: Mapping[str, Any]) -> bool:
        return value.get("Ref") in resources()

    def _filled(self, text: str, given: Mapping[str, Any] | None = None) -> str:
        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name in (given or {}):
                return str(self.of((given or {})[name]))
            return self._named(name)

        return re.sub(r"\$\{([^}!]+)\}", value, text)


stack_of = cache(Stack)
"""Reading a template takes a second."""


def allows(pattern: str, arn: str) -> bool:
    """As IAM reads a resource: `*` is any text, `?` any one character."""
    parts = (re.escape(part) for part in re.split(r"([*?])", pattern))
    regex = "".join(parts).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(regex, arn) is not None


@pytest.mark.parametrize("name", STACKS)
def test_what_a_stack_makes_is_its_own_to_use(name: str) -> None:
    stack = stack_of(name)
    patterns = [resource for _, resource in stack.rights() if resource != "*"]
    for arn in stack.things():
        assert any(allows(pattern, arn) for pattern in patterns), arn


@pytest.mark.parametrize(("ours", "theirs"), list(permutations(STACKS, 2)))
def test_no_right_of_one_stack_reaches_the_other(ours: str, theirs: str) -> None:
    for action, pattern in stack_of(ours).rights():
        if pattern == "*":
            assert action in WITHOUT_RESOURCES
        if pattern == "*" or action in LISTS_FOR_THE_ACCOUNT:
            continue
        reached = [arn for arn in stack_of(theirs).things() if allows(pattern, arn)]
        assert not reached, (action, pattern)


def test_every_right_names_something_of_its_own_stack() -> None:
    stack = stack_of("red-stack")
    shared = {stack.values[each] for each in SHARED_ON_PURPOSE}
    for action, pattern in stack.rights():
        if pattern == "*" or pattern in shared or action in LISTS_FOR_THE_ACCOUNT:
            continue
        assert "red-stack" in pattern, (action, pattern)


@pytest.mark.parametrize(("ours", "theirs"), list(permutations(STACKS, 2)))
def test_no_name_is_given_twice(ours: str, theirs: str) -> None:
    names = set(stack_of(ours).names())
    assert len(names) >= 12
    assert not names & set(stack_of(theirs).names())


def test_the_functions_know_whose_they_are() -> None:
    for name in ("red", "blue"):
        stack = stack_of(name)
        variables = [
            stack.of(properties["Environment"]["Variables"])
            for kind, properties in stack._resources()
            if kind == "AWS::Lambda::Function"
        ]
        assert variables
        for each in variables:
            assert each["TRAINBELL_INSTALLATION"] == name
            assert each["TRAINBELL_SECRET_PREFIX"] == f"{name}/"
            assert each["TRAINBELL_TABLE_NAME"] == f"<Table of {name}>"


def test_events_of_another_stacks_training_jobs_wake_nobody_here() -> None:
    [rule] = [
        properties["EventPattern"]
        for kind, properties in Stack("red")._resources()
        if kind == "AWS::Events::Rule" and "EventPattern" in properties
    ]
    [wanted] = Stack("red").of(rule["detail"])["TrainingJobName"]
    assert wanted == {"prefix": "red-"}


def test_a_prefix_of_ones_own_is_taken_where_it_is_named() -> None:
    stack = Stack("red")
    stack.values["SecretPrefix"] = "shared/keys/"
    patterns = {pattern for action, pattern in stack.rights() if action.endswith("SecretValue")}
    assert patterns == {
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shared/keys/*",
    }
