"""Promise 4, told at least once: whatever breaks, and whenever the process dies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import FakeClock, a_running_job
from tests.contract.spoiling import spoil_setting
from tests.contract.store_factories import Place
from tests.toy_service import ToyChannels, ToyService, a_trainbell
from trainbell.domain.events import EventType
from trainbell.domain.job import EndReason, Job
from trainbell.domain.outbox import GIVE_UP_AFTER, DeliveryState
from trainbell.domain.recording import Recorder
from trainbell.domain.settings import ChannelConfig
from trainbell.errors import ConfigInvalid, Conflict, NotifyRejected, NotifyUnavailable
from trainbell.ports import Channel, Notice, Store
from trainbell.use_cases.ground.deliveries import what_is_refused
from trainbell.use_cases.ground.recording import change_of
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.forget_job import forget_job
from trainbell.use_cases.settings.configure_channels import put_channel, try_channel
from trainbell.use_cases.telling.publish_changes import (
    LONGEST_ATTEMPT_SECONDS,
    SENDING_SECONDS,
    PublishReport,
    publish_changes,
)
from trainbell.use_cases.telling.redeliver import redeliver


class Killed(BaseException):
    """The process is gone: nothing catches this."""


@dataclass
class Ear:
    """A channel that keeps what it was told; `on_send` may raise before, `after_send` after."""

    heard: list[Notice] = field(default_factory=list)
    on_send: Callable[[Notice], None] = lambda _: None
    after_send: Callable[[Notice], None] = lambda _: None

    def send(self, notice: Notice) -> None:
        self.on_send(notice)
        self.heard.append(notice)
        self.after_send(notice)

    def close(self) -> None:
        pass

    @property
    def ids(self) -> list[str]:
        return [notice.id for notice in self.heard]


class Ears(ToyChannels):
    """A catalog in which each channel, by its name, is an ear of its own."""

    def __init__(self) -> None:
        super().__init__(installed=())
        self.ears: dict[str, Ear] = {}

    @contextmanager
    def lease(self, config: ChannelConfig) -> Iterator[Channel]:
        yield self.ears.setdefault(config.name, Ear())


@pytest.fixture
def store(place: Place) -> Store:
    return place()


@dataclass
class Bell:
    services: Services
    clock: FakeClock
    ears: Ears

    def ear(self, name: str, **settings: Any) -> Ear:
        self.services.store.put_config(ChannelConfig(name=name, kind="collect", **settings))
        return self.ears.ears.setdefault(name, Ear())

    def an_end(self, number: int = 1, project: str = "default") -> Job:
        """A job that ends now, with its announcement in the outbox."""
        job = a_running_job(id=f"01job{number:021d}", project=project)
        stored, _ = self.services.store.create(change_of(Recorder(job, self.clock.now()).decide()))
        record = Recorder(stored, self.clock.now())
        record.end(EndReason.COMPLETED, self.clock.now())
        return self.services.store.save(change_of(record.decide()))

    def deliveries(self, job: Job) -> dict[str, tuple[DeliveryState, int, str | None]]:
        found = self.services.store.deliveries(job.id)
        return {d.channel or "": (d.state, d.attempts, d.last_error) for d in found}

    def publish(self, **options: Any) -> PublishReport:
        return publish_changes(self.services, **options)


@pytest.fixture
def bell(store: Store) -> Bell:
    clock, ears = FakeClock(), Ears()
    service = ToyService(clock)
    page = "https://trainbell.example"
    services = a_trainbell(store, service, channels=ears, page_url=page)
    return Bell(services, clock, ears)


def down(_: Notice) -> None:
    raise NotifyUnavailable("down")


def test_every_channel_that_wants_it_is_told_once(bell: Bell) -> None:
    all_ends, mine = bell.ear("all"), bell.ear("mine", project="vision")
    starts = bell.ear("starts", events=(EventType.JOB_STARTED,))
    vision, other = bell.an_end(1, "vision"), bell.an_end(2)
    assert bell.publish() == PublishReport(routed=2, delivered=3)
    assert bell.publish() == PublishReport()
    assert sorted(notice.job.id for notice in all_ends.heard) == [vision.id, other.id]
    assert mine.ids == [f"{vision.id}-000001:mine"]
    assert mine.heard[0].url == f"https://trainbell.example/v1/jobs/{vision.id}"
    assert starts.heard == []
    assert bell.deliveries(vision)["mine"] == (DeliveryState.DELIVERED, 1, None)


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("https://trainbell.example", True),
        ("http://192.0.2.7:8765", True),
        ("http://127.0.0.1:8765", False),
        ("http://[::1]:8765", False),
        ("http://localhost:8765", False),
        (None, False),
    ],
)
def test_a_link_that_nobody_else_could_open_is_left_out(
    bell: Bell, page: str | None, shown: bool
) -> None:
    bell.services = replace(bell.services, page_url=page)
    ear, job = bell.ear("team"), bell.an_end()
    bell.publish()
    assert ear.heard[0].url == (f"{page}/v1/jobs/{job.id}" if shown else None)


def test_without_any_channel_an_end_is_settled_and_gone(bell: Bell) -> None:
    bell.an_end()
    assert bell.publish() == PublishReport(routed=1)
    assert bell.services.store.next_outbox_due_at() is None


def test_a_channel_that_is_down_is_told_later_and_the_record_says_why(bell: Bell) -> None:
    ear = bell.ear("team")
    ear.on_send = down
    job = bell.an_end()
    assert bell.publish() == PublishReport(routed=1, postponed=1)
    assert bell.deliveries(job)["team"] == (DeliveryState.PENDING, 1, "down")
    assert bell.publish() == PublishReport()
    bell.clock.advance(5)
    assert bell.publish() == PublishReport(postponed=1)
    ear.on_send = lambda _: None
    bell.clock.advance(9.9)
    assert bell.publish() == PublishReport()
    bell.clock.advance(0.1)
    assert bell.publish() == PublishReport(delivered=1)
    assert bell.deliveries(job)["team"] == (DeliveryState.DELIVERED, 3, None)


def test_what_stays_down_is_given_up_after_three_days(bell: Bell) -> None:
    bell.ear("team").on_send = down
    job = bell.an_end()
    bell.publish()
    bell.clock.advance(GIVE_UP_AFTER.total_seconds())
    assert bell.publish() == PublishReport(given_up=1, routed=1)  # That it was given up.
    assert bell.deliveries(job)["team"] == (DeliveryState.GIVEN_UP, 2, "down")


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (NotifyRejected("no_service"), DeliveryState.PENDING, "no_service"),
        (ConfigInvalid("no secret env:X"), DeliveryState.PENDING, "no secret env:X"),
        (ValueError("hunter2"), DeliveryState.PENDING, "the channel broke: ValueError in fail"),
    ],
)
def test_what_a_channel_raises_stays_with_its_delivery(
    bell: Bell, error: Exception, state: DeliveryState, words: str
) -> None:
    def fail(_: Notice) -> None:
        raise error

    bell.ear("broken").on_send = fail
    fine = bell.ear("fine")
    job = bell.an_end()
    bell.publish()
    assert len(fine.heard) == 1
    seen, attempts, last_error = bell.deliveries(job)["broken"]
    assert (seen, attempts) == (state, 1)
    assert last_error is not None
    assert words in last_error
    assert "hunter2" not in last_error


def refuse(_: Notice) -> None:
    raise NotifyRejected("404 no_team")


def events_of(bell: Bell, job: Job) -> list[EventType]:
    return [each.type for each in bell.services.store.events(job.id, limit=100).items]


def test_one_refusal_gives_nothing_up_and_a_mended_channel_is_told_at_once(bell: Bell) -> None:
    ear = bell.ear("team")
    ear.on_send = refuse
    job = bell.an_end()
    bell.publish()
    bell.clock.advance(3600)
    bell.publish()
    marked = what_is_refused(bell.services, "team")
    assert marked is not None
    assert (marked.last_error, marked.state) == ("404 no_team", DeliveryState.PENDING)
    ear.on_send = lambda _: None
    put_channel(bell.services, "team", {"kind": "collect"})
    assert bell.publish() == PublishReport(delivered=1)
    assert what_is_refused(bell.services, "team") is None
    assert bell.deliveries(job)["team"][0] is DeliveryState.DELIVERED


def test_a_channel_test_that_works_brings_forward_what_waits(bell: Bell) -> None:
    ear = bell.ear("team")
    ear.on_send = down
    bell.an_end()
    for _ in range(6):
        bell.publish()
        bell.clock.advance(3600)
    ear.on_send = lambda _: None
    bell.publish()
    bell.an_end(2)
    ear.on_send = down
    bell.publish()
    ear.on_send = lambda _: None
    try_channel(bell.services, "team")
    assert bell.publish().delivered == 1


def test_giving_up_is_an_event_that_other_channels_are_told(bell: Bell) -> None:
    bell.ear("broken", events=(EventType.JOB_FINISHED, EventType.DELIVERY_GIVEN_UP)).on_send = down
    watch = bell.ear("watch", events=(EventType.DELIVERY_GIVEN_UP,))
    job = bell.an_end()
    bell.publish()
    bell.clock.advance(GIVE_UP_AFTER.total_seconds())
    bell.publish()
    bell.publish()
    (told,) = watch.heard
    assert told.event.data["channel"] == "broken"
    assert told.event.data["event_id"] == f"{job.id}-000001"
    assert events_of(bell, job).count(EventType.DELIVERY_GIVEN_UP) == 1


def test_what_was_given_up_is_told_again_on_request_with_the_same_id(bell: Bell) -> None:
    ear = bell.ear("team")
    ear.on_send = down
    job = bell.an_end()
    bell.publish()
    bell.clock.advance(GIVE_UP_AFTER.total_seconds())
    bell.publish()
    ear.on_send = lambda _: None
    (again,) = redeliver(bell.services, job.id)
    assert bell.publish().delivered == 1
    assert ear.ids == [again.id]
    with pytest.raises(Conflict, match="name a channel to repeat"):
        redeliver(bell.services, job.id)
    redeliver(bell.services, job.id, channel="team")
    bell.publish()
    assert ear.ids == [again.id, again.id]


def test_a_job_whose_end_is_untold_is_not_forgotten(bell: Bell) -> None:
    ear = bell.ear("team")
    ear.on_send = down
    job = bell.an_end()
    for _ in range(2):
        with pytest.raises(Conflict, match="still to be told"):
            forget_job(bell.services, job.id)
        bell.publish()
    ear.on_send = lambda _: None
    bell.clock.advance(5)
    bell.publish()
    forget_job(bell.services, job.id)


def test_a_channel_that_hangs_delays_no_other(bell: Bell) -> None:
    told_by_other = threading.Event()
    waited: list[bool] = []
    # The slow one can end only after the other was told: in one lane they would lock.
    bell.ear("a-slow").on_send = lambda _: waited.append(told_by_other.wait(10))
    bell.ear("b-fast").after_send = lambda _: told_by_other.set()
    bell.an_end()
    assert bell.publish().delivered == 2
    assert waited == [True]


def test_a_channel_that_is_down_twice_rests_for_the_remainder_of_the_call(bell: Bell) -> None:
    attempts: list[str] = []

    def count_and_fail(notice: Notice) -> None:
        attempts.append(notice.id)
        raise NotifyUnavailable("down")

    bell.ear("team").on_send = count_and_fail
    jobs = [bell.an_end(number) for number in range(1, 8)]
    assert bell.publish() == PublishReport(routed=7, postponed=7)
    assert len(attempts) == 2
    assert {bell.deliveries(job)["team"][2] for job in jobs} == {"down"}


def test_one_message_that_cannot_be_digested_holds_up_no_other(bell: Bell) -> None:
    poison = bell.an_end(1)

    def choke(notice: Notice) -> None:
        if notice.job.id == poison.id:
            raise NotifyUnavailable("500")

    ear = bell.ear("team")
    ear.on_send = choke
    others = [bell.an_end(number) for number in range(2, 6)]
    assert bell.publish() == PublishReport(routed=5, delivered=4, postponed=1)
    # All of one moment, in which no store promises an order.
    assert sorted(notice.job.id for notice in ear.heard) == [job.id for job in others]


def test_silence_asked_for_is_kept(bell: Bell) -> None:
    def throttle(_: Notice) -> None:
        raise NotifyUnavailable("too many", retry_after_seconds=90)

    bell.ear("team").on_send = throttle
    bell.an_end(1)
    bell.an_end(2)
    bell.publish()
    due = bell.services.store.next_outbox_due_at()
    assert due == bell.clock.now() + timedelta(seconds=90)


def test_work_is_bounded_and_says_that_there_is_more(bell: Bell) -> None:
    ear = bell.ear("team")
    for number in range(1, 6):
        bell.an_end(number)
    assert bell.publish(limit=4).more_due
    while bell.publish(limit=4).more_due:
        pass
    assert len(set(ear.ids)) == len(ear.ids) == 5


def test_a_call_ends_in_time_though_more_keeps_coming(bell: Bell) -> None:
    """A function is stopped after a minute, whatever it is at."""
    ear = bell.ear("team")
    begun = bell.clock.now()

    def another(_: Notice) -> None:
        bell.clock.advance(20)
        if len(ear.heard) < 8:
            bell.an_end(len(ear.heard) + 1)

    ear.after_send = another
    bell.an_end()
    assert bell.publish().more_due
    assert (bell.clock.now() - begun).total_seconds() <= SENDING_SECONDS + LONGEST_ATTEMPT_SECONDS
    while bell.publish().more_due:
        pass
    assert len(set(ear.ids)) == len(ear.ids) == 8


def test_a_channel_that_is_gone_is_given_up_with_the_reason(bell: Bell) -> None:
    bell.ear("team").on_send = down
    job = bell.an_end()
    bell.publish()
    bell.services.store.delete_config(ChannelConfig, "team")
    bell.clock.advance(5)
    assert bell.publish() == PublishReport(given_up=1, routed=1)
    words = "channel team no longer exists"
    assert bell.deliveries(job)["team"] == (DeliveryState.GIVEN_UP, 2, words)


def test_an_attempt_ends_well_within_its_claim_or_is_not_begun(bell: Bell) -> None:
    """A slow channel leaves the rest to the next call, rather than to two calls at once."""
    ear = bell.ear("slow")

    def take_long(_: Notice) -> None:
        bell.clock.advance(20)

    ear.after_send = take_long
    for number in range(1, 5):
        bell.an_end(number)
    assert bell.publish().delivered == 2
    bell.clock.advance(60)
    assert bell.publish().delivered == 2
    assert len(set(ear.ids)) == len(ear.ids) == 4


# ---------------------------------------------------------------- the process dies


class DyingStore:
    """A real store whose process dies at the n-th claim or settlement, before or after it."""

    def __init__(self, store: Store, dies_at: int, *, after: bool) -> None:
        self._store, self._dies_at, self._after = store, dies_at, after
        self.writes = 0
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        return self._dying(method) if name in ("claim_outbox", "settle_outbox") else method

    def _dying(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            with self._lock:
                self.writes += 1
                number = self.writes
            if number == self._dies_at and not self._after:
                raise Killed
            result = method(*args, **options)
            if number == self._dies_at:
                raise Killed
            return result

        return call


STEPS = 6  # Claim, route, claim, two settlements, and the claim that finds nothing.


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_killed_at_any_step_it_is_told_by_the_next_process(
    bell: Bell, store: Store, step: int, after: bool
) -> None:
    ears = [bell.ear("one"), bell.ear("two")]
    job = bell.an_end()
    dying: Any = DyingStore(store, step, after=after)
    service = ToyService(bell.clock)
    with pytest.raises(Killed):
        publish_changes(a_trainbell(dying, service, channels=bell.ears))
    bell.clock.advance(60)
    bell.publish()
    for ear in ears:
        assert 1 <= len(ear.heard) <= 2
        assert len(set(ear.ids)) == 1, "a repeat has the same id"
    assert {state for state, _, _ in bell.deliveries(job).values()} == {DeliveryState.DELIVERED}
    assert store.next_outbox_due_at() is None


def test_no_step_is_left_out(bell: Bell, store: Store) -> None:
    bell.ear("one")
    bell.ear("two")
    bell.an_end()
    counting: Any = DyingStore(store, 0, after=False)
    publish_changes(a_trainbell(counting, ToyService(bell.clock), channels=bell.ears))
    assert counting.writes == STEPS


def test_a_late_outcome_does_not_overwrite_that_of_a_later_claim(bell: Bell, store: Store) -> None:
    ear = bell.ear("team")
    job = bell.an_end()

    def overtaken(_: Notice) -> None:
        ear.on_send = lambda _: None
        bell.clock.advance(61)
        assert bell.publish().delivered == 1
        raise NotifyUnavailable("down")

    ear.on_send = overtaken
    assert bell.publish() == PublishReport(routed=1)
    assert bell.deliveries(job)["team"] == (DeliveryState.DELIVERED, 1, None)


@pytest.mark.parametrize(
    ("events", "heard"), [((EventType.JOB_FINISHED,), 1), ((EventType.JOB_STARTED,), 0)]
)
def test_an_end_waits_for_a_channel_whose_settings_cannot_be_read(
    bell: Bell, store: Store, events: tuple[EventType, ...], heard: int
) -> None:
    ear = bell.ear("team")
    spoil_setting(store, ChannelConfig, "team")
    job = bell.an_end()
    bell.publish()
    assert bell.deliveries(job)["team"][0] is DeliveryState.PENDING
    bell.ear("team", events=events)
    bell.clock.advance(60)
    bell.publish()
    assert len(ear.heard) == heard
    assert bell.deliveries(job)["team"][0] is DeliveryState.DELIVERED
