"""What one status of a training means, put as an observation."""

from __future__ import annotations

from datetime import datetime

from trainbell.domain.job import END_STATES, Performance, State
from trainbell.domain.observation import Observation
from trainbell.providers.einstein.retraining import Run
from trainbell.providers.einstein.status_map import STATUS_MAP
from trainbell.providers.einstein.vendor_models import Training


def of_the_one_before(training: Training, seen_at: datetime) -> Observation:
    """The former training's end is still shown: ours is on its way, whatever the status says."""
    return Observation(
        seen_at=seen_at,
        vendor_status=training.status,
        state=State.QUEUED,
        message="Einstein still shows the end of the training before this one",
    )


def of_training(
    run: Run, training: Training, seen_at: datetime, message: str, performance: Performance
) -> Observation:
    """There is no time of completion: `updatedAt` of an ended one is the nearest."""
    state = STATUS_MAP.get(training.status)
    # An end whose time the retraining never moved: that time is of the training before.
    is_old = run.after and training.updated_at and training.updated_at <= run.after
    return Observation(
        seen_at=seen_at,
        vendor_status=training.status,
        state=state,
        stage=_stage(training) if state is State.RUNNING else None,
        progress=training.progress,
        queue_position=training.queue_position if state is State.QUEUED else None,
        message=message,
        performance=performance,
        ended_at=training.updated_at if state in END_STATES and not is_old else None,
    )


def message_of(training: Training) -> str:
    """Why it failed; else what is trained on what and how:
    `image model Beach on dataset 57 (trainSplitRatio 0.7)`."""
    if training.failure_msg:
        return training.failure_msg
    said = f"{training.model_type or 'a'} model {training.name or training.model_id}"
    if training.dataset_id is not None:
        said += f" on dataset {training.dataset_id}"
    if training.train_params:
        said += " ({})".format(", ".join(f"{k} {v}" for k, v in training.train_params.items()))
    if training.early_stopping and training.last_epoch_done is not None:
        said += f", stopped early after {_stage(training)}"
    return said


def _stage(training: Training) -> str | None:
    if training.last_epoch_done is None:
        return None
    of_all = "" if training.epochs is None else f" of {training.epochs}"
    return f"epoch {training.last_epoch_done}{of_all}"
