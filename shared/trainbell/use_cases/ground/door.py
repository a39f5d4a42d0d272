"""The one door to a service: every call passes here, whoever makes it and for what.

1. A place in the connection's rate budget, unless the caller brings one; none is free: `Later`.
2. The call, in a scope that counts each request it sends and gives all of them one deadline.
   Requests beyond the first take their places after the fact: the next call waits for them.
3. A service that asks for silence gets it from all of the connection's callers.
4. What went wrong, as data.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from trainbell.domain.failure import Failure
from trainbell.domain.job import Job
from trainbell.domain.lifecycle import WatchRules
from trainbell.domain.rate_budget import longest_silence, place_is_good
from trainbell.domain.settings import Connection
from trainbell.domain.starting import Settling
from trainbell.errors import NotFound, ProviderThrottled, StoreError
from trainbell.ports import Provider, ProviderSpec
from trainbell.ports.call_scope import CallScope, within
from trainbell.use_cases.ground.failures import failure_of
from trainbell.use_cases.ground.find_connection import find_connection
from trainbell.use_cases.ground.services import Services, log

Value = TypeVar("Value")

OPERATION_SECONDS = 40.0
"""For one operation with all its requests. Less than a start's lease, so that who sends a start
has its answer, or knows that there is none, before anybody else looks it up; and so much less than
a function's time that what came of it is stored, too (tests/infra)."""

ANSWER_SECONDS = 20.0
"""For one whose answer somebody waits for: a gateway cuts the waiting off after 30 s."""


@dataclass(frozen=True, slots=True)
class Later:
    """The connection's rate budget has no place before `at`; nothing was sent."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Door:
    """How one connection's service is reached."""

    services: Services
    connection: Connection
    spec: ProviderSpec

    @property
    def calls_per_minute(self) -> float | None:
        return self.connection.calls_per_minute or self.spec.calls_per_minute

    @property
    def settling(self) -> Settling:
        return self.spec.settling(self.connection)

    def rules(self, kind: str) -> WatchRules:
        return WatchRules(self.spec.cancels(kind), self.spec.missing_grace_seconds)

    def ask(
        self, what: Callable[[Provider], Value], *, place: datetime | None = None
    ) -> Value | Later | Failure:
        """Make a call; what goes wrong comes back as data. `place`: one reserved earlier.

        Raises:
            StoreError: the budget could not be read or written; nothing was sent.
        """
        later = self.later(place)
        return later if later is not None else self.ask_at_once(what)

    def later(self, place: datetime | None = None) -> Later | None:
        """None where a call may be made now; a place is taken for it, unless one is brought."""
        budget, now = self.calls_per_minute, self.services.clock.now()
        if budget is None or place_is_good(place, now):
            return None
        at = self.services.store.reserve_call(self.connection.name, budget, now)
        return None if at <= now else Later(at)

    def trouble(self) -> Failure | None:
        """Why no call can be made: its secret or settings cannot be had."""
        begun_at = self.services.clock.now()
        try:
            with self.services.providers.lease(self.connection):
                return None
        except Exception as error:  # noqa: BLE001 - a plugin that cannot be built is as good as gone
            return failure_of(error, begun_at)

    def ask_at_once(self, what: Callable[[Provider], Value]) -> Value | Failure:
        """Make the call for which `later` has just found a place."""
        begun_at = self.services.clock.now()
        try:
            return self._within_scope(what)
        except Exception as error:  # noqa: BLE001 - whatever a provider does is one call's failure
            failure = failure_of(error, begun_at)
        self._keep_silence(failure)
        return failure

    def call(self, what: Callable[[Provider], Value]) -> Value:
        """Make a call for somebody who waits for its answer.

        Raises:
            ProviderThrottled: the budget has no place now; it says when.
            ProviderError, ConfigInvalid: what the provider raises.
            StoreError: as `ask`.
        """
        later = self.later()
        if later is not None:
            raise ProviderThrottled(
                f"the rate budget of connection {self.connection.name} is used up for now",
                retry_after_seconds=(later.at - self.services.clock.now()).total_seconds(),
            )
        begun_at = self.services.clock.now()
        try:
            return self._within_scope(what, ANSWER_SECONDS)
        except Exception as error:
            self._keep_silence(failure_of(error, begun_at))
            raise

    def _within_scope(
        self, what: Callable[[Provider], Value], seconds: float = OPERATION_SECONDS
    ) -> Value:
        ends_at = time.monotonic() + seconds
        requests = 0

        def count() -> None:
            nonlocal requests
            requests += 1
            if requests > 1:
                self._take_place()

        scope = CallScope(count, lambda: max(0.0, ends_at - time.monotonic()), self.services.reach)
        with self.services.providers.lease(self.connection) as client:
            return within(scope, lambda: what(client))

    def _take_place(self) -> None:
        """For a request that cannot wait: its operation has begun."""
        if self.calls_per_minute is None:
            return
        try:
            self.services.store.reserve_call(
                self.connection.name, self.calls_per_minute, self.services.clock.now()
            )
        except StoreError:
            log.exception("a request to connection %s is not counted", self.connection.name)

    def _keep_silence(self, failure: Failure) -> None:
        """A service that throttles one caller is left alone by all of that connection."""
        wish = longest_silence(failure)
        if wish is None or self.calls_per_minute is None:
            return
        until = self.services.clock.now() + timedelta(seconds=wish)
        try:
            self.services.store.hold_calls(self.connection.name, until)
        except StoreError:
            log.exception(
                "connection %s asked for silence, which is not kept", self.connection.name
            )


def door_to(services: Services, connection: Connection) -> Door:
    """Raises NotFound where there is no such provider."""
    return Door(services, connection, services.providers.spec(connection.provider))


def door_of(services: Services, job: Job) -> Door:
    """The door to a job's service.

    Raises NotFound where the connection is gone, or leads to another provider.
    """
    order = job.order
    connection = find_connection(services, order.connection)
    if connection.provider != order.provider:
        raise NotFound(
            f"connection {order.connection} is now of provider {connection.provider}, "
            f"but this job is at {order.provider}: restore it, or the job cannot be watched"
        )
    return door_to(services, connection)


def try_door(services: Services, job: Job) -> Door | Failure:
    """The door to a job's service, or why there is none: a wrong setting never ends a job.

    Raises:
        StoreError: the store failed.
    """
    at = services.clock.now()
    try:
        return door_of(services, job)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - a plugin that cannot be built is as good as gone
        return failure_of(error, at)
