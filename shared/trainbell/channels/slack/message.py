"""A notice as a Slack message in Block Kit, within Slack's limits.

Limits: header 150 characters, section 3000, a field 2000, ten fields, ten context elements
(docs.slack.dev/reference/block-kit/blocks). The texts are cut well below them.
"""

from __future__ import annotations

import re
from typing import Any

from trainbell.channels.wording import (
    cost_warning,
    key_metrics,
    reason_of,
    summary_of,
    took,
)
from trainbell.domain.events import EventType
from trainbell.domain.job import State
from trainbell.plain_text import one_line, spell_number
from trainbell.ports import Notice

HEADER_AT_MOST = 150
SECTION_AT_MOST = 3000
FIELD_AT_MOST = 2000
FALLBACK_AT_MOST = 1000
REASON_AT_MOST = 1200
REASON_LINES_SHOWN = 12
METRICS_SHOWN = 6

_SIGNS = {
    State.SUCCEEDED: "✅",
    State.FAILED: "❌",
    State.CANCELLED: "⏹️",
    State.EXPIRED: "⌛",
    State.LOST: "❓",
}
_HALF_ENTITY = re.compile(r"&[a-z]{0,4}$")

Block = dict[str, Any]


def slack_message(notice: Notice) -> dict[str, Any]:
    """The payload of an incoming webhook: blocks, and `text` for notifications and readers.

    The link is text and no button: a button makes Slack call back, and there is nobody to answer.
    """
    blocks = [_header(notice), _what_happened(notice)]
    if notice.event.type is EventType.JOB_FINISHED:
        blocks += _metrics(notice) + _reason(notice)
    blocks += _warning(notice)
    blocks.append(_where(notice))
    return {
        "text": escaped(f"{_sign(notice)} {summary_of(notice)}", FALLBACK_AT_MOST),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def escaped(text: str, at_most: int) -> str:
    """Text that Slack shows as it is: `&`, `<` and `>` as entities, cut without halving one."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(safe) <= at_most:
        return safe
    return _HALF_ENTITY.sub("", safe[: at_most - 1]) + "…"


def _sign(notice: Notice) -> str:
    if notice.event.type is EventType.CHANNEL_TESTED:
        return "🔔"
    if notice.event.type is EventType.UNKNOWN_STATUS_SEEN:
        return "⚠️"
    return _SIGNS.get(notice.event.state, "▶️")


def _header(notice: Notice) -> Block:
    text = one_line(f"{_sign(notice)} {_headline(notice)}", HEADER_AT_MOST)
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _headline(notice: Notice) -> str:
    # The duration stands in the line below.
    return summary_of(notice).rpartition(" after ")[0] or summary_of(notice)


def _what_happened(notice: Notice) -> Block:
    job, event = notice.job, notice.event
    if event.type is EventType.CHANNEL_TESTED:
        return _section("This channel works. Jobs that end will be told here.")
    if event.type is EventType.JOB_FINISHED:
        verb = "It ran for" if job.started_at is not None else "It was asked for, and ended, within"
        return _section(f"{verb} *{took(job)}*.{_model(notice)}")
    if event.type is EventType.JOB_STARTED:
        return _section("The service has taken it, and Trainbell watches it to its end.")
    if event.type is EventType.UNKNOWN_STATUS_SEEN:
        status = one_line(str(event.data.get("vendor_status") or job.seen.vendor_status or ""), 100)
        known = f"The service calls it “{escaped(status, 200)}”. " if status else ""
        return _section(f"{known}Trainbell watches on; nothing is lost.")
    return _section(f"Running for *{took(job)}* so far.{_progress(notice)}")


def _model(notice: Notice) -> str:
    model = notice.job.order.model
    titled_by_it = not notice.job.order.name
    if not model or titled_by_it or notice.event.state is not State.SUCCEEDED:
        return ""
    return f" Model: {escaped(one_line(model), 400)}."


def _progress(notice: Notice) -> str:
    progress = notice.job.seen.progress
    return f" Progress: {progress:.0%}." if progress is not None else ""


def _metrics(notice: Notice) -> list[Block]:
    shown = key_metrics(notice.job, METRICS_SHOWN)
    if not shown:
        return []
    fields = [
        _mrkdwn(f"{escaped(one_line(name, 80), 400)}\n*{spell_number(value)}*", FIELD_AT_MOST)
        for name, value in shown
    ]
    return [{"type": "section", "fields": fields}]


def _reason(notice: Notice) -> list[Block]:
    reason = reason_of(notice.job)
    if not reason:
        return []
    # Each line is quoted: a traceback keeps its form.
    lines = [one_line(line, 300) for line in reason.splitlines() if line.strip()]
    safe = escaped("\n".join(lines[:REASON_LINES_SHOWN]), REASON_AT_MOST)
    return [_section("\n".join(f"> {line}" for line in safe.split("\n")))]


def _warning(notice: Notice) -> list[Block]:
    warning = cost_warning(notice.job)
    return [_section(f"⚠️ *{warning}*")] if warning else []


def _where(notice: Notice) -> Block:
    job, order = notice.job, notice.job.order
    known = [
        order.provider,
        f"connection {order.connection}" if order.connection != order.provider else None,
        order.kind,
        f"dataset {order.dataset}" if order.dataset else None,
        f"project {order.project}",
        f"schedule {job.origin.schedule}" if job.origin.schedule else None,
    ]
    words = " · ".join(escaped(one_line(word, 100), 500) for word in known if word)
    link = f" · {_link(notice.url)}" if notice.url else f" · job {job.id}"
    return {"type": "context", "elements": [_mrkdwn(words + link, SECTION_AT_MOST)]}


def _link(url: str) -> str:
    address = url.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")
    return f"<{address}|Open the job>"


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text, SECTION_AT_MOST)}


def _mrkdwn(text: str, at_most: int) -> Block:
    # `verbatim`: no name in a text becomes a link or a mention.
    return {"type": "mrkdwn", "text": text[:at_most], "verbatim": True}
