"""Lookout's model states and ours. A word that is not here is recorded, reported and polled on."""

from __future__ import annotations

from collections.abc import Mapping

from trainbell.domain.job import State

STATUS_MAP: Mapping[str, State] = {
    "TRAINING": State.RUNNING,
    "TRAINED": State.SUCCEEDED,
    "TRAINING_FAILED": State.FAILED,
    # Only a trained model is ever hosted, so whoever looks late sees a training that succeeded.
    "STARTING_HOSTING": State.SUCCEEDED,
    "HOSTED": State.SUCCEEDED,
    "HOSTING_FAILED": State.SUCCEEDED,
    "STOPPING_HOSTING": State.SUCCEEDED,
    "SYSTEM_UPDATING": State.SUCCEEDED,
    # On its way out. It is no end: the poll looks for what the training came to (`provider`).
    "DELETING": State.CANCELLING,
}
"""All nine values of the shape `ModelStatus`; there is no cancelled state."""

DELETABLE = frozenset({"TRAINED", "TRAINING_FAILED", "HOSTING_FAILED"})
"""Trained or failed, and not hosted: a hosted model has to be stopped first."""
