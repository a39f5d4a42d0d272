"""What the functions read from their environment: once, checked, and all problems at a time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from trainbell.domain.addresses import CLOUD, Network, Reach
from trainbell.errors import ConfigInvalid
from trainbell.ports import INSTALLATION

PREFIX = "TRAINBELL_"

Arn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:\S+$", max_length=1600)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_.-]+$", max_length=255)]


def _networks(text: object) -> object:
    return [each.strip() for each in text.split(",")] if isinstance(text, str) else text


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleTarget:
    """What EventBridge Scheduler needs to run a schedule."""

    group: str
    function_arn: str
    role_arn: str
    dead_letter_arn: str


class CloudEnvironment(BaseModel):
    """The settings behind `TRAINBELL_*`, as template.yaml sets them.

    `installation`: the stack's name. `secret_prefix`: what the names of readable secrets begin
    with. `state_machine_arn` and the `schedule_*` four are set only for the functions that use them
    (and may, by their roles). `loops_per_execution`: after how many polls an execution hands over
    to a fresh one; a loop is 9 history events of the 25,000 that an execution may have, and the
    machine itself stops at 900 loops
    (docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
    `overdue_after_seconds`: how late a poll may be before its watcher counts as lost.
    `overflow_bucket`: where what a stored job cannot hold is kept in full, if anywhere.
    `private_networks`: those that services may be called in, `10.1.0.0/16,fd00:1::/32`.
    """

    model_config = ConfigDict(frozen=True)

    table_name: Name
    installation: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z0-9-]{0,127}$")] = (
        INSTALLATION
    )
    secret_prefix: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9/_+=.@-]+/$")]
    loops_per_execution: int = Field(default=800, ge=1, le=850)
    overdue_after_seconds: float = Field(default=120, ge=1, le=3600)
    topic_arn: Arn | None = None
    bus_name: Name | None = None
    state_machine_arn: Arn | None = None
    schedule_group: Name | None = None
    schedule_function_arn: Arn | None = None
    schedule_role_arn: Arn | None = None
    schedule_dead_letter_arn: Arn | None = None
    private_networks: Annotated[tuple[Network, ...], BeforeValidator(_networks)] = ()
    overflow_bucket: Name | None = None
    page_url: Annotated[str, StringConstraints(pattern=r"^https?://\S+[^/\s]$")] | None = None

    @property
    def reach(self) -> Reach:
        return replace(CLOUD, networks=self.private_networks)

    @property
    def schedule_target(self) -> ScheduleTarget | None:
        """None where this function does not manage schedules."""
        if not (
            self.schedule_group
            and self.schedule_function_arn
            and self.schedule_role_arn
            and self.schedule_dead_letter_arn
        ):
            return None
        return ScheduleTarget(
            group=self.schedule_group,
            function_arn=self.schedule_function_arn,
            role_arn=self.schedule_role_arn,
            dead_letter_arn=self.schedule_dead_letter_arn,
        )


def read_environment(variables: Mapping[str, str] = os.environ) -> CloudEnvironment:
    """Read the settings; an empty variable counts as one that is not set.

    Raises:
        ConfigInvalid: names every variable that is missing or wrong, and no value.
    """
    given = {
        name: variables[PREFIX + name.upper()]
        for name in CloudEnvironment.model_fields
        if variables.get(PREFIX + name.upper())
    }
    try:
        return CloudEnvironment.model_validate(given)
    except ValidationError as exc:
        problems = (
            f"{PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg']}"
            for problem in exc.errors(include_input=False, include_url=False)
        )
        raise ConfigInvalid("; ".join(problems)) from exc
