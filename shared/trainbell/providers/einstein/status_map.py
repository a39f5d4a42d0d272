"""Einstein's states and ours. A word that is not here is recorded, reported and polled on."""

from __future__ import annotations

from collections.abc import Mapping

from trainbell.domain.job import State

STATUS_MAP: Mapping[str, State] = {
    "QUEUED": State.QUEUED,
    "RUNNING": State.RUNNING,
    "SUCCEEDED": State.SUCCEEDED,
    "FAILED": State.FAILED,
    "KILLED": State.CANCELLED,
    "FAILED_WITH_RETRIES": State.FAILED,
}
"""The guide names the first four. The last two stand only in the vendor's OpenAPI document, without
a word of meaning; that they are ends, and that nobody but the service kills, is inferred."""
