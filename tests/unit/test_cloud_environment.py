"""The functions' settings: what is right is read, what is wrong is named, no value is told."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from trainbell.cloud.environment import read_environment
from trainbell.errors import ConfigInvalid

ARN = "arn:aws:states:eu-west-1:123456789012:stateMachine:job-lifecycle"
GOOD = {"TRAINBELL_TABLE_NAME": "table-1", "TRAINBELL_SECRET_PREFIX": "trainbell/"}
SCHEDULES = {
    "TRAINBELL_SCHEDULE_GROUP": "trainbell",
    "TRAINBELL_SCHEDULE_FUNCTION_ARN": "arn:aws:lambda:eu-west-1:123456789012:function:f",
    "TRAINBELL_SCHEDULE_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
    "TRAINBELL_SCHEDULE_DEAD_LETTER_ARN": "arn:aws:sqs:eu-west-1:123456789012:q",
}


def test_two_settings_are_enough() -> None:
    read = read_environment({**GOOD, "PATH": "/bin", "TRAINBELL_PAGE_URL": ""})
    assert (read.table_name, read.secret_prefix) == ("table-1", "trainbell/")
    assert read.loops_per_execution == 800
    assert read.state_machine_arn is None
    assert read.schedule_target is None
    assert read.page_url is None


def test_all_settings_are_read() -> None:
    read = read_environment(
        {
            **GOOD,
            **SCHEDULES,
            "TRAINBELL_STATE_MACHINE_ARN": ARN,
            "TRAINBELL_LOOPS_PER_EXECUTION": "5",
            "TRAINBELL_OVERDUE_AFTER_SECONDS": "30",
        }
    )
    assert (read.state_machine_arn, read.loops_per_execution) == (ARN, 5)
    assert read.overdue_after_seconds == 30
    assert read.schedule_target is not None
    assert read.schedule_target.group == "trainbell"


def test_private_networks_are_those_that_are_named() -> None:
    assert not read_environment({**GOOD, "TRAINBELL_PRIVATE_NETWORKS": ""}).reach.networks
    named = {**GOOD, "TRAINBELL_PRIVATE_NETWORKS": "10.1.0.0/16, fd00:1::/32"}
    reach = read_environment(named).reach
    assert reach.refusal(ip_address("10.1.2.3")) is None
    assert reach.refusal(ip_address("fd00:1::1")) is None
    assert reach.refusal(ip_address("10.2.0.1")) is not None
    assert reach.refusal(ip_address("127.0.0.1")) is not None
    with pytest.raises(ConfigInvalid, match="TRAINBELL_PRIVATE_NETWORKS"):
        read_environment({**GOOD, "TRAINBELL_PRIVATE_NETWORKS": "the lab"})


@pytest.mark.parametrize("missing", SCHEDULES)
def test_schedules_need_all_of_their_settings(missing: str) -> None:
    some = {name: value for name, value in SCHEDULES.items() if name != missing}
    assert read_environment({**GOOD, **some}).schedule_target is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRAINBELL_TABLE_NAME", "a table"),
        ("TRAINBELL_TABLE_NAME", ""),
        ("TRAINBELL_SECRET_PREFIX", "no-slash"),
        ("TRAINBELL_SECRET_PREFIX", "*/"),
        ("TRAINBELL_LOOPS_PER_EXECUTION", "0"),
        ("TRAINBELL_LOOPS_PER_EXECUTION", "900"),
        ("TRAINBELL_LOOPS_PER_EXECUTION", "many"),
        ("TRAINBELL_OVERDUE_AFTER_SECONDS", "-1"),
        ("TRAINBELL_STATE_MACHINE_ARN", "job-lifecycle"),
        ("TRAINBELL_TOPIC_ARN", "topic"),
        ("TRAINBELL_PAGE_URL", "ftp://example.com"),
        ("TRAINBELL_PAGE_URL", "https://example.com/"),
    ],
)
def test_a_wrong_value_is_named_and_not_told(name: str, value: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        read_environment({**GOOD, name: value})
    assert name in str(refused.value)
    assert not value or f"'{value}'" not in str(refused.value)


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(ConfigInvalid) as refused:
        read_environment({"TRAINBELL_LOOPS_PER_EXECUTION": "x"})
    for name in ("TABLE_NAME", "SECRET_PREFIX", "LOOPS_PER_EXECUTION"):
        assert f"TRAINBELL_{name}: " in str(refused.value)
