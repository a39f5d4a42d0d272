"""Telling one training of a model from the one before it.

A retraining keeps the model's id, so the same id goes SUCCEEDED, QUEUED, …, SUCCEEDED, and nothing
of the caller's own can be left at it. What tells two trainings apart is `updatedAt`. It is compared
with what the service itself said before, as far as possible, and not with this machine's clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from trainbell.domain.job import State
from trainbell.errors import ProviderJobMissing
from trainbell.ports import Handle
from trainbell.providers.einstein.parameters import RetrainParameters
from trainbell.providers.einstein.status_map import STATUS_MAP
from trainbell.providers.einstein.vendor_models import Training
from trainbell.providers.vendor_values import number

ACTIVE = frozenset({State.QUEUED, State.RUNNING})
QUIET_SECONDS = 10.0
"""For how long a model must have been left alone before a retraining is sent."""
CLOCK_ERROR_SECONDS = 2.0
"""How far off the service's clock is read from an answer's date, which has whole seconds. No
training is as short as that."""
STALE_SECONDS = 3600.0
"""For how long the end of the former training may still be shown after a retraining was taken."""
_TICK = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Run:
    """Which training of which model: the handle, read.

    `after`: the end of this training is shown with a later `updatedAt`; by the service's clock,
    None where any will do. `sent_at`: when it was asked for, by ours.
    """

    service: str
    model_id: str
    after: datetime | None = None
    sent_at: datetime | None = None

    def handle(self) -> Handle:
        given = {"service": self.service, "id": self.model_id}
        times = {"after": self.after, "sent_at": self.sent_at}
        return given | {name: at.isoformat() for name, at in times.items() if at is not None}

    @classmethod
    def of(cls, handle: Handle) -> Run:
        """Raises ProviderJobMissing where the handle is of no training."""
        service, model_id = handle.get("service"), handle.get("id")
        try:
            if service in ("vision", "language") and isinstance(model_id, str) and model_id:
                return cls(service, model_id, _time(handle, "after"), _time(handle, "sent_at"))
        except (TypeError, ValueError):
            pass
        raise ProviderJobMissing(
            "the handle holds no model's id",
            provider="Einstein",
            operation="get a training's status",
        )

    def is_before(self, training: Training, now: datetime) -> bool:
        """Whether this is still the former training's end, read right after the retraining.

        Believed for an hour at most: a service that never moved `updatedAt` must not keep a job
        from its end.
        """
        if self.after is None or training.updated_at is None:
            return False
        if STATUS_MAP.get(training.status) in (*ACTIVE, None) or training.updated_at > self.after:
            return False
        sent_at = self.sent_at or self.after
        return (now - sent_at).total_seconds() < STALE_SECONDS


def service_time(at: datetime, said_at: datetime | None, asked_at: datetime) -> datetime:
    """A time of ours by the service's clock, which read `said_at` when ours read `asked_at`."""
    return at if said_at is None else at + (said_at - asked_at)


def quiet_again_in(training: Training, sent_at: datetime) -> float:
    """Seconds until this model has been left alone for long enough. `sent_at`: service's clock."""
    if training.updated_at is None:
        return 0.0
    return QUIET_SECONDS - (sent_at - training.updated_at).total_seconds()


def accepted_run(
    given: RetrainParameters, before: Training, answer: Training, sent_at: datetime
) -> Run:
    """The retraining that the service has just taken. `before`: what it showed until then."""
    times = [before.updated_at, answer.updated_at and answer.updated_at - _TICK]
    after = max((at for at in times if at is not None), default=None)
    return Run(given.service, given.model_id, after, sent_at)


def started_run(
    given: RetrainParameters,
    training: Training,
    sent_at: datetime | None,
    sent_at_there: datetime | None,
) -> Run | None:
    """The retraining that was sent then (by our clock and by the service's), if this is it.

    Before it is sent, the model is seen at rest, for a while already, and Trainbell retrains a
    model only once at a time. So a training that is active, or has ended since then, is ours if it
    was asked for in the same way; beside anybody else's, the service would have refused ours.
    """
    if not _asked_alike(given, training):
        return None
    changed_at = training.updated_at
    if STATUS_MAP.get(training.status) not in ACTIVE:
        if sent_at_there is None or changed_at is None:
            return None
        if changed_at <= sent_at_there - timedelta(seconds=CLOCK_ERROR_SECONDS):
            return None
    return Run(given.service, training.model_id, changed_at and changed_at - _TICK, sent_at)


def _asked_alike(given: RetrainParameters, training: Training) -> bool:
    """Whether what was asked for came back. What the service leaves out proves nothing."""
    kept = training.train_params or {}
    pairs = [
        (given.epochs, training.epochs),
        (given.learning_rate, training.learning_rate),
        *((value, kept.get(name)) for name, value in given.asked_train_params().items()),
    ]
    return all(_same(asked, shown) for asked, shown in pairs)


def _same(asked: object, shown: object) -> bool:
    if isinstance(asked, bool) and isinstance(shown, bool):
        return asked is shown
    asked_number, shown_number = number(asked), number(shown)
    if asked_number is None or shown_number is None:
        return True
    return math.isclose(asked_number, shown_number, rel_tol=1e-6)


def _time(handle: Handle, name: str) -> datetime | None:
    value = handle.get(name)
    return None if value is None else datetime.fromisoformat(value)
