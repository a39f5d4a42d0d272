"""Channels: checked whole before anything is stored, and tried with a real message on request."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from trainbell.domain.events import ANNOUNCED, EventType, JobEvent
from trainbell.domain.job import EndReason, Job, State
from trainbell.domain.order import DEFAULT_PROJECT, Order
from trainbell.domain.settings import ChannelConfig
from trainbell.errors import Conflict, InputInvalid, NotFound, Problem
from trainbell.ports import ChannelSpec, Notice
from trainbell.use_cases.ground.changing import change_setting, remove_setting
from trainbell.use_cases.ground.deliveries import bring_channel_forward
from trainbell.use_cases.ground.find_channels import find_channel
from trainbell.use_cases.ground.problems import problems_of
from trainbell.use_cases.ground.secret_reference import SecretReference
from trainbell.use_cases.ground.secret_use import problems_of_use
from trainbell.use_cases.ground.services import Services

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")

_ProjectName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class ChannelInput(BaseModel):
    """What a channel is made of. Which of `target` and `secret` it needs depends on its kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[str, StringConstraints(min_length=1, max_length=63)]
    target: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = Field(
        None, description="A topic's or bus's ARN or name"
    )
    secret: SecretReference | None = Field(
        None, description="A reference, never the secret: env:NAME, file:/path, …"
    )
    events: tuple[EventType, ...] = Field((EventType.JOB_FINISHED,), min_length=1, max_length=16)
    project: _ProjectName | None = Field(None, description="Tell of this project only")
    options: dict[str, Any] = Field(default_factory=dict, max_length=100)


def put_channel(
    services: Services,
    name: str,
    body: Mapping[str, Any],
    *,
    if_match: Collection[str] | None = None,
) -> tuple[ChannelConfig, bool]:
    """Create or replace a channel. The bool says whether it is new.

    What waits for it, because it was down or refused, is due at once.

    Raises:
        SettingChanged: none of the revisions in `if_match` is stored.
        InputInvalid: with every problem of the name, the body and the kind's own settings; or its
            secret is not allowed to be used so.
        ProviderUnavailable: what the secret's owner allows cannot be had now.
        Conflict: the name belongs to a built-in channel.
    """
    given = _check(services, name, body)
    _refuse_if_built_in(services, name, "replaced")
    now = services.clock.now()

    def replaced(stored: ChannelConfig | None) -> ChannelConfig:
        return replace(channel, created_at=now if stored is None else stored.created_at)

    channel = replace(_channel(name, given), updated_at=now)
    put = change_setting(services, ChannelConfig, name, replaced, if_match=if_match)
    assert put is not None  # noqa: S101 - `replaced` always gives one
    channel, is_new = put
    if not is_new:
        bring_channel_forward(services, name)
    return channel, is_new


def _channel(name: str, given: ChannelInput) -> ChannelConfig:
    return ChannelConfig(
        name=name,
        kind=given.kind,
        target=given.target,
        secret=given.secret,
        events=tuple(dict.fromkeys(given.events)),
        project=given.project,
        options=dict(given.options),
    )


def problems_of_channel(services: Services, channel: ChannelConfig) -> Sequence[Problem]:
    """What `put_channel` would find wrong with one that comes from elsewhere."""
    body = {
        each: getattr(channel, each)
        for each in ChannelInput.model_fields
        if getattr(channel, each) is not None
    }
    given = {**body, "events": list(channel.events), "options": dict(channel.options)}
    try:
        _check(services, channel.name, given)
    except InputInvalid as error:
        return [Problem(f"body.{each.path}", each.message) for each in error.problems]
    return []


def delete_channel(
    services: Services, name: str, *, if_match: Collection[str] | None = None
) -> None:
    """What is still to be told there is given up, and its record says why.

    Raises:
        NotFound: no such channel.
        Conflict: it is built in.
        SettingChanged: none of the revisions in `if_match` is stored.
    """
    _refuse_if_built_in(services, name, "deleted")
    find_channel(services, name)
    remove_setting(services, ChannelConfig, name, if_match=if_match)


def try_channel(services: Services, name: str) -> str:
    """Send a real test message. Says what took it. Once it is taken, what waits is due at once.

    Raises:
        NotFound: no such channel.
        ConfigInvalid: its secret cannot be had, or is of no use.
        NotifyUnavailable, NotifyRejected: the receiver did not take it.
    """
    channel = find_channel(services, name)
    spec = services.channels.spec(channel.kind)
    with services.channels.lease(channel) as client:
        client.send(_test_notice(services, channel))
    bring_channel_forward(services, name)
    return f"{spec.title} took the test message"


