"""What any channel must keep, whatever it tells."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Barrier, Thread
from typing import Any

import pytest

from trainbell.conformance.notices import (
    SECRET,
    a_notice,
    the_largest,
    the_oddest,
    with_type,
)
from trainbell.conformance.sources import sleeps_in
from trainbell.domain.events import ANNOUNCED
from trainbell.errors import NotifyError, NotifyRejected, NotifyUnavailable
from trainbell.ports import Channel, ChannelSpec

MAX_ERROR = 1000
SENDERS = 8
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class ChannelSubject:
    """The channel under test, and what the suite must be able to do beside it.

    `channel` tells a receiver that is up and empty; `another()` makes a further one to the same
    receiver. `received()` gives what was taken since it was asked last, as texts. `down()` makes
    the next send fail as what passes by itself does, `refuse()` as what a person must mend, both
    once. `throttle(seconds)` answers the next one "too many, again in so many seconds"; None where
    the receiver has no such answer. `id_in(text)` reads the delivery's or the event's id out of a
    received text; None where the receiver shows only words to people. `secrets` are what no error
    may show. `package`: where the channel's modules are. `bytes_at_most`: of one message.
    """

    spec: ChannelSpec
    channel: Channel
    another: Callable[[], Channel]
    received: Callable[[], Sequence[str]]
    down: Callable[[], None]
    refuse: Callable[[], None]
    package: str
    throttle: Callable[[int], None] | None = None
    id_in: Callable[[str], str] | None = None
    secrets: Sequence[str] = ()
    bytes_at_most: int = 256 * 1024


class ChannelConformance:
    """Derive from it and define the fixture `subject`, giving a fresh `ChannelSubject` each."""

    @pytest.fixture
    def subject(self) -> Any:
        raise NotImplementedError("the fixture `subject` gives the channel to test")

    # ---------------------------------------- declared

    def test_its_spec_is_complete(self, subject: ChannelSubject) -> None:
        spec = subject.spec
        assert re.fullmatch(r"[a-z][a-z0-9_]*", spec.name)
        assert spec.title
        assert spec.needs_target or spec.target_pattern is None
        re.compile(spec.target_pattern or "")
        if spec.options is not None:
            assert spec.options.model_json_schema()["additionalProperties"] is False

    def test_it_never_sleeps(self, subject: ChannelSubject) -> None:
        assert sleeps_in(subject.package) == []

    # ---------------------------------------- told

    def test_it_tells_what_happened(self, subject: ChannelSubject) -> None:
        subject.channel.send(a_notice())
        (text,) = subject.received()
        assert "nightly faces" in text
        assert "succeeded" in text

    @pytest.mark.parametrize("event", sorted(ANNOUNCED))
    def test_it_can_tell_every_event_that_is_announced(
        self, subject: ChannelSubject, event: Any
    ) -> None:
        subject.channel.send(with_type(a_notice(), event))
        assert len(subject.received()) == 1

    def test_a_repeat_has_the_same_id_and_another_event_another(
        self, subject: ChannelSubject
    ) -> None:
        if subject.id_in is None:
            pytest.skip("its receiver shows words to people, and no id to machines")
        for sequence in (7, 7, 8):
            subject.channel.send(a_notice(sequence))
        first, again, other = sorted(subject.id_in(text) for text in subject.received())
        assert first == again
        assert first in (a_notice(7).id, a_notice(7).event.id)
        assert other in (a_notice(8).id, a_notice(8).event.id)

    def test_concurrent_sends_each_arrive_once(self, subject: ChannelSubject) -> None:
        together, faults = Barrier(SENDERS), []

        def send(number: int) -> None:
            try:
                together.wait(PATIENCE_SECONDS)
                subject.channel.send(a_notice(number, name=f"job number {number} of them"))
            except Exception as exc:  # noqa: BLE001 - whatever it is, the test shows it
                faults.append(exc)

        threads = [Thread(target=send, args=(number,)) for number in range(1, SENDERS + 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == []
        texts = subject.received()
        assert len(texts) == SENDERS
        for number in range(1, SENDERS + 1):
            assert sum(f"job number {number} of them" in text for text in texts) == 1

    # ---------------------------------------- bounded

    def test_the_largest_job_is_told_within_bounds(self, subject: ChannelSubject) -> None:
        subject.channel.send(the_largest())
        (text,) = subject.received()
        assert len(text.encode()) <= subject.bytes_at_most
        assert "accuracy" in text

    def test_the_oddest_texts_are_told(self, subject: ChannelSubject) -> None:
        subject.channel.send(the_oddest())
        (text,) = subject.received()
        assert "failed" in text

    # ---------------------------------------- refused

    def test_what_passes_by_itself_is_unavailable_and_then_works(
        self, subject: ChannelSubject
    ) -> None:
        subject.down()
        with pytest.raises(NotifyUnavailable) as raised:
            subject.channel.send(a_notice())
        _is_bounded_and_clean(raised.value, subject)
        assert list(subject.received()) == []
        subject.channel.send(a_notice())
        assert len(subject.received()) == 1

    def test_what_asks_for_a_person_is_rejected(self, subject: ChannelSubject) -> None:
        subject.refuse()
        with pytest.raises(NotifyRejected) as raised:
            subject.channel.send(a_notice())
        _is_bounded_and_clean(raised.value, subject)
        assert list(subject.received()) == []

    def test_throttling_carries_the_receivers_wish(self, subject: ChannelSubject) -> None:
        if subject.throttle is None:
            pytest.skip("its receiver names no time to come again")
        subject.throttle(17)
        with pytest.raises(NotifyUnavailable) as raised:
            subject.channel.send(a_notice())
        assert raised.value.retry_after_seconds == 17  # noqa: PLR2004
        _is_bounded_and_clean(raised.value, subject)

    # ---------------------------------------- secrets

    def test_no_secret_of_a_job_goes_out(self, subject: ChannelSubject) -> None:
        subject.channel.send(a_notice(message=f"used token={SECRET}"))
        (text,) = subject.received()
        assert SECRET not in text

    # ---------------------------------------- closed

    def test_it_may_be_closed_twice_and_unused(self, subject: ChannelSubject) -> None:
        unused, used = subject.another(), subject.another()
        used.send(a_notice())
        assert len(subject.received()) == 1
        for channel in (unused, used):
            channel.close()
            channel.close()


def _is_bounded_and_clean(error: NotifyError, subject: ChannelSubject) -> None:
    """All that a log could ever show of this error, its causes included."""
    assert len(str(error)) <= MAX_ERROR
    shown = "".join(traceback.format_exception(error)) + repr(vars(error))
    for secret in subject.secrets:
        assert secret not in shown
