"""Azure AI Vision as a provider: start, find, poll, cancel and delete models and evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from urllib.parse import urlsplit

from trainbell.domain.job import END_STATES, State
from trainbell.domain.observation import Observation
from trainbell.errors import NotSupported, ProviderJobMissing, ProviderRejected
from trainbell.ports import Clock, Handle, ProviderContext, StartOrder
from trainbell.providers.azure_vision.adoption import foreign_because
from trainbell.providers.azure_vision.client import TITLE, AzureVisionClient
from trainbell.providers.azure_vision.parameters import PARAMETERS, Parameters, Target
from trainbell.providers.azure_vision.readings import observation_of, state_of
from trainbell.providers.azure_vision.vendor_models import Run
from trainbell.providers.credentials import HeaderSecret, secret_reference, service_url
from trainbell.providers.http import ServiceHttp
from trainbell.providers.orders import name_in, parameters_of
from trainbell.providers.vendor_values import utc_time

NAME_TAKEN = 409
"""HTTP's Conflict: the service keeps names unique and never repeats a creation."""
SAME_TIME = timedelta(seconds=1)
"""How far two readings of one creation time may lie apart, should they be rounded differently."""
_API_PATH = "/computervision"


class AzureVision:
    """One connection's view of the service.

    The handle is `{"model": …, "created_at": …}`, for an evaluation with `"evaluation": …`. The
    creation time is there because a name may be used again once its model was deleted.
    """

    def __init__(self, client: AzureVisionClient, clock: Clock) -> None:
        self.client = client
        self._clock = clock

    @classmethod
    def from_context(cls, context: ProviderContext) -> AzureVision:
        secret = HeaderSecret(
            context.secrets,
            secret_reference(context),
            header="Ocp-Apim-Subscription-Key",
            scheme="",
        )
        http = ServiceHttp(
            provider=TITLE,
            base_url=_with_api_path(service_url(context)),
            credential=secret,
            clock=context.clock,
            transport=context.transport,
        )
        return cls(AzureVisionClient(http), context.clock)

    def start(self, order: StartOrder) -> Handle:
        """Create the model or evaluation by its name, which the service takes once.

        409 says that the name exists: made by an earlier attempt whose answer was lost, or by
        somebody else. It is read and compared before it is adopted.

        Raises:
            ProviderRejected: the name is in use by something that this order did not make.
        """
        parameters = _parameters(order)
        target = parameters.target(order.job_id)
        try:
            return _handle(target, self.client.create(target, parameters.wire()))
        except ProviderRejected as exc:
            existing = self._existing(target) if exc.http_status == NAME_TAKEN else None
            if existing is None:
                raise
            why = foreign_because(order, parameters, existing)
            if why is None:
                return _handle(target, existing)
            raise ProviderRejected(
                f"{target} exists at {TITLE} already and is not of this job: {why}; "
                "choose another name or delete it there",
                provider=TITLE,
                operation=exc.operation,
                http_status=exc.http_status,
                vendor_code=exc.vendor_code,
                request_id=exc.request_id,
                details=exc.details,
            ) from exc

    def find(self, order: StartOrder) -> Handle | None:
        """What has this order's name, if it was made with its parameters (see `adoption`).

        Where it was not, None: the name is taken, so that another start is refused, never doubled.
        """
        parameters = _parameters(order)
        target = parameters.target(order.job_id)
        existing = self._existing(target)
        if existing is None or foreign_because(order, parameters, existing) is not None:
            return None
        return _handle(target, existing)

    def poll(self, handle: Handle) -> Observation:
        seen_at = self._clock.now()
        target, run = self._seen(handle)
        return observation_of(target, run, seen_at, self.client.http)

    def cancel(self, handle: Handle) -> None:
        """Ask for the end of a training; what has ended or is being cancelled is left alone."""
        if handle.get("evaluation") is not None:
            raise NotSupported(
                f"{TITLE} has no call to cancel an evaluation; it runs to its own end"
            )
        # Read first, because the call goes by name alone: never cancel somebody else's.
        target, run = self._seen(handle)
        state = state_of(target, run)
        if state is not State.CANCELLING and state not in END_STATES:
            self.client.cancel(target.model)

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        del handle, lines
        raise NotSupported(f"{TITLE} has no call to read a training's log")

    def forget(self, handle: Handle) -> None:
        """Nothing of a job is kept on this machine."""

    def check(self) -> str:
        models = self.client.models(top=1).value
        return f"{TITLE} answered: this account has {'models' if models else 'no model yet'}"

    def delete(self, handle: Handle) -> None:
        """Delete an ended model, or an evaluation, at the service.

        Raises:
            ProviderRejected: it has not ended; cancel it first and wait for the confirmation.
            ProviderJobMissing: it is gone already.
        """
        target, run = self._seen(handle)
        if state_of(target, run) not in END_STATES:
            raise ProviderRejected(
                f"{target} is {run.status}; only an ended one is deleted",
                provider=TITLE,
                operation=f"delete {target}",
            )
        self.client.delete(target)

    def close(self) -> None:
        self.client.close()

    def _existing(self, target: Target) -> Run | None:
        try:
            return self.client.get(target)
        except ProviderJobMissing:
            return None

    def _seen(self, handle: Handle) -> tuple[Target, Run]:
        """Raises ProviderJobMissing, also where the name belongs to a later one by now."""
        target = _target_of(handle)
        run = self.client.get(target)
        made_at = utc_time(handle.get("created_at"))
        if made_at and run.created_date_time and abs(run.created_date_time - made_at) > SAME_TIME:
            raise ProviderJobMissing(
                f"{target} was made anew at {run.created_date_time.isoformat()}; "
                "that of this job is gone",
                provider=TITLE,
                operation=f"get {target}",
            )
        return target, run


def _with_api_path(base_url: str) -> str:
    """The portal shows a resource's endpoint without the API's path; either is taken."""
    return base_url if urlsplit(base_url).path.strip("/") else base_url.rstrip("/") + _API_PATH


def _parameters(order: StartOrder) -> Parameters:
    kind = PARAMETERS.get(order.kind)
    if kind is None:
        raise ProviderRejected(
            f"{TITLE} has no jobs of kind {order.kind!r}", provider=TITLE, operation="start a job"
        )
    return parameters_of(
        order,
        kind,
        what=f"kind {order.kind}",
        provider=TITLE,
        operation=f"start a job of kind {order.kind}",
    )


def _handle(target: Target, run: Run) -> Handle:
    handle = {"model": target.model}
    if target.evaluation is not None:
        handle["evaluation"] = target.evaluation
    if run.created_date_time is not None:
        handle["created_at"] = run.created_date_time.astimezone(UTC).isoformat()
    return handle


def _target_of(handle: Handle) -> Target:
    def name(key: str) -> str:
        return name_in(handle, key, what="name", provider=TITLE, operation="get a model")

    evaluation = name("evaluation") if handle.get("evaluation") is not None else None
    return Target(name("model"), evaluation)
