"""Runs a command on this machine as a real training."""

from __future__ import annotations

import os
from pathlib import Path

from trainbell.errors import ConfigInvalid
from trainbell.ports import Kind, Provider, ProviderContext, ProviderSpec, ServiceState
from trainbell.ports import ServiceStatus as Service
from trainbell.providers.local.parameters import LocalOptions, TrainParameters
from trainbell.providers.local.provider import LocalProvider
from trainbell.providers.local.refusals import NAME


def build(context: ProviderContext) -> Provider:
    """Raises ConfigInvalid where there is no data directory, as in the cloud."""
    if context.data_dir is None:
        raise ConfigInvalid("the provider local needs a data directory: it runs embedded only")
    return LocalProvider(
        root=Path(context.data_dir) / NAME,
        clock=context.clock,
        options=LocalOptions.model_validate(dict(context.connection.options)),
        own_environment=os.environ,
    )


PROVIDER = ProviderSpec(
    name=NAME,
    title="This machine",
    kinds={"train": Kind(name="train", title="Run a training command", parameters=TrainParameters)},
    service=Service(
        state=ServiceState.LIVE,
        as_of="2026-11-20",
        note="Part of Trainbell itself; runs wherever Trainbell runs embedded.",
        source="docs/progress-file.md",
    ),
    repeat_is_harmless=True,
    build=build,
    options=LocalOptions,
    needs_url=False,
    needs_secret=False,
    can_cancel=True,
    has_logs=True,
    has_progress=True,
    embedded_only=True,
    # A start that is in flight is decided within the supervisor's 5 seconds; then it is on disk.
    settle_seconds=10.0,
    missing_grace_seconds=30.0,
    # A watch on the run directories tells what has changed (embedded.run_watch).
    min_interval_seconds=120.0,
)
