"""DeepVA's states and ours. A word that is not here is recorded, reported and polled on."""

from __future__ import annotations

from collections.abc import Mapping

from trainbell.domain.job import State

STATUS_MAP: Mapping[str, State] = {
    "waiting": State.QUEUED,
    "processing": State.RUNNING,
    "completed": State.SUCCEEDED,
    "failed": State.FAILED,
}
"""All four that docs.deepva.com/core-resources/training names; there is no cancelled state."""
