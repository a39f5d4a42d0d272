"""Which providers there are, where one that is broken must not take the others with it."""

from __future__ import annotations

from collections.abc import Sequence

from trainbell.ports import ProviderSpec
from trainbell.use_cases.ground.services import Services, log


def all_providers(services: Services) -> Sequence[ProviderSpec]:
    """By name. One that cannot be loaded is logged and left out; asked for by name, it says why."""
    found = []
    for name in sorted(services.providers.names()):
        try:
            found.append(services.providers.spec(name))
        except Exception:
            log.exception("provider %s cannot be loaded", name)
    return found
