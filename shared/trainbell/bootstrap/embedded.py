"""One machine: SQLite, secrets of the machine, one process for everything."""

from __future__ import annotations

from pathlib import Path
from random import SystemRandom

from trainbell.channels.catalog import FoundChannels
from trainbell.clock import SystemClock
from trainbell.ports import Clock, Scheduler, Watchers
from trainbell.providers.catalog import Catalog
from trainbell.secret_sources import MachineSecrets
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground.services import Services

DATABASE = "trainbell.sqlite3"


def embedded_services(
    data_dir: Path,
    watchers: Watchers,
    scheduler: Scheduler,
    *,
    page_url: str | None = None,
    clock: Clock | None = None,
) -> Services:
    """One machine: SQLite in `data_dir`, secrets from the environment and files.

    Raises:
        StoreTooNew, StoreFull, StoreUnavailable: the database cannot be used; says what to do.
    """
    clock = clock or SystemClock()
    secrets = MachineSecrets(data_dir)
    return Services(
        store=SqliteStore(data_dir / DATABASE),
        providers=Catalog(secrets, clock, data_dir=str(data_dir)),
        # One owner, one machine: a receiver of one's own may stand beside Trainbell.
        channels=FoundChannels(secrets, clock, allow_loopback=True),
        watchers=watchers,
        scheduler=scheduler,
        secrets=secrets,
        clock=clock,
        random=SystemRandom(),
        page_url=page_url,
        engine="embedded",
    )
