"""What a service gives as its id of a job, and no store could keep: said, and never half kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.builders import FakeClock, a_caller
from tests.toy_service import (
    NoSecrets,
    ToyProvider,
    ToyProviders,
    ToyService,
    a_trainbell,
    toy_spec,
)
from trainbell.domain.job import Job, State
from trainbell.domain.settings import Connection
from trainbell.extensions.bound_secret import BoundSecret
from trainbell.ports import Found, Handle, Provider, StartOrder
from trainbell.providers.redacted import KnownSecrets, RedactedProvider
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.request_job import request_job

UNFIT: dict[str, Any] = {
    "a megabyte": "h" * 1_000_000,
    "bytes": b"t1",
    "no number": float("nan"),
    "half a character": "t1\ud800",
}


@dataclass
class Oversharing(ToyProvider):
    """Gives more than an id; `fit` gives none of it."""

    more: Any = None
    fit: bool = False

    def start(self, order: StartOrder) -> Handle:
        return {**super().start(order), "more": self.more}

    def find(self, order: StartOrder) -> Found | None:
        found = super().find(order)
        return {**found, "more": self.more} if isinstance(found, dict) and not self.fit else found


@dataclass
class Behind(ToyProviders):
    """The one provider behind the door of all (`providers.redacted`)."""

    inner: Oversharing = field(kw_only=True)

    @contextmanager
    def lease(self, connection: Connection) -> Iterator[Provider]:
        nothing = BoundSecret(NoSecrets(), None, self.toy.secret_use(connection))
        yield RedactedProvider(self.inner, KnownSecrets(nothing))


@pytest.mark.parametrize("more", UNFIT.values(), ids=list(UNFIT))
def test_the_start_stays_unclear_says_why_and_is_never_repeated(
    store: SqliteStore, more: Any
) -> None:
    clock = FakeClock()
    service = ToyService(clock)
    provider = Oversharing(service, more=more)
    services = a_trainbell(
        store, service, providers=Behind(service, toy_spec(service), inner=provider)
    )
    job_id = request_job(services, {"provider": "toy"}, by=a_caller())[0].id

    def advanced() -> Job:
        outcome = advance_job(services, job_id)
        clock.advance(outcome.wait_seconds or 0)
        return outcome.job

    for _ in range(20):
        job = advanced()
        assert (job.state, job.handle) == (State.STARTING, None)
        assert "the service's id of the job" in (
            job.watch.last_error.message if job.watch.last_error else ""
        )
    assert len(service.trainings) == 1

    provider.fit = True
    service.set_all("completed")
    assert [advanced().state for _ in range(2)][-1] is State.SUCCEEDED
    assert len(service.trainings) == 1
