"""How the command line reads what is typed, and spells what it shows."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trainbell.cli.options import pairs, values
from trainbell.cli.output import (
    TrainbellConsole,
    clock_time,
    job_table,
    metrics_text,
    rows_table,
    span,
)
from trainbell.cli.quantities import deadline_of, number
from trainbell.demo.slack_text import message_text
from trainbell.embedded.up import HarmlessFormatter
from trainbell.plain_text import harmless, harmless_json

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
        ("Infinity War", "Infinity War"),
        ("nano", "nano"),
        ('"nan"', "nan"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_a_value_is_json_or_text(text: str, value: Any) -> None:
    assert values([f"key={text}"], "--param") == {"key": value}


@pytest.mark.parametrize(
    "text", ["nan", "NaN", "inf", "-inf", "Infinity", "1e400", "-1e400", "[1, NaN]", '{"a": 1e400}']
)
def test_a_number_that_no_json_can_carry_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="no finite number"):
        values([f"key={text}"], "--param")


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400", "x", ""])
def test_an_option_that_is_a_number_is_finite(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="no finite number"):
        number(text)


def test_nothing_is_given_twice_but_items_of_a_list() -> None:
    for read in (pairs, values):
        with pytest.raises(typer.BadParameter, match="'a' is given twice"):
            read(["a=1", "a=2"], "--option")
    given = ["names=A", "names=7", 'names=["B", "C"]', "one=1"]
    read_as_lists = values(given, "--option", lists={"names", "never"})
    assert read_as_lists == {"names": ["A", "7", "B", "C"], "one": 1}


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("2h30m", 9000), ("1.5d", 129_600), ("0s", 0)]
)
def test_a_deadline_that_is_a_span_is_sent_as_one(text: str, seconds: float) -> None:
    assert deadline_of(text) == {"deadline_seconds": seconds}


def test_a_deadline_that_is_a_time_is_sent_in_utc() -> None:
    said = deadline_of("2026-03-02T14:00:00+01:00")
    assert said == {"deadline_at": "2026-03-02T13:00:00Z"}
    assert deadline_of(None) == {}


@pytest.mark.parametrize("text", ["", "soon", "2h30", "h", "1x", "99999999999d"])
def test_what_is_no_deadline(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="no span"):
        deadline_of(text)


# Clears the screen, sets the title (C0 and C1), turns the line around, hides text, half a pair.
HOSTILE = "a\x1b[2Jb\x1b]0;t\x07c\x9b2Jd\u202ee\u2066f\U000e0041g\ud800h\x7fi"
HARMLESS = "a\ufffd[2Jb\ufffd]0;t\ufffdc\ufffd2Jd\ufffde\ufffdf\ufffdg\ufffdh\ufffdi"


def test_what_moves_a_terminal_is_replaced() -> None:
    assert harmless(HOSTILE) == HARMLESS
    for kept in ("two\nlines\tand a tab", "größer 5\u00a0km 👩\u200d🔬 日本"):
        assert harmless(kept) == kept


def test_json_is_harmless_and_says_the_same() -> None:
    text = harmless_json({HOSTILE: ["größer", HOSTILE]})
    assert json.loads(text) == {HOSTILE: ["größer", HOSTILE]}
    assert harmless(text) == text
    assert "größer" in text


@pytest.mark.parametrize("markup", [True, False])
def test_whatever_is_printed_is_harmless(markup: bool) -> None:
    console = TrainbellConsole(width=200, color_system="truecolor", force_terminal=True)
    table = Table("head " + HOSTILE)
    table.add_row(HOSTILE)
    with console.capture() as capture:
        console.print(HOSTILE, Text(HOSTILE), table, markup=markup)
        console.print("styled", style="red")
    shown = capture.get()
    assert "\x1b[31mstyled" in shown  # Our own colours stay.
    without_ours = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert harmless(without_ours) == without_ours


def test_a_log_line_is_harmless() -> None:
    shown = HarmlessFormatter("%(levelname)s %(message)s").format(
        logging.LogRecord("x", logging.ERROR, "", 0, "it said %s", (HOSTILE,), None)
    )
    assert shown == f"ERROR it said {HARMLESS}"


def test_a_time_of_a_schedule_names_its_zone() -> None:
    text = "2026-07-01T07:00:00Z"
    assert clock_time(text, zone="Europe/Berlin") == "2026-07-01 09:00:00 CEST"
    assert clock_time(text, zone="UTC") == "2026-07-01 07:00:00 UTC"
    assert clock_time(text, zone="No/Where").startswith("2026-07-01 ")
    assert clock_time(None, zone="UTC") == ""


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
