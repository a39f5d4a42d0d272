"""Whether this installation's jobs have moved to another one, so that nothing is begun here."""

from __future__ import annotations

from trainbell.domain.settings import Departure
from trainbell.errors import Conflict
from trainbell.use_cases.ground.services import Services

NAME = "departure"


def departure(services: Services) -> Departure | None:
    return services.store.get_config(Departure, NAME)


def require_present(services: Services) -> None:
    """Raises Conflict: nothing is to be started or changed here."""
    gone = departure(services)
    if gone is not None:
        raise Conflict(
            f"this Trainbell's jobs have moved to another one (since {gone.begun_at:%Y-%m-%d %H:%M}"
            f" UTC, by {gone.by}): go there, or take them back with `trainbell export --take-back`"
        )
