"""Tells what is in the outbox: first to whom, then to each of them, until it is done.

Safe to call at any time, by any number of processes: an entry is claimed for `LEASE_SECONDS`, and
its outcome is stored only while that claim holds. A process that dies after a channel took the
message and before that is stored leads to a repeat with the same id, never to silence.
"""

from __future__ import annotations

import traceback
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from trainbell.domain.outbox import (
    DeliveryState,
    OutboxEntry,
    delivered,
    given_up,
    not_wanted,
    routed,
    to_retry,
)
from trainbell.domain.settings import ChannelConfig
from trainbell.errors import (
    NotFound,
    NotifyError,
    NotifyRejected,
    RecordUnreadable,
    TrainbellError,
)
from trainbell.ports import Notice
from trainbell.use_cases.ground.departure import departure
from trainbell.use_cases.ground.find_channels import all_channels, unreadable_channels
from trainbell.use_cases.ground.services import Services, log
from trainbell.use_cases.telling.giving_up import note_given_up

LEASE_SECONDS = 60.0
SENDING_SECONDS = 30.0
"""No new attempt after this long in a call: the last one must end, and be stored, within the lease
and within the time of the function that made the call."""

LONGEST_ATTEMPT_SECONDS = 20.0
"""What a channel may take at most (tests/infra)."""

LANES_AT_MOST = 8
CLAIMS_PER_CALL = 10
FAILURES_BEFORE_REST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReport:
    """What one call did. `more_due`: entries are waiting already, so call again at once.

    `routed`: events for which it was settled who is told. `postponed`: to be tried again later.
    """

    routed: int = 0
    delivered: int = 0
    postponed: int = 0
    given_up: int = 0
    more_due: bool = False


def publish_changes(services: Services, *, limit: int = 100) -> PublishReport:
    """Route and attempt due entries; at most `limit` of them, and in bounded time.

    1. Claim due entries, oldest first.
    2. An unrouted entry becomes one delivery for each channel that wants it.
    3. Deliveries are attempted, each channel in a lane of its own: one that hangs delays no other.
       A channel that is down twice in a row, or asks for silence, rests for the remainder of the
       call, and its deliveries wait like the one that failed. (Once is not enough: one message
       that its receiver cannot digest must not hold up those behind it.)

    Raises:
        StoreUnavailable, StoreFull: what was claimed comes back when its lease ends.
    """
    if departure(services) is not None:
        return PublishReport()  # Told where the jobs have gone.
    publication = _Publication(services)
    for _ in range(CLAIMS_PER_CALL):
        left = limit - publication.attempts
        if left <= 0 or publication.is_over:
            break
        entries = services.store.claim_outbox(services.clock.now(), LEASE_SECONDS, left)
        if not entries:
            break
        publication.take(entries)
    due_at = services.store.next_outbox_due_at()
    done = publication.done
    return PublishReport(
        routed=done["routed"],
        delivered=done[DeliveryState.DELIVERED],
        postponed=done[DeliveryState.PENDING],
        given_up=done[DeliveryState.GIVEN_UP],
        more_due=due_at is not None and due_at <= services.clock.now(),
    )


@dataclass(slots=True)
class _Line:
    """How one channel fares during a call."""

    failures_in_a_row: int = 0
    error: NotifyError | None = None

    @property
    def rests(self) -> bool:
        asked = self.error is not None and self.error.retry_after_seconds is not None
        return asked or self.failures_in_a_row >= FAILURES_BEFORE_REST

    def failed(self, error: NotifyError) -> None:
        self.failures_in_a_row += 1
        self.error = error

    def worked(self) -> None:
        self.failures_in_a_row = 0
        self.error = None


