"""The service's states and ours. A word that is not here is recorded, reported and polled on."""

from __future__ import annotations

from collections.abc import Mapping

from trainbell.domain.job import State

STATUS_MAP: Mapping[str, State] = {
    "notStarted": State.QUEUED,
    "training": State.RUNNING,
    "cancelling": State.CANCELLING,
    "succeeded": State.SUCCEEDED,
    "failed": State.FAILED,
    "cancelled": State.CANCELLED,
}
"""All six of `ModelState` (Models - Create, 2023-04-01-preview)."""

EVALUATION_STATUS_MAP: Mapping[str, State] = {
    "notStarted": State.QUEUED,
    "running": State.RUNNING,
    "succeeded": State.SUCCEEDED,
    "failed": State.FAILED,
}
"""All four of `EvaluationStatus` in Microsoft's own client; an evaluation cannot be cancelled."""
