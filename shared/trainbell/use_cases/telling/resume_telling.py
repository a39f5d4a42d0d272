"""After a restart of the only process nobody is telling anything: what was claimed is due again."""

from __future__ import annotations

from datetime import timedelta

from trainbell.domain.rewinding import rewound_entry
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.telling.publish_changes import LEASE_SECONDS

ENTRIES_AT_MOST = 100_000
FAR = timedelta(days=3650)


def resume_telling(services: Services) -> int:
    """Give back every claim, so that what a killed process was telling need not wait for the end
    of its lease. Only for an engine that is the only one on its store.

    Returns how many entries there were. Those that wait for another try keep their time, unless a
    clock that was ahead has set it.
    """
    now = services.clock.now()
    # A lease counts from the time of the claim. Should this process die here, too, what it has not
    # given back is due when a lease from now ends, and not in ten years.
    lease_seconds = LEASE_SECONDS - FAR.total_seconds()
    entries = services.store.claim_outbox(now + FAR, lease_seconds, ENTRIES_AT_MOST)
    for entry in entries:
        services.store.settle_outbox(entry, replaced_by=[rewound_entry(entry, now)])
    return len(entries)
