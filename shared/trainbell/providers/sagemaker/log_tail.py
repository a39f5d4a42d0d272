"""The tail of a training job's log: one stream for each instance, merged by time."""

from __future__ import annotations

from collections.abc import Sequence

from trainbell.errors import ProviderJobMissing
from trainbell.providers.sagemaker.client import SageMakerClient
from trainbell.providers.sagemaker.vendor_models import LogEvent

STREAMS_READ = 5
PAGES_READ = 3


def log_tail(client: SageMakerClient, name: str, lines: int) -> Sequence[str]:
    """The last lines, oldest first; none before the training's container has begun to write.

    A stream is called `<job>/algo-<n>-<number>`; of a large cluster the first few are read.
    """
    try:
        found = client.log_streams(f"{name}/", STREAMS_READ).logStreams
    except ProviderJobMissing:
        return []  # Nobody has ever trained in this account and region.
    events: list[LogEvent] = []
    for stream in found:
        events += _tail_of(client, stream.logStreamName, lines)
    events.sort(key=lambda event: event.timestamp)
    return [event.message.rstrip("\n") for event in events[-lines:]]


def _tail_of(client: SageMakerClient, stream: str, lines: int) -> Sequence[LogEvent]:
    tail: list[LogEvent] = []
    token: str | None = None
    for _ in range(PAGES_READ):
        page = client.log_events(stream, lines - len(tail), token)
        tail = [*page.events, *tail]
        if len(tail) >= lines or page.nextBackwardToken in (None, token):
            break
        token = page.nextBackwardToken
    return tail
