"""Whatever a service says, the job fits one item of DynamoDB (400 KB) and can be read again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import NOON, a_running_job
from trainbell.domain.failure import Failure, FailureKind
from trainbell.domain.job import EndReason, Job, Performance, State
from trainbell.domain.lifecycle import WatchRules, step
from trainbell.domain.observation import Observation
from trainbell.domain.polling import Pace
from trainbell.domain.size_bounds import HANDLE_BYTES_AT_MOST, bounded_text, handle_flaw
from trainbell.domain.starting import doubled
from trainbell.stores.codec import dump_event
from trainbell.stores.dynamodb.calls import item_size
from trainbell.stores.dynamodb.items import job_item, job_of

ITEM_BYTES = 400 * 1024
# Four bytes, four bytes, escaped to six, half a surrogate pair, quotes, and plain.
CHARACTERS = '\U0001f600\U00020000\x01\ud800"\\a'

texts = st.builds(
    lambda pattern, length: (pattern * (length // len(pattern) + 1))[:length],
    st.text(CHARACTERS, min_size=1, max_size=4),
    st.sampled_from([0, 1, 100, 5_000, 1_000_000]),
)
names = st.builds(
    lambda pattern, length: (pattern * length)[:length],
    st.text(CHARACTERS, min_size=1, max_size=3),
    st.sampled_from([1, 40, 300]),
)
numbers = st.sampled_from([0.5, 1e300, 1 / 3, float("nan"), float("inf"), 10**400, -7])


def many(prefix: str, count: int, value: Any) -> dict[str, Any]:
    return {f"{number:05d}{prefix}": value for number in range(count)}


performances = st.builds(
    lambda name, number, uri, metrics, tags, points: Performance(
        metrics=many(name, metrics, number),
        per_tag=many(name, tags, many(name, 12, number)),
        curve=tuple(many(name, 12, float(n)) for n in range(points)),
        cost=many(name, metrics, number),
        artifacts=many(name, metrics, uri),
    ),
    names,
    numbers,
    texts,
    st.sampled_from([0, 3, 200]),
    st.sampled_from([0, 3, 10_000]),
    st.sampled_from([0, 3, 1_000]),
)
nested = st.recursive(st.none() | numbers | names, lambda inner: st.lists(inner, max_size=3))
details = nested | texts | st.just({"a": ["x" * 1000] * 1000}) | st.builds(lambda: deep(2000))


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


observations = st.builds(
    Observation,
    seen_at=st.just(NOON),
    vendor_status=texts,
    state=st.sampled_from([None, State.QUEUED, State.RUNNING, State.SUCCEEDED, State.FAILED]),
    stage=st.none() | texts,
    progress=st.none() | st.floats(),
    message=st.none() | texts,
    vendor_code=st.none() | texts,
    error_details=details,
    performance=performances,
    signal=st.none() | texts,
)
failures = st.builds(
    Failure,
    kind=st.sampled_from(FailureKind),
    type=st.just("ProviderUnavailable"),
    message=texts,
    at=st.just(NOON),
    vendor_code=st.none() | texts,
    request_id=st.none() | texts,
    details=details,
)


def a_maximal_job() -> Job:
    """256 KiB of parameters and tags, where tags count twice; the longest names; a long handle."""
    tags = {f"{number:03d}".ljust(32, "t"): "\U0001f600" * 32 for number in range(200)}
    tag_bytes = len("{}") + 200 * (32 + 128 + len('"":"",')) - 1
    room = 256 * 1024 - 2 * tag_bytes - len('{"x":""}')
    label = "\U0001f600" * 255
    return a_running_job(
        parameters={"x": "p" * room},
        tags=tags,
        name=label,
        dataset=label,
        model=label,
        kind=label,
        requested_by="arn:" * 500,
        holds=(f"name:default:{label}", f"dataset:deepva:{label}", f"slot:{label}"),
        handle={"id": "h" * (HANDLE_BYTES_AT_MOST - len('{"id":""}'))},
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(observations | failures, min_size=1, max_size=3))
def test_any_words_of_a_service_leave_a_job_that_can_be_stored(seen: list[Any]) -> None:
    job = a_maximal_job()
    for number, each in enumerate(seen, start=1):
        now = NOON + timedelta(minutes=number)
        moved = _at(each, now)
        decision = step(job, moved, now, WatchRules(), Pace())
        job = decision.job
        item = job_item(job)
        assert item_size(item) <= ITEM_BYTES
        assert job_of(item) == job
        assert all(len(dump_event(event)) < 64 * 1024 for event in decision.events)


def test_the_end_is_stored_with_what_fits_and_says_what_was_cut() -> None:
    curve = tuple({"epoch": float(n), "loss": 1 / (n + 1)} for n in range(1000))
    said = Observation(
        seen_at=NOON,
        vendor_status="DONE",
        state=State.SUCCEEDED,
        message="\U0001f600" * 1_000_000,
        performance=Performance(
            metrics={"accuracy": 0.9}, per_tag=many("訓練", 10_000, {"ap": 0.5}), curve=curve
        ),
    )
    job = step(a_maximal_job(), said, NOON, WatchRules(), Pace()).job
    assert (job.state, job.end_reason) == (State.SUCCEEDED, EndReason.COMPLETED)
    assert job.seen.cut == ("message", "performance.curve", "performance.per_tag")
    assert job.seen.performance.metrics == {"accuracy": 0.9}
    assert job.seen.performance.curve[-1]["epoch"] == 999.0
    assert (job.seen.message or "").endswith("…")
    assert item_size(job_item(job)) <= ITEM_BYTES


@pytest.mark.parametrize("text", ["", "fine", "größer", "訓練" * 100])
def test_short_text_stays_as_it_is(text: str) -> None:
    assert bounded_text(text) == text


@pytest.mark.parametrize("character", CHARACTERS.replace("\ud800", ""))
@pytest.mark.parametrize("at_most", [16, 255, 4096])
def test_long_text_fills_its_room_and_no_more(character: str, at_most: int) -> None:
    kept = bounded_text(character * 10_000, at_most)
    escaped = {"\x01": 6, '"': 2, "\\": 2}.get(character, len(character.encode()))
    body, end = kept[:-1], kept[-1]
    assert end == "…"
    assert set(body) <= {character}
    assert at_most - escaped < len(body) * escaped + 3 <= at_most


def test_a_handle_is_kept_whole_or_not_at_all() -> None:
    assert handle_flaw(a_maximal_job().handle or {}) is None
    assert handle_flaw({"id": "größe", "arn": None, "n": [1, 2.5]}) is None
    assert "8193 bytes" in (handle_flaw({"id": "h" * (HANDLE_BYTES_AT_MOST + 1 - 9)}) or "")
    assert "bytes" in (handle_flaw({"id": "\U0001f600" * 2100}) or "")
    endless: dict[str, Any] = {}
    endless["again"] = endless
    assert "levels deep" in (handle_flaw(endless) or "")
    for flawed in (b"id", {1, 2}, float("nan"), "\ud800"):
        assert handle_flaw({"id": flawed}) == "is no JSON"


def test_an_alarm_about_many_trainings_is_an_event_that_can_be_stored() -> None:
    handles = [{"id": f"{number:04d}" + "h" * 5000} for number in range(1000)]
    decision = doubled(a_maximal_job(), handles, NOON)
    data = decision.events[0].data
    assert data["handles"] == handles[:6]
    assert data["more"] == 994
    assert len(dump_event(decision.events[0])) < 64 * 1024
    assert "more" not in doubled(a_maximal_job(), handles[:6], NOON).events[0].data


def _at(seen: Any, now: Any) -> Any:
    return replace(seen, **({"at": now} if isinstance(seen, Failure) else {"seen_at": now}))
