"""What every use case works with: the ports, chosen once by `bootstrap`."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from random import Random
from urllib.parse import urlsplit

from trainbell.domain.addresses import EMBEDDED, Reach
from trainbell.domain.ids import new_job_id
from trainbell.domain.job import Job
from trainbell.domain.polling import Pace
from trainbell.ports import (
    ChannelCatalog,
    Clock,
    ProviderCatalog,
    Scheduler,
    SecretVault,
    Store,
    Watchers,
)
from trainbell.use_cases.ground.histories import Histories

log = logging.getLogger("trainbell")


@dataclass(frozen=True, kw_only=True)
class Services:
    """`page_url` is where people read about a job (`{page_url}/v1/jobs/{id}`), if anywhere.
    `reach`: to which addresses calls of services may go."""

    store: Store
    providers: ProviderCatalog
    channels: ChannelCatalog
    watchers: Watchers
    scheduler: Scheduler
    secrets: SecretVault
    clock: Clock
    random: Random
    page_url: str | None = None
    engine: str = "embedded"
    reach: Reach = EMBEDDED
    histories: Histories = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "histories", Histories(self.store))

    def new_job_id(self) -> str:
        return new_job_id(self.clock.now(), self.random.getrandbits)

    def pace(self, job: Job, now: datetime) -> Pace:
        """What the polling policy knows besides the job, with a fresh random number."""
        return Pace(history=self.histories.of(job, now), chance=self.random.random())

    def job_url(self, job_id: str) -> str | None:
        return f"{self.page_url}/v1/jobs/{job_id}" if self.page_url else None

    def told_url(self, job_id: str) -> str | None:
        """For a message, which is read anywhere: None where only this machine could open it."""
        return self.job_url(job_id) if _is_reachable(self.page_url) else None


def _is_reachable(url: str | None) -> bool:
    host = (urlsplit(url or "").hostname or "localhost").rstrip(".")
    try:
        address = ip_address(host)
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")
    return not (address.is_loopback or address.is_unspecified)
