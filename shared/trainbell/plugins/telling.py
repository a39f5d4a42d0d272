"""For channels: what to say of a notice, to people or to machines, and how to post it."""

from trainbell.channels.cloud_event import cloud_event
from trainbell.channels.webhook import ReceiverAnswer, Webhook, refusal_of, webhook_url
from trainbell.channels.wording import (
    cost_warning,
    key_metrics,
    reason_of,
    summary_of,
    title_of,
    took,
)
from trainbell.plain_text import one_line, spell_number
from trainbell.redaction import redacted, redacted_text

__all__ = [
    "ReceiverAnswer",
    "Webhook",
    "cloud_event",
    "cost_warning",
    "key_metrics",
    "one_line",
    "reason_of",
    "redacted",
    "redacted_text",
    "refusal_of",
    "spell_number",
    "summary_of",
    "title_of",
    "took",
    "webhook_url",
]
