"""How the command line reads what is typed, and spells what it shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import typer
from rich.console import Console
from rich.table import Table

from tests.builders import NOON
from trainbell.cli.options import deadline, pairs, values
from trainbell.cli.output import job_table, metrics_text, rows_table, span
from trainbell.demo.slack_text import message_text

JOB_ID = "01jobaaaaaaaaaaaaaaaaaaaaa"


def a_row(**fields: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "id": JOB_ID,
        "state": "running",
        "has_ended": False,
        "provider": "local",
        "name": None,
        "model": None,
        "progress": None,
        "message": None,
        "duration_seconds": 200.0,
        "performance": {"metrics": {"accuracy": 0.97222, "loss": None}},
    }
    return {**given, **fields}


def drawn(table: Table, width: int) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (3, "3 s"),
        (59.7, "1 min 0 s"),
        (200.0, "3 min 20 s"),
        (18_720.0, "5 h 12 min"),
        (1_051_200.0, "12 d 4 h"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert span(seconds) == text


def test_metrics_that_are_not_finite_are_said_to_be_so() -> None:
    assert metrics_text(a_row()) == "accuracy 0.9722, loss not finite"
    many = a_row(performance={"metrics": dict.fromkeys("abcde", 1.0)})
    assert metrics_text(many) == "a 1, b 1, c 1 +2"


@pytest.mark.parametrize("width", [80, 120])
def test_a_job_is_one_line_and_its_id_is_whole(width: int) -> None:
    names = ["short", "a-long-name-" * 12, "with\nbreak\x1b[2J"]
    jobs = [a_row(name=name, progress=0.456) for name in names]
    lines = drawn(job_table(jobs, width), width)
    assert len(lines) == 4
    assert all(line.startswith(f"{JOB_ID}  running 46%  local") for line in lines[1:])
    assert all("3 min 20 s" in line for line in lines[1:])
    assert "…" in lines[2]
    assert all(len(line) <= width and line.isprintable() for line in lines)
    assert ("accuracy" in lines[1]) == (width >= 100)


def test_a_zero_is_shown_and_nothing_is_not() -> None:
    assert drawn(rows_table(("tries", "x"), [(0, None)]), 80)[1] == "0"


def test_key_and_value() -> None:
    assert pairs(["a=b=c", "d="], "--tag") == {"a": "b=c", "d": ""}
    assert pairs(None, "--tag") == {}
    with pytest.raises(typer.BadParameter, match="KEY=VALUE"):
        pairs(["=x"], "--tag")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ('["a"]', ["a"]),
        ("null", None),
        ("text", "text"),
        ("NaN", "NaN"),  # No JSON could carry these as numbers.
        ("1e999", "1e999"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_a_value_is_json_or_text(text: str, value: Any) -> None:
    assert values([f"key={text}"], "--param") == {"key": value}


@pytest.mark.parametrize(
    ("text", "after"),
    [("90s", 90), ("2h30m", 9000), ("1.5d", 129_600), ("2026-03-02T14:00:00+01:00", 3600)],
)
def test_a_deadline_is_a_span_or_a_time(text: str, after: float) -> None:
    said = deadline(text, NOON)
    assert said is not None
    assert said.endswith("Z")
    assert datetime.fromisoformat(said) == NOON + timedelta(seconds=after)
    assert datetime.fromisoformat(said).tzinfo == UTC


@pytest.mark.parametrize("text", ["", "soon", "2h30", "h", "1x", "99999999999d"])
def test_what_is_no_deadline(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="no span"):
        deadline(text, NOON)


def test_a_slack_message_as_text() -> None:
    def mrkdwn(text: str) -> dict[str, str]:
        return {"type": "mrkdwn", "text": text}

    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "❌ digits failed"}},
        {"type": "section", "text": mrkdwn("It ran for *3 s*.")},
        {"type": "section", "fields": [mrkdwn("accuracy\n*0.9*"), mrkdwn("loss\n*1*")]},
        {"type": "section", "text": mrkdwn("> a &lt; b\n> \x1b[2J")},
        {"type": "context", "elements": [mrkdwn("local · <http://x/v1/jobs/1|Open the job>")]},
    ]
    text = message_text({"blocks": blocks})
    assert text.plain.splitlines() == [
        "❌ digits failed",
        "It ran for 3 s.",
        "accuracy 0.9   loss 1",
        "│ a < b",
        "│  [2J",
        "local · Open the job",
    ]