class _Publication:
    """One call's work: what was done, and how the channels fare."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lines: dict[str, _Line] = defaultdict(_Line)
        self._stop_at = services.clock.now() + timedelta(seconds=SENDING_SECONDS)
        self.done: Counter[str] = Counter()
        self.attempts = 0

    @property
    def is_over(self) -> bool:
        return self._services.clock.now() >= self._stop_at

    @cached_property
    def _channels(self) -> Mapping[str, ChannelConfig]:
        return {channel.name: channel for channel in all_channels(self._services)}

    @cached_property
    def _unreadable(self) -> frozenset[str]:
        return unreadable_channels(self._services)

    def take(self, entries: Sequence[OutboxEntry]) -> None:
        """Settle what was just claimed."""
        lanes: dict[str, list[OutboxEntry]] = {}
        for entry in entries:
            if entry.channel is None:
                self._route(entry)
            else:
                lanes.setdefault(entry.channel, []).append(entry)
        if not lanes:
            return
        with ThreadPoolExecutor(min(LANES_AT_MOST, len(lanes)), "publish") as pool:
            work = [
                pool.submit(self._send_all, lane, self._lines[channel])
                for channel, lane in lanes.items()
            ]
        for lane_work in work:
            done, attempts = lane_work.result()
            self.done += done
            self.attempts += attempts

    def _route(self, entry: OutboxEntry) -> None:
        now = self._services.clock.now()
        deliveries = [
            routed(entry, channel.name, now)
            for channel in self._channels.values()
            if _wants(channel, entry)
        ]
        # What these want is not known before they are put again.
        kept = [replace(routed(entry, name, now), is_kept=True) for name in self._unreadable]
        self.attempts += 1
        if self._services.store.settle_outbox(entry, replaced_by=[*deliveries, *kept]):
            self.done["routed"] += 1

    def _send_all(self, entries: Sequence[OutboxEntry], line: _Line) -> tuple[Counter[str], int]:
        """One channel's deliveries, the least often tried first. Those that there is no time for
        come back when their lease ends."""
        done: Counter[str] = Counter()
        attempts = 0
        for entry in sorted(entries, key=lambda entry: entry.attempts):
            if self.is_over:
                break
            now = self._services.clock.now()
            if line.rests and line.error is not None:
                outcome = _failed(entry, line.error, now)
            else:
                attempts += 1
                outcome = self._attempt(entry, line)
            if outcome.state is DeliveryState.GIVEN_UP:
                note_given_up(self._services, outcome)
            if self._services.store.settle_outbox(outcome):
                done[outcome.state] += 1
        return done, attempts

    def _attempt(self, entry: OutboxEntry, line: _Line) -> OutboxEntry:
        """Send it, and say what became of it. Whatever a channel raises stays with its delivery."""
        services = self._services
        channel = self._channels.get(entry.channel or "")
        if channel is None and entry.channel in self._unreadable:
            why = f"the settings of channel {entry.channel} cannot be read: put it again"
            return to_retry(entry, why, services.clock.now(), is_refused=True)
        if channel is None:
            gone = f"channel {entry.channel} no longer exists"
            return given_up(entry, gone, services.clock.now())
        try:
            job = services.store.get(entry.event.job_id)
        except NotFound:
            gone = "the job was deleted before this was told"
            return given_up(entry, gone, services.clock.now())
        except RecordUnreadable as exc:
            return to_retry(entry, str(exc), services.clock.now())
        if entry.is_kept and not _wants(channel, entry):
            return not_wanted(entry, services.clock.now())
        notice = Notice(id=entry.id, event=entry.event, job=job, url=services.told_url(job.id))
        return self._send(channel, notice, entry, line)

    def _send(
        self, channel: ChannelConfig, notice: Notice, entry: OutboxEntry, line: _Line
    ) -> OutboxEntry:
        services = self._services
        try:
            with services.channels.lease(channel) as client:
                client.send(notice)
        except NotifyError as exc:
            line.failed(exc)
            return _failed(entry, exc, services.clock.now())
        except TrainbellError as exc:
            # A setting is wrong, such as a secret that is not there: a person may mend it in time.
            return to_retry(entry, str(exc), services.clock.now(), is_refused=True)
        except Exception as exc:  # noqa: BLE001 - a channel's fault must not hold up the others
            return to_retry(entry, _fault(channel, exc), services.clock.now())
        line.worked()
        return delivered(entry, services.clock.now())


def _wants(channel: ChannelConfig, entry: OutboxEntry) -> bool:
    in_project = channel.project is None or channel.project == entry.project
    # A channel that cannot be told is not told that it cannot be told.
    itself = entry.event.data.get("channel") == channel.name
    return in_project and entry.event.type in channel.events and not itself


def _failed(entry: OutboxEntry, error: NotifyError, now: datetime) -> OutboxEntry:
    refused = isinstance(error, NotifyRejected)
    return to_retry(entry, str(error), now, error.retry_after_seconds, is_refused=refused)


def _fault(channel: ChannelConfig, exc: Exception) -> str:
    """Where a channel broke. Its message stays out: it may hold what the channel was sending."""
    frames = traceback.extract_tb(exc.__traceback__)
    where = "".join(traceback.format_list(frames))
    log.error("channel %s broke: %s\n%s", channel.name, type(exc).__name__, where)
    return f"the channel broke: {type(exc).__name__} in {frames[-1].name}, line {frames[-1].lineno}"
