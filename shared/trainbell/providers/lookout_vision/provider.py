"""Lookout for Vision as a provider: start, find, poll. It has no cancel and no log call."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import ValidationError

from trainbell.domain.observation import Observation
from trainbell.domain.order import WhenBusy
from trainbell.errors import (
    ConfigInvalid,
    NotSupported,
    ProviderJobMissing,
    ProviderRejected,
    ProviderThrottled,
)
from trainbell.ports import Clock, Handle, ProviderContext, StartOrder
from trainbell.providers.http import ServiceHttp
from trainbell.providers.lookout_vision.client import (
    PROVIDER_NAME,
    QUOTA_EXCEEDED,
    LookoutVisionClient,
    same_error,
)
from trainbell.providers.lookout_vision.evaluation import performance_of, state_of
from trainbell.providers.lookout_vision.finding import started_version
from trainbell.providers.lookout_vision.parameters import (
    ConnectionOptions,
    TrainParameters,
)
from trainbell.providers.lookout_vision.signing import SigV4
from trainbell.providers.lookout_vision.status_map import DELETABLE
from trainbell.providers.lookout_vision.vendor_models import VERSION, Model
from trainbell.providers.orders import parameters_of

MAX_MESSAGE = 2000
_PROJECT = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}")


class LookoutVision:
    """One connection's view of Lookout: one account in one region.

    The handle is `{"project": …, "version": …, "description": …}`. Versions begin anew in a project
    that was deleted and made again, so the description, which never changes and mostly holds
    the job's marker, tells whether a version is still the one that was started.
    """

    def __init__(self, client: LookoutVisionClient, clock: Clock) -> None:
        self.client = client
        self._clock = clock

    @classmethod
    def from_context(cls, context: ProviderContext) -> LookoutVision:
        connection = context.connection
        region = _region(connection.name, connection.options)
        http = ServiceHttp(
            provider=PROVIDER_NAME,
            base_url=connection.base_url or f"https://lookoutvision.{region}.amazonaws.com",
            credential=SigV4(
                region=region,
                clock=context.clock,
                secrets=context.secrets,
                reference=connection.secret,
            ),
            clock=context.clock,
            transport=context.transport,
        )
        return cls(LookoutVisionClient(http), context.clock)

    def start(self, order: StartOrder) -> Handle:
        """The job's id is the client token: for 8 hours a repeat gives the model of the first.

        A quota that is used up refuses the job, or lets it wait, as the caller asked.
        """
        given = _parameters(order)
        body = given.wire(order.job_id)
        try:
            model = self.client.create_model(given.project_name, body, order.job_id)
        except ProviderRejected as error:
            if error.vendor_code == QUOTA_EXCEEDED and order.when_busy is WhenBusy.WAIT:
                raise same_error(ProviderThrottled, error) from error
            raise
        return _handle(given.project_name, model.model_version, body.get("Description"))

    def find(self, order: StartOrder) -> Handle | None:
        """The version with this order's description and marker, from all pages of the project.

        The list is only eventually consistent. A start that it does not show in time is sent again
        with the same token, which gives the model that was made then.

        Raises:
            ProviderReplyInvalid: more models than can be looked through.
        """
        given = _parameters(order)
        model = started_version(self.client, order, given)
        if model is None:
            return None
        return _handle(given.project_name, model.model_version, model.description)

    def poll(self, handle: Handle) -> Observation:
        seen_at = self._clock.now()
        model = self._described(handle)
        message = model.status_message
        return Observation(
            seen_at=seen_at,
            vendor_status=model.status,
            state=state_of(model),
            message=self.client.http.redact(message)[:MAX_MESSAGE] if message else None,
            performance=performance_of(model),
            started_at=model.creation_timestamp,
            ended_at=model.evaluation_end_timestamp,
        )

    def cancel(self, handle: Handle) -> None:
        del handle
        raise NotSupported(
            f"{PROVIDER_NAME} has no call to cancel a training; it runs to its own end"
        )

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        del handle, lines
        raise NotSupported(f"{PROVIDER_NAME} has no call to read a training's log")

    def forget(self, handle: Handle) -> None:
        """Nothing of a training is kept on this machine."""

    def check(self) -> str:
        page = self.client.projects()
        count = f"{len(page.projects)}{' or more' if page.next_token else ''}"
        noun = "project" if count == "1" else "projects"
        return f"{PROVIDER_NAME} answered: {count} {noun} in this account and region"

    def delete(self, handle: Handle) -> None:
        """Delete the model version of an ended training at the service.

        Raises:
            ProviderRejected: it is still training, or hosted (stop it there first).
            ProviderJobMissing: it is gone already.
        """
        model = self._described(handle)
        if model.status not in DELETABLE:
            raise ProviderRejected(
                f"the model is {model.status}; only one that has ended training and is not hosted "
                "is deleted",
                provider=PROVIDER_NAME,
                operation="delete a model",
            )
        self.client.delete_model(*_place(handle))

    def secrets(self) -> Sequence[str]:
        return self.client.http.secrets()

    def close(self) -> None:
        self.client.close()

    def _described(self, handle: Handle) -> Model:
        model = self.client.model(*_place(handle))
        described = handle.get("description")
        if isinstance(described, str) and model.description not in (None, described):
            raise ProviderJobMissing(
                "this version is now another model; its project was made anew",
                provider=PROVIDER_NAME,
                operation="describe a model",
            )
        return model


def _region(connection: str, options: object) -> str:
    try:
        return ConnectionOptions.model_validate(options).region
    except ValidationError as exc:
        problem = exc.errors(include_input=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise ConfigInvalid(f"connection {connection}: options.{place}: {problem['msg']}") from exc


def _parameters(order: StartOrder) -> TrainParameters:
    return parameters_of(order, TrainParameters, provider=PROVIDER_NAME, operation="create a model")


def _handle(project: str, version: str, description: str | None) -> Handle:
    return {"project": project, "version": version, "description": description}


def _place(handle: Handle) -> tuple[str, str]:
    project, version = handle.get("project"), handle.get("version")
    if (
        not isinstance(project, str)
        or not isinstance(version, str)
        or not _PROJECT.fullmatch(project)
        or not re.fullmatch(VERSION, version)
    ):
        raise ProviderJobMissing(
            "the handle names no project with a model version",
            provider=PROVIDER_NAME,
            operation="describe a model",
        )
    return project, version