def _test_notice(services: Services, channel: ChannelConfig) -> Notice:
    now = services.clock.now()
    job = Job(
        id=services.new_job_id(),
        order=Order(
            provider="trainbell",
            connection="trainbell",
            kind="test message",
            name="test message",
            project=channel.project or DEFAULT_PROJECT,
        ),
        created_at=now - timedelta(minutes=1),
        started_at=now - timedelta(minutes=1),
        ended_at=now,
        updated_at=now,
        state=State.SUCCEEDED,
        end_reason=EndReason.COMPLETED,
        event_count=1,
    )
    event = JobEvent(
        job_id=job.id,
        sequence=1,
        type=EventType.CHANNEL_TESTED,
        at=now,
        state=job.state,
    )
    return Notice(id=f"{event.id}:{channel.name}", event=event, job=job)


def _refuse_if_built_in(services: Services, name: str, verb: str) -> None:
    if any(channel.name == name for channel in services.channels.built_in()):
        raise Conflict(f"channel {name} is built in and cannot be {verb}")


def _check(services: Services, name: str, body: Mapping[str, Any]) -> ChannelInput:
    problems: list[Problem] = []
    given = None
    if not NAME.fullmatch(name):
        message = "1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit"
        problems.append(Problem("name", message))
    try:
        given = ChannelInput.model_validate(body)
    except ValidationError as error:
        problems += problems_of(error)
    wrong = {problem.path.split(".")[0] for problem in problems}
    kind = body.get("kind")
    if isinstance(kind, str) and "kind" not in wrong:
        problems += _problems_of_kind(services, kind, body, wrong)
    problems += _unannounced(given)
    if given is not None and "kind" not in {problem.path for problem in problems}:
        channel = _channel(name, given)
        use = partial(services.channels.spec(channel.kind).secret_use, channel)
        problems += problems_of_use(services, channel.secret, use)
    if problems or given is None:
        raise InputInvalid(problems)
    return given


def _problems_of_kind(
    services: Services, kind: str, body: Mapping[str, Any], wrong: set[str]
) -> list[Problem]:
    """What the kind itself asks for, apart from the fields that are wrong already."""
    try:
        spec = services.channels.spec(kind)
    except NotFound as error:
        return [Problem("kind", str(error))]
    problems = []
    if "target" not in wrong:
        problems += _problems_of_target(spec, body.get("target"))
    if "secret" not in wrong:
        problems += _problems_of_secret(spec, body.get("secret"))
    if "options" not in wrong:
        problems += _problems_of_options(spec, body.get("options", {}))
    return problems


def _problems_of_target(spec: ChannelSpec, target: str | None) -> list[Problem]:
    if target is None:
        return [Problem("target", f"is required: {spec.title}")] if spec.needs_target else []
    if not spec.needs_target:
        # A webhook's URL would land here, in the open.
        return [Problem("target", f"{spec.name} has none; leave it out")]
    if spec.target_pattern and not re.fullmatch(spec.target_pattern, target):
        return [Problem("target", f"is not what {spec.title} is named by")]
    return []


def _problems_of_secret(spec: ChannelSpec, secret: str | None) -> list[Problem]:
    if secret is None and spec.needs_secret:
        message = f"is required: {spec.title} asks for one; give a reference such as env:NAME"
        return [Problem("secret", message)]
    if secret is not None and not spec.needs_secret:
        return [Problem("secret", f"{spec.name} has none; leave it out")]
    return []


def _problems_of_options(spec: ChannelSpec, options: Any) -> list[Problem]:
    if spec.options is None:
        return [Problem(f"options.{key}", f"{spec.name} has no options") for key in options]
    try:
        spec.options.model_validate(options)
    except ValidationError as error:
        return problems_of(error, "options")
    return []


def _unannounced(given: ChannelInput | None) -> list[Problem]:
    if given is None:
        return []
    known = ", ".join(sorted(ANNOUNCED))
    return [
        Problem(f"events.{place}", f"{event} is not announced; these are: {known}")
        for place, event in enumerate(given.events)
        if event not in ANNOUNCED
    ]
