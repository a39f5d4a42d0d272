"""What the demo says of the messages that Slack received."""

from __future__ import annotations

from typing import Any

import pytest

from trainbell.demo.slack_text import COLUMNS_IN_SHORT, is_bad_news, message_in_short


def a_message(*fields: str, text: str = "It ran for *3 s*.") -> dict[str, Any]:
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": "✅ faces succeeded"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": text}},
    ]
    if fields:
        made = [{"type": "mrkdwn", "text": field} for field in fields]
        blocks.append({"type": "section", "fields": made})
    return {"blocks": blocks}


def test_a_message_in_short_is_its_title_and_its_fields() -> None:
    title, fields = message_in_short(a_message("F1\n*0.96*", "a &amp; b\n*1*"))
    assert title.plain == "✅ faces succeeded"
    assert fields.plain == "F1 0.96   a & b 1"
    assert [part.plain for part in message_in_short(a_message())] == ["✅ faces succeeded", ""]


@pytest.mark.parametrize(("name_length", "is_shown"), [(41, True), (42, False)])
def test_a_field_that_has_no_room_is_left_out(name_length: int, is_shown: bool) -> None:
    _, fields = message_in_short(a_message("a\n*1*", f"{'b' * name_length}\n*0.5*"))
    assert fields.plain.startswith("a 1")
    assert ("b" in fields.plain) == is_shown
    assert fields.cell_len <= COLUMNS_IN_SHORT


def test_bad_news_is_what_quotes_a_reason() -> None:
    assert is_bad_news(a_message(text="> The command ended with exit code 3."))
    assert not is_bad_news(a_message("loss\n*> 3*"))
