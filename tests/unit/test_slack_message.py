"""How Slack messages read: whole messages as JSON, and the edges of what goes into them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOON, a_job
from trainbell.channels.slack.message import escaped, slack_message
from trainbell.channels.wording import key_metrics, spell_duration, title_of
from trainbell.domain.events import EventType, JobEvent
from trainbell.domain.failure import Failure, FailureKind
from trainbell.domain.job import END_STATE_OF, EndReason, Job, Performance, State
from trainbell.plain_text import spell_number
from trainbell.ports import Notice

URL = "https://trainbell.example/v1/jobs/01jobaaaaaaaaaaaaaaaaaaaaa"


def an_ended_job(state: State, reason: EndReason, **fields: Any) -> Job:
    given: dict[str, Any] = {
        "name": "digits-forest",
        "state": state,
        "end_reason": reason,
        "started_at": NOON,
        "ended_at": NOON + timedelta(seconds=192),
    }
    return a_job(**{**given, **fields})


def told(job: Job, type: EventType = EventType.JOB_FINISHED, **fields: Any) -> dict[str, Any]:
    event = JobEvent(job_id=job.id, sequence=4, type=type, at=NOON, state=job.state, **fields)
    return slack_message(Notice(id=f"{event.id}:team", event=event, job=job, url=URL))


def texts(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False)


def test_a_training_that_succeeded() -> None:
    job = an_ended_job(
        State.SUCCEEDED,
        EndReason.COMPLETED,
        dataset="digits",
        model="digits",
        performance=Performance(metrics={"seconds_per_epoch": 12345.6, "accuracy": 0.97222}),
    )

    def mrkdwn(text: str) -> dict[str, Any]:
        return {"type": "mrkdwn", "text": text, "verbatim": True}

    assert told(job) == {
        "text": "✅ digits-forest succeeded after 3 min 12 s",
        "blocks": [
            {
                "type": "header",
                "text": {
                    "type": "plain_text",
                    "text": "✅ digits-forest succeeded",
                    "emoji": False,
                },
            },
            {"type": "section", "text": mrkdwn("It ran for *3 min 12 s*. Model: digits.")},
            {
                "type": "section",
                "fields": [mrkdwn("accuracy\n*0.9722*"), mrkdwn("seconds_per_epoch\n*12,346*")],
            },
            {
                "type": "context",
                "elements": [
                    mrkdwn(
                        f"deepva · train · dataset digits · project default · <{URL}|Open the job>"
                    )
                ],
            },
        ],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def test_a_failure_shows_the_services_own_reason() -> None:
    job = an_ended_job(
        State.FAILED, EndReason.SERVICE_FAILED, message="2 images are broken:\n<a.png> & <b.png>"
    )
    header, _, reason, _ = told(job)["blocks"]
    assert header["text"]["text"] == "❌ digits-forest failed"
    assert reason["text"]["text"] == ("> 2 images are broken:\n> &lt;a.png&gt; &amp; &lt;b.png&gt;")


def test_a_failure_without_words_shows_the_exit_code_and_never_a_secret() -> None:
    silent = an_ended_job(State.FAILED, EndReason.EXIT_CODE, exit_code=3)
    assert "> It ended with exit code 3." in texts(told(silent))
    error = Failure(
        kind=FailureKind.UNAVAILABLE,
        type="ProviderRejected",
        message="bad api_key=hunter2",
        at=NOON,
    )
    rejected = an_ended_job(State.FAILED, EndReason.START_REJECTED, last_error=error)
    assert "> bad api_key=***" in texts(told(rejected))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (EndReason.CANCEL_CONFIRMED, "⏹️ digits-forest was cancelled"),
        (EndReason.DEADLINE_EXCEEDED, "⌛ digits-forest ran past its deadline"),
        (EndReason.UNKNOWN_TO_SERVICE, "❓ digits-forest was lost"),
    ],
)
def test_every_other_end_has_its_words(reason: EndReason, words: str) -> None:
    assert told(an_ended_job(END_STATE_OF[reason], reason))["text"].startswith(words)


def test_what_may_still_cost_money_is_said() -> None:
    still_running = an_ended_job(State.EXPIRED, EndReason.DEADLINE_EXCEEDED_STILL_RUNNING)
    assert "may still cost money" in texts(told(still_running))
    stopped = an_ended_job(State.EXPIRED, EndReason.DEADLINE_EXCEEDED)
    assert "cost money" not in texts(told(stopped))


@pytest.mark.parametrize(
    ("type", "words"),
    [
        (EventType.JOB_STARTED, "train at deepva was started"),
        (EventType.JOB_STATE_CHANGED, "train at deepva is now running (before: queued)"),
        (EventType.UNKNOWN_STATUS_SEEN, "has a status that Trainbell does not know"),
    ],
)
def test_other_events_have_their_words(type: EventType, words: str) -> None:
    job = a_job(state=State.RUNNING, started_at=NOON, progress=0.4)
    message = told(job, type, previous_state=State.QUEUED, data={"vendor_status": "mulling"})
    assert words in message["text"]


def test_names_are_shown_and_never_obeyed() -> None:
    hostile = "<!channel> *now* & <https://evil.example|click>\n\x00"
    message = told(
        an_ended_job(State.SUCCEEDED, EndReason.COMPLETED, name=hostile, dataset=hostile)
    )
    context = message["blocks"][-1]["elements"][0]["text"]
    assert "&lt;!channel&gt;" in context
    assert context.count("<") == 1  # Our own link.
    assert "<" not in message["text"]


def test_the_longest_texts_stay_within_slacks_limits() -> None:
    job = an_ended_job(
        State.FAILED,
        EndReason.SERVICE_FAILED,
        name="n&" * 127,
        dataset="<" * 255,
        message="&<>\n" * 5000,
        schedule="s" * 63,
        performance=Performance(metrics={f"m{'&' * 500}{n}": n for n in range(100)}),
    )
    message = told(job)
    assert len(message["text"]) <= 1000
    for block in message["blocks"]:
        for part in [block.get("text"), *block.get("fields", []), *block.get("elements", [])]:
            if part is not None:
                limit = 150 if part["type"] == "plain_text" else 2000 if "fields" in block else 3000
                assert 1 <= len(part["text"]) <= limit
    assert len(message["blocks"][2]["fields"]) == 6


def test_cutting_never_halves_an_entity() -> None:
    assert escaped("a&b", 100) == "a&amp;b"
    for at_most in range(1, 12):
        cut = escaped("&&&&&&", at_most)
        assert len(cut) <= at_most
        assert cut.rstrip("…").replace("&amp;", "") == ""


def test_the_best_known_measures_come_first() -> None:
    names = ["zeta", "loss", "alpha", "recall", "F1Score", "accuracyTop1", "precision"]
    metrics = {**dict.fromkeys(names, 0.5), "accuracy_of_nothing": float("nan")}
    job = a_job(performance=Performance(metrics=metrics))
    assert [name for name, _ in key_metrics(job, 6)] == [
        "accuracyTop1",
        "F1Score",
        "precision",
        "recall",
        "loss",
        "alpha",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 s"),
        (41.9, "41 s"),
        (60, "1 min"),
        (3599, "59 min 59 s"),
        (7500, "2 h 5 min"),
        (86_400, "1 day"),
        (56 * 86_400 + 3 * 3600, "56 days 3 h"),
    ],
)
def test_durations_as_people_say_them(seconds: float, words: str) -> None:
    assert spell_duration(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.97222, "0.9722"), (3.0, "3"), (12345.6, "12,346"), (1e-5, "1e-05"), (-0.5, "-0.5")],
)
def test_numbers_as_people_read_them(value: float, words: str) -> None:
    assert spell_number(value) == words


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"name": "nightly", "model": "digits", "dataset": "mnist"}, "nightly"),
        ({"model": "digits", "dataset": "mnist"}, "digits (train at deepva)"),
        ({"dataset": "mnist"}, "mnist (train at deepva)"),
        ({}, "train at deepva"),
        ({"model": "two\nlines"}, "two lines (train at deepva)"),
    ],
)
def test_what_people_call_a_job(fields: dict[str, str], title: str) -> None:
    assert title_of(a_job(**fields)) == title
